"""A ClickHouse server out of the `chdb-core` wheel, for machines without one.

The wheel's engine can open the real native and HTTP listeners (`SYSTEM START LISTEN`) when it runs the way
clickhouse-local does. This is a development server: process death loses nothing, but it is not the production
binary. Run as `python -m stack.clickhouse_launcher --data DIR --run DIR` where DIR of `--run` holds `config.xml`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

FIFO = "hold"
_POLL_S = 0.05
_STOP_TIMEOUT_S = 30.0


class Launcher:
    """One engine in this process, from `start` until the FIFO is closed.

    Attributes:
        data: where the tables live; an absolute path.
        run: the working directory of the engine, with its `config.xml`; an absolute path.
    """

    def __init__(self, *, data: Path, run: Path, http_port: int) -> None:
        self.data = data
        self.run = run
        self._http_port = http_port
        self._thread = threading.Thread(target=self._serve, name="clickhouse", daemon=True)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Open the listeners; returns at once.

        The engine is imported before the change of directory: its import opens a throw-away engine which
        would read our config.xml too and take the ports.
        """
        self._engine: Any = importlib.import_module("chdb._chdb")
        self.data.mkdir(parents=True, exist_ok=True)
        fifo = self.run / FIFO
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo, mode=0o600)
        os.chdir(self.run)
        self._engine.set_signal_handlers_enabled(0)
        self._thread.start()

    def _serve(self) -> None:
        # The last statement blocks on the FIFO and so keeps the engine alive; it releases the interpreter lock.
        hold = f"SELECT count() FROM file('{FIFO}', 'LineAsString') FORMAT Null"  # noqa: S608  # a constant
        listen = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; "
        self._engine.query(listen + hold, "TSV", path=str(self.data))

    def is_ready(self) -> bool:
        """Whether the server on our port answers with our own data path, so that it is no other server."""
        query = "SELECT+path+FROM+system.disks"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._http_port}/?query={query}", timeout=2) as answer:
                paths: list[str] = answer.read().decode().split("\n")
        except (urllib.error.URLError, OSError):
            return False
        return any(path and Path(path) == self.data for path in paths)

    def is_serving(self) -> bool:
        """Whether the engine's thread lives; when it does not, the engine has refused to start or has ended."""
        return self._thread.is_alive()

    def handle_signals(self) -> None:
        """Make SIGTERM and SIGINT stop the server; the engine replaces handlers while it starts."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopped.set()

    def wait_until_stopped(self) -> int:
        """Serve until a signal comes or the engine ends; returns the process's exit code."""
        while not self._stopped.wait(timeout=0.5):
            if not self.is_serving():
                return 1
        return self._stop()

    def _stop(self) -> int:
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while self.is_serving() and time.monotonic() < deadline:
            # Fails until the engine has come to its last statement, when the signal arrives during the start.
            with contextlib.suppress(OSError):
                os.close(os.open(self.run / FIFO, os.O_WRONLY | os.O_NONBLOCK))
            self._thread.join(_POLL_S)
        return 1 if self.is_serving() else 0


def main() -> int:
    """Run the server until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    arguments = parser.parse_args()
    launcher = Launcher(data=arguments.data.absolute(), run=arguments.run.absolute(), http_port=arguments.http_port)
    launcher.handle_signals()
    launcher.start()
    while not launcher.is_ready():
        if not launcher.is_serving():
            sys.stderr.write("the engine ended before it listened; its reason stands above\n")
            return 1
        time.sleep(_POLL_S)
    launcher.handle_signals()
    sys.stdout.write(f"ready: {launcher.data}\n")
    sys.stdout.flush()
    return launcher.wait_until_stopped()


if __name__ == "__main__":
    sys.exit(main())
