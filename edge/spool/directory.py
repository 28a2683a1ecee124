"""The spool's files by name: what is where in the directory, and in which order names become durable."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from edge.spool.files import File, Files
from edge.spool.segment import HEADER_BYTES, Header

LOG = logging.getLogger(__name__)

LOCK_NAME = "spool.lock"
CURSOR_NAME = "cursor"
REJECTED_NAME = "rejected.jsonl"
_SEGMENT_NAME = re.compile(r"(\d{20})\.seg")

MAX_CORRUPT_BYTES = 16 * 1024 * 1024
"""Of bad bytes kept for an examination; more are only counted and logged."""
_SECTOR_BYTES = 4_096


class SpoolDirectory:
    """One directory with one spool.

    Args:
        path: made if it is missing.
        files: the file system.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self.files = files

    def bases(self) -> list[int]:
        """The base positions of the segments that exist, rising."""
        matches = map(_SEGMENT_NAME.fullmatch, self.files.list_names(self.path))
        return sorted(int(match[1]) for match in matches if match)

    def segment_path(self, base: int) -> Path:
        """Where the segment of this base position stands."""
        return self.path / f"{base:020d}.seg"

    def open_segment(self, base: int) -> File:
        """An existing segment."""
        return self.files.open(self.segment_path(base))

    def create_segment(self, header: Header) -> File:
        """A new segment with a durable header and a durable name: only now a record may be written into it."""
        file = self.files.open(self.segment_path(header.base), create=True)
        try:
            file.truncate(0)
            file.pwrite(header.to_bytes(), 0)
            file.fdatasync()
            self.files.fsync_directory(self.path)
        except OSError:
            file.close()
            raise
        return file

    def remove_segments(self, bases: list[int]) -> None:
        """Remove segments and make that durable."""
        for base in bases:
            self.files.unlink(self.segment_path(base))
        if bases:
            self.files.fsync_directory(self.path)

    def set_aside(self, base: int) -> None:
        """Rename a segment of another stream, so that it is neither read nor overwritten."""
        path = self.segment_path(base)
        self.files.rename(path, path.with_suffix(".foreign"))
        self.files.fsync_directory(self.path)

    def read_segment(self, base: int, begin: int, end: int) -> bytes:
        """The bytes `[begin, end)` of a segment; sectors that the disk cannot read come as zeros."""
        file = self.open_segment(base)
        try:
            return file.pread(end - begin, begin)
        except OSError as error:
            LOG.warning("%s: %s; reading around it", self.segment_path(base), error.strerror)
            return _read_around(file, begin, end)
        finally:
            file.close()

    def read_header(self, base: int) -> tuple[Header | None, int]:
        """The header of a segment, if it is whole, and the size of the file in bytes."""
        file = self.open_segment(base)
        try:
            return Header.from_bytes(file.pread(HEADER_BYTES, 0)), file.size()
        finally:
            file.close()

    def save_corrupt(self, base: int, offset: int, data: bytes) -> int:
        """Keep bad bytes beside the segment; returns how many were kept newly. That it fails is only logged."""
        path = self.path / f"{base:020d}-{offset}.corrupt"
        try:
            kept = {name: self._size(name) for name in self.files.list_names(self.path) if name.endswith(".corrupt")}
            if kept.get(path.name) == len(data) or sum(kept.values()) + len(data) > MAX_CORRUPT_BYTES:
                return 0
            file = self.files.open(path, create=True)
            try:
                file.pwrite(data, 0)
                file.fdatasync()
            finally:
                file.close()
            self.files.fsync_directory(self.path)
        except OSError as error:
            LOG.warning("%s: %d bad bytes could not be saved: %s", path, len(data), error.strerror)
            return 0
        return len(data)

    def _size(self, name: str) -> int:
        file = self.files.open(self.path / name)
        try:
            return file.size()
        finally:
            file.close()


def _read_around(file: File, begin: int, end: int) -> bytes:
    parts: list[bytes] = []
    for offset in range(begin, end, _SECTOR_BYTES):
        size = min(_SECTOR_BYTES, end - offset)
        try:
            parts.append(file.pread(size, offset).ljust(size, b"\0"))
        except OSError:
            parts.append(bytes(size))
    return b"".join(parts)
