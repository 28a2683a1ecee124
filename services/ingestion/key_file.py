"""The file of device keys: read by the service whenever it changes, written by `brain-services ingestion-keys`."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import yaml
from pydantic import ValidationError

from schemas.errors import BrainError
from services.ingestion.keys import Grant, KeyFile, verify
from services.ingestion.problems import Fault, ProblemError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_HEADER_CHARS = 256


class KeyFileError(BrainError):
    """The file of keys can't be used; the message never shows what is in it."""


def read_keys(path: Path) -> KeyFile:
    """Reads the file.

    Raises:
        KeyFileError: if it is missing, readable by others, or malformed.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyFileError(f"{path} is open to others: chmod 600 {path}")
            text = file.read()
    except OSError as error:
        raise KeyFileError(f"can't read the keys in {path}: {error.strerror}") from error
    try:
        return KeyFile.model_validate(yaml.safe_load(text) or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KeyFileError(f"{path}: {place}: {first['msg']}") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise KeyFileError(f"{path}{place}: not YAML in UTF-8") from None


def write_keys(path: Path, file: KeyFile) -> None:
    """Writes the file as a whole: a reader sees the old one or the new one, and only its owner sees either."""
    text = yaml.safe_dump(file.model_dump(mode="json"), sort_keys=False)
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Keeps other programs from changing the file meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class KeyRing:
    """The keys that count now.

    A file that becomes unreadable while the service runs leaves the last good keys in force for a while, because a
    slip of the hand should not stop every device; then nobody is let in, because a key may have been revoked in it.

    Args:
        path: of the file.
        max_stale_s: for how long.
        monotonic_s: seconds of a clock that never jumps.
        now: wall clock.

    Raises:
        KeyFileError: if the file can't be read at the start.
    """

    def __init__(
        self, path: Path, *, max_stale_s: float, monotonic_s: Callable[[], float], now: Callable[[], datetime]
    ) -> None:
        self._path = path
        self._max_stale_s = max_stale_s
        self._monotonic_s = monotonic_s
        self._now = now
        self._seen = _signature(path)
        self._keys = read_keys(path).keys
        self._good_s = monotonic_s()

    @property
    def live(self) -> int:
        """How many keys open anything now."""
        now = self._now()
        return sum(entry.is_live(now) for entry in self._keys.values())

    @property
    def stale_s(self) -> float:
        """Seconds since the file was last known to be good."""
        return self._monotonic_s() - self._good_s

    @property
    def usable(self) -> bool:
        """Whether anybody is let in."""
        return self.stale_s <= self._max_stale_s

    def refresh(self) -> bool:
        """Reads the file if it has changed; returns whether it had.

        Raises:
            KeyFileError: if it can't be read; the last good keys stay.
        """
        signature = _signature(self._path)
        changed = signature != self._seen
        if changed:
            self._keys = read_keys(self._path).keys
            # Only now: a file that is not good is tried again, whether it changes or not.
            self._seen = signature
        self._good_s = self._monotonic_s()
        return changed

    def admit(self, authorization: str | None) -> Grant:
        """What the header `Authorization` opens.

        Raises:
            ProblemError: if it opens nothing.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > _MAX_HEADER_CHARS:
            raise ProblemError(
                Fault.NO_KEY, "send the device's key: Authorization: Bearer <key>", field="Authorization"
            )
        if not self.usable:
            raise ProblemError(Fault.NOT_READY, "the device keys can't be read", retry_after_s=5)
        found = verify(self._keys, token.strip(), self._now())
        if isinstance(found, str):
            raise ProblemError(Fault.NO_KEY, found, field="Authorization")
        return found


def _signature(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode)
