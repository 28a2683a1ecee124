"""The file system as the spool sees it: every byte the room reads or writes passes here, so tests can pull the plug."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from edge.spool.errors import SpoolInUse

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
"""Readings may be personal: only the agent's own user reads the spool."""


class File(Protocol):
    """An open file. Every method raises OSError as the system call does."""

    def pwrite(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`; after an error any part of it may have been written."""
        ...

    def pread(self, size: int, offset: int) -> bytes:
        """At most `size` bytes from `offset`; fewer only at the end of the file."""
        ...

    def fdatasync(self) -> None:
        """Return when every byte written is on the disk. After an error none of them can be relied on."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file off at `size` bytes."""
        ...

    def size(self) -> int:
        """Length in bytes."""
        ...

    def close(self) -> None:
        """Close it; closing makes nothing durable."""
        ...


class Files(Protocol):
    """A file system. Names that were made, renamed or removed are durable only after `fsync_directory`."""

    def open(self, path: Path, *, create: bool = False) -> File:
        """Open for reading and writing; `create` makes a new, empty file where there is none."""
        ...

    def make_directory(self, path: Path) -> None:
        """Make the directory and its parents where they are missing."""
        ...

    def fsync_directory(self, path: Path) -> None:
        """Make the directory's names durable."""
        ...

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        ...

    def list_names(self, path: Path) -> list[str]:
        """Names in a directory, sorted."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Bytes that an ordinary user may still write to the file system of `path`."""
        ...

    def lock(self, path: Path) -> File:
        """Hold an exclusive lock until the file is closed or the process ends.

        Raises:
            SpoolInUse: if another holds it.
        """
        ...


class SystemFile:
    """A file of the operating system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def pwrite(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        written = os.pwrite(self._descriptor, data, offset)
        while written < len(data):
            written += os.pwrite(self._descriptor, memoryview(data)[written:], offset + written)

    def pread(self, size: int, offset: int) -> bytes:
        """At most `size` bytes from `offset`."""
        data = os.pread(self._descriptor, size, offset)
        while 0 < len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def fdatasync(self) -> None:
        """Make the bytes durable."""
        os.fdatasync(self._descriptor)

    def truncate(self, size: int) -> None:
        """Cut the file off at `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def size(self) -> int:
        """Length in bytes."""
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Close the descriptor, once."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class SystemFiles:
    """The operating system's files."""

    def open(self, path: Path, *, create: bool = False) -> SystemFile:
        """Open for reading and writing."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        return SystemFile(os.open(path, flags, FILE_MODE))

    def make_directory(self, path: Path) -> None:
        """Make the directory, and make its own name durable, and those of the parents that were missing."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        self.fsync_directory(path.parent)

    def fsync_directory(self, path: Path) -> None:
        """Make the directory's names durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name."""
        path.rename(to)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def list_names(self, path: Path) -> list[str]:
        """Names in a directory, sorted."""
        return sorted(os.listdir(path))  # noqa: PTH208 (names, not paths)

    def free_bytes(self, path: Path) -> int:
        """Bytes an ordinary user may still write."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def lock(self, path: Path) -> SystemFile:
        """Take `flock`: the kernel gives it back however the process ends."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise SpoolInUse(f"{path.parent}: another process has this spool open") from error
        return SystemFile(descriptor)
