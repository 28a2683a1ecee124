"""A file of lines that only grows: what cannot be sent or read is kept in one, durable before anybody is told."""

from __future__ import annotations

from pathlib import Path

from edge.spool.errors import SpoolFull, disk_error
from edge.spool.files import Files


class LinesFile:
    """One such file.

    Args:
        path: of the file; it is made by the first line.
        max_bytes: at most so long.
        setting: by which name that is set.
        files: the file system.
    """

    def __init__(self, path: Path, max_bytes: int, setting: str, files: Files) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._setting = setting
        self._files = files

    def append(self, lines: bytes) -> None:
        """Add whole lines, durable on return. Written again after a crash they stand there twice.

        Raises:
            SpoolFull, SpoolFailed: they are not there.
        """
        try:
            file = self._files.open(self._path, create=True)
            try:
                size = file.size()
                if size + len(lines) > self._max_bytes:
                    raise SpoolFull(
                        f"{self._path.name} has {size} bytes, {self._setting} is {self._max_bytes}: move it away"
                    )
                torn = size > 0 and file.pread(1, size - 1) != b"\n"
                file.pwrite(b"\n" * torn + lines, size)
                file.fdatasync()
            finally:
                file.close()
            self._files.fsync_directory(self._path.parent)
        except OSError as error:
            raise disk_error(self._path.name, error) from error
