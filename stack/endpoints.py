"""Where the running stack listens; written by `up`, read by every client on this machine."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.errors import StackNotRunningError
from stack.home import StackHome

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class StackEndpoints:
    """The addresses of the stack's services.

    Attributes:
        kafka_bootstrap: `host:port`.
        flink_rest_url: of the JobManager, without a trailing slash; the web UI answers there too.
        clickhouse_tcp_port: native protocol.
        clickhouse_http_port: HTTP interface.
        task_slots: how many the TaskManager offers.
        flink_conf_dir, flink_lib_dir: what the `flink` command needs to reach this cluster.
    """

    kafka_bootstrap: str
    flink_rest_url: str
    clickhouse_host: str
    clickhouse_tcp_port: int
    clickhouse_http_port: int
    clickhouse_user: str = "default"
    clickhouse_password: str = ""
    flink_conf_dir: str = ""
    flink_lib_dir: str = ""
    home: str = ""
    task_slots: int = 1

    def to_env(self) -> dict[str, str]:
        """The environment in which our programs find this stack."""
        return {
            "BRAIN_HOME": self.home,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "FLINK_REST_URL": self.flink_rest_url,
            "FLINK_CONF_DIR": self.flink_conf_dir,
            "FLINK_LIB_DIR": self.flink_lib_dir,
            "CLICKHOUSE_HOST": self.clickhouse_host,
            "CLICKHOUSE_PORT": str(self.clickhouse_tcp_port),
            "CLICKHOUSE_HTTP_PORT": str(self.clickhouse_http_port),
            "CLICKHOUSE_USER": self.clickhouse_user,
            "CLICKHOUSE_PASSWORD": self.clickhouse_password,
        }

    def save(self, home: StackHome) -> None:
        """Write `stack.json` and `stack.env`, readable by this user only: they may hold a password."""
        _write_private(home.endpoints_json, json.dumps(asdict(self), indent=2) + "\n")
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.to_env().items()]
        _write_private(home.endpoints_env, "".join(lines))

    @classmethod
    def load(cls, home_root: Path) -> StackEndpoints:
        """Read what the last `up` wrote below `home_root`.

        Raises:
            StackNotRunningError: no stack was ever started from this home.
        """
        path = home_root / "stack.json"
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            raise StackNotRunningError(f"no {path}: start the stack first (brain-stack up)") from None


def _write_private(path: Path, text: str) -> None:
    # A new file each time: the mode of os.open applies only to files that it creates.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
