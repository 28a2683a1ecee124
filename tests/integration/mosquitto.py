"""A Mosquitto broker of a test's own, on a free port of the loopback, that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

_SYSTEM_PATH = "/usr/sbin/mosquitto"
_START_S = 20.0


def mosquitto_program() -> str:
    """The broker's program. In CI a missing one is an error; elsewhere the tests are skipped with this reason."""
    found = shutil.which("mosquitto") or (_SYSTEM_PATH if Path(_SYSTEM_PATH).exists() else None)
    if found is None:
        message = "no mosquitto: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


class Mosquitto:
    """The broker; its sessions are on disk, so that it may be killed.

    Args:
        folder: for its files.
        options: further lines of its configuration.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._program = mosquitto_program()
        self.port = _free_port()
        self._log = folder / "mosquitto.log"
        self._configuration = folder / "mosquitto.conf"
        listener = [f"listener {self.port} 127.0.0.1"]
        anonymous = [] if any(line.startswith("allow_anonymous") for line in options) else ["allow_anonymous true"]
        persistence = ["persistence true", f"persistence_location {folder}/", "autosave_on_changes true"]
        # One change is saved at once: a broker that is killed has its sessions.
        lines = [*listener, *anonymous, *persistence, "autosave_interval 1", "user root", *options]
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._configuration), "-v"], stdout=log, stderr=log
            )
        deadline_s = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline_s, "mosquitto does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Let it save its sessions and end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_START_S)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(_START_S)
        self._process = None

    def wait_for_log(self, text: str, count: int) -> None:
        """Until it has said so that many times."""
        deadline_s = time.monotonic() + _START_S
        while self.log().count(text) < count:
            assert time.monotonic() < deadline_s, f"{text!r} not {count} times in\n{self.log()}"
            time.sleep(0.02)

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
