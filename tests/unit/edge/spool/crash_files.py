"""A file system in memory that can lose its power, fill up and fail: `edge.spool.files.Files` for tests.

What POSIX promises and no more: bytes are on the disk after `fdatasync`, names after `fsync_directory`. At a crash each
sector that was not synced is there or not, the length is the old or the new one or between them, and each name that was
not synced is there or not; the chances are drawn from the seed. A sync that fails calls its sectors clean: no later one
writes them, though every reader sees them until the crash.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.spool.errors import SpoolInUse


class PowerCut(Exception):  # noqa: N818 (it is what happens)
    """The machine is off: raised in the middle of whatever was going on."""


SECTOR_BYTES = 32
"""What the disk writes whole. Small, so that a record of a test is torn in many places."""


@dataclass
class Inode:
    """A file: what a reader sees, what is on the disk, and the sectors that differ because they are not synced."""

    content: bytearray = field(default_factory=bytearray)
    disk: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)

    def write(self, data: bytes, offset: int) -> None:
        self.content.extend(bytes(max(0, offset - len(self.content))))
        self.content[offset : offset + len(data)] = data
        self.dirty.update(range(offset // SECTOR_BYTES, (offset + len(data) + SECTOR_BYTES - 1) // SECTOR_BYTES))

    def truncate(self, size: int) -> None:
        del self.content[size:]
        self.content.extend(bytes(size - len(self.content)))

    def write_sectors(self, sectors: list[int], size: int) -> None:
        """These sectors reach the disk, and the file is `size` bytes long there."""
        del self.disk[size:]
        self.disk.extend(bytes(size - len(self.disk)))
        for sector in sectors:
            begin = sector * SECTOR_BYTES
            end = min(begin + SECTOR_BYTES, len(self.content), size)
            if begin < end:
                self.disk[begin:end] = self.content[begin:end]


class CrashFiles:
    """One disk.

    Attributes:
        before: called before each change with its name; it may raise OSError or PowerCut.
        reported_free_bytes: what `free_bytes` says; a quota of the user, say, may leave less.
        unlucky: nothing that was not synced reaches the disk.
        capacity_bytes: of all files together; more is ENOSPC, after a part was written.
        calls: the names of all changes so far.
    """

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.names: dict[Path, Inode] = {}
        self.disk_names: dict[Path, Inode] = {}
        self.locked: set[Path] = set()
        self.unlucky = False
        self.reported_free_bytes = 1 << 40
        self.capacity_bytes = 1 << 40
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self.calls: list[str] = []
        self.epoch = 0

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.before(call)

    def used_bytes(self) -> int:
        return sum(len(inode.content) for inode in self.names.values())

    def crash(self) -> None:
        """Cut the power: what was not synced is there by chance, and every open file is gone."""
        names = dict(self.disk_names)
        for path in sorted(self.names.keys() | self.disk_names.keys()):
            if self.names.get(path) is self.disk_names.get(path) or self.unlucky:
                continue
            if self.random.random() < 0.5:
                if path in self.names:
                    names[path] = self.names[path]
                else:
                    del names[path]
        for inode in {id(inode): inode for inode in [*self.names.values(), *names.values()]}.values():
            self.forget_unsynced(inode)
            inode.content = bytearray(inode.disk)
        self.names, self.disk_names = names, dict(names)
        self.locked.clear()
        self.epoch += 1

    def kill(self) -> None:
        """The process ends, the machine goes on: what it wrote is seen by the next, synced or not."""
        self.locked.clear()
        self.epoch += 1

    def write_back(self) -> None:
        """The kernel writes what it likes: each unsynced sector reaches the disk or stays unsynced."""
        for inode in self.names.values():
            written = self._some(inode.dirty)
            inode.write_sectors(written, max(len(inode.disk), len(inode.content)))
            inode.dirty -= set(written)

    def forget_unsynced(self, inode: Inode) -> None:
        """Some of the unsynced sectors reach the disk, and the others never will."""
        sizes = sorted((len(inode.disk), len(inode.content)))
        if self.unlucky:
            sizes = sizes[:1]
        inode.write_sectors(
            self._some(inode.dirty), self.random.choice([*sizes, self.random.randint(sizes[0], sizes[-1])])
        )
        inode.dirty.clear()

    def _some(self, sectors: set[int]) -> list[int]:
        if self.unlucky:
            return []
        chance = self.random.choice([0.0, 0.5, 0.9, 1.0])
        return [sector for sector in sorted(sectors) if self.random.random() < chance]

    def open(self, path: Path, *, create: bool = False) -> CrashFile:
        if path not in self.names:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            self.note(f"create {path.suffix or path.name}")
            self.names[path] = Inode()
            self.after("create")
        return CrashFile(self, self.names[path])

    def make_directory(self, path: Path) -> None:
        del path

    def fsync_directory(self, path: Path) -> None:
        self.note("fsync_directory")
        self.disk_names = dict(self.names)
        self.after("fsync_directory")

    def rename(self, path: Path, to: Path) -> None:
        self.note("rename")
        self.names[to] = self.names.pop(path)
        self.after("rename")

    def unlink(self, path: Path) -> None:
        self.note("unlink")
        del self.names[path]
        self.after("unlink")

    def list_names(self, path: Path) -> list[str]:
        return sorted(name.name for name in self.names if name.parent == path)

    def free_bytes(self, path: Path) -> int:
        del path
        return self.reported_free_bytes

    def lock(self, path: Path) -> LockFile:
        if path in self.locked:
            raise SpoolInUse(f"{path.parent}: in use")
        self.locked.add(path)
        return LockFile(self, path)


class CrashFile:
    """An open file on it; dead after a crash."""

    def __init__(self, files: CrashFiles, inode: Inode) -> None:
        self._files = files
        self._inode = inode
        self._epoch = files.epoch

    def pwrite(self, data: bytes, offset: int) -> None:
        self._begin("pwrite")
        growth = max(0, offset + len(data) - len(self._inode.content))
        free = self._files.capacity_bytes - self._files.used_bytes()
        if growth > free:
            data = data[: max(0, len(data) - growth + max(0, free))]
        self._inode.write(data, offset)
        if growth > free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._files.after("pwrite")

    def pread(self, size: int, offset: int) -> bytes:
        assert self._epoch == self._files.epoch
        return bytes(self._inode.content[offset : offset + size])

    def fdatasync(self) -> None:
        try:
            self._begin("fdatasync")
        except OSError:
            # The kernel reports the error once and takes the sectors for clean.
            self._files.forget_unsynced(self._inode)
            raise
        self._inode.write_sectors(sorted(self._inode.dirty), len(self._inode.content))
        self._inode.dirty.clear()
        self._files.after("fdatasync")

    def truncate(self, size: int) -> None:
        self._begin("truncate")
        self._inode.truncate(size)
        self._files.after("truncate")

    def size(self) -> int:
        return len(self._inode.content)

    def close(self) -> None:
        pass

    def _begin(self, call: str) -> None:
        assert self._epoch == self._files.epoch, "a file of before the crash is used"
        self._files.note(call)


class LockFile:
    """Gives the lock back when it is closed."""

    def __init__(self, files: CrashFiles, path: Path) -> None:
        self._files = files
        self._path = path

    def close(self) -> None:
        self._files.locked.discard(self._path)
