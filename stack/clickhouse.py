"""ClickHouse: the user's own server by URL, else `clickhouse` on PATH, else the engine of the chdb-core wheel."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from stack.endpoints import LOOPBACK
from stack.errors import MissingComponentError
from stack.home import StackHome
from stack.settings import StackSettings

_MIB = 1024 * 1024


def command(settings: StackSettings, home: StackHome) -> list[str] | None:
    """The server's command line; None when the user brings a server of his own.

    Raises:
        MissingComponentError: there is neither a `clickhouse` on PATH nor the chdb-core wheel.
    """
    if settings.clickhouse_url is not None:
        return None
    binary = shutil.which("clickhouse")
    if binary is not None:
        return [binary, "server", f"--config-file={run_directory(home) / 'config.xml'}"]
    if find_spec("chdb") is None:
        raise MissingComponentError(
            "no ClickHouse: set BRAIN_STACK_CLICKHOUSE_URL, put `clickhouse` on PATH, or pip install 'iot-brain[stack]'"
        )
    data, run = str(data_directory(home)), str(run_directory(home))
    port = str(settings.clickhouse_http_port)
    return [sys.executable, "-m", "stack.clickhouse_launcher", "--data", data, "--run", run, "--http-port", port]


def prepare(settings: StackSettings, home: StackHome) -> None:
    """Write the server's configuration."""
    run_directory(home).mkdir(parents=True, exist_ok=True)
    (run_directory(home) / "config.xml").write_text(server_configuration(settings, home))


def data_directory(home: StackHome) -> Path:
    """Where the tables live."""
    return home.data / "clickhouse"


def run_directory(home: StackHome) -> Path:
    """The server's working directory."""
    return home.run / "clickhouse"


def server_configuration(settings: StackSettings, home: StackHome) -> str:
    """A complete configuration: loopback, no password (only this machine can connect), bounded memory and logs."""
    return f"""<clickhouse>
  <listen_host>{LOOPBACK}</listen_host>
  <tcp_port>{settings.clickhouse_tcp_port}</tcp_port>
  <http_port>{settings.clickhouse_http_port}</http_port>
  <path>{escape(str(data_directory(home)))}/</path>
  <max_server_memory_usage>{settings.clickhouse_memory_mb * _MIB}</max_server_memory_usage>
  <mark_cache_size>{64 * _MIB}</mark_cache_size>
  <logger>
    <level>information</level>
    <log>{escape(str(home.logs / "clickhouse.log"))}</log>
    <errorlog>{escape(str(home.logs / "clickhouse-errors.log"))}</errorlog>
    <size>20M</size>
    <count>3</count>
  </logger>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
</clickhouse>
"""
