"""Where the stack keeps its files: one directory, `.brain` in the repository unless BRAIN_HOME says otherwise."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackConfigError

REPOSITORY = Path(__file__).resolve().parents[1]

MARK = "BRAIN_SUPERVISED_BY"
"""Environment variable that every process of a stack carries: the path of the stack's home."""

# A Unix socket's path has at most 108 bytes on Linux and 104 on macOS, its end included.
_LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class StackHome:
    """The directories and files below the stack's home directory.

    Attributes:
        root: an absolute path.
        jars: downloaded jars; may be shared by several homes.
    """

    root: Path
    jars: Path

    @property
    def conf(self) -> Path:
        """Generated configuration of every process."""
        return self.root / "conf"

    @property
    def flink_conf(self) -> Path:
        """Flink's configuration directory (FLINK_CONF_DIR)."""
        return self.conf / "flink"

    @property
    def logs(self) -> Path:
        """Log files of every process."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """Kafka's log segments, ClickHouse's parts, Flink's checkpoints and savepoints."""
        return self.root / "data"

    @property
    def flink(self) -> Path:
        """A Flink home made of links into the installed wheel and our own library folder."""
        return self.root / "flink"

    @property
    def run(self) -> Path:
        """Pid files and sockets."""
        return self.root / "run"

    @property
    def supervisor_conf(self) -> Path:
        """The process supervisor's generated configuration."""
        return self.conf / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """The supervisor's control socket; outside the home when the home's path is too long for a socket."""
        path = self.run / "supervisor.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"brain-stack-{os.getuid()}" / f"{digest}.sock"

    @property
    def endpoints_json(self) -> Path:
        """Where clients read the ports of the running stack."""
        return self.root / "stack.json"

    @property
    def endpoints_env(self) -> Path:
        """The same as `export` lines for a shell."""
        return self.root / "stack.env"

    def make_directories(self) -> None:
        """Create the directories that the processes expect.

        Raises:
            StackConfigError: the directory of the socket, where it is a shared place, belongs to another user.
        """
        for directory in (self.jars, self.flink_conf, self.logs, self.data, self.run):
            directory.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            raise StackConfigError([f"home: its path is too long, and {self.socket.parent} is another user's"])
