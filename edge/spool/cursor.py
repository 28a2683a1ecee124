"""The cursor file: the ledger on disk, in two slots of fixed size that are written in turn.

A slot is magic 4, length u32, generation u64, CRC u32 of all but itself, then the ledger. A write that is torn spoils
one slot, and the other still holds the state before it: the cursor may lag, it never leads. Both slots are written
when the file is made, so a full disk does not stop it on a file system that overwrites in place.
"""

from __future__ import annotations

import logging
import struct
from zlib import crc32

from edge.spool.directory import CURSOR_NAME, SpoolDirectory
from edge.spool.errors import disk_error
from edge.spool.files import File
from edge.spool.ledger import MAX_LEDGER_BYTES, Ledger

LOG = logging.getLogger(__name__)

SLOT_BYTES = 16 * 1024
SLOTS = 2
_MAGIC = b"BCU1"
_SLOT = struct.Struct("<4sIQI")

if _SLOT.size + MAX_LEDGER_BYTES > SLOT_BYTES:
    raise AssertionError(f"a ledger of {MAX_LEDGER_BYTES} bytes does not fit into a slot of {SLOT_BYTES}")


def encode_slot(generation: int, ledger: Ledger) -> bytes:
    """A slot as it stands in the file, without the rest up to its fixed size."""
    body = ledger.to_bytes()
    head = _SLOT.pack(_MAGIC, len(body), generation, 0)
    return _SLOT.pack(_MAGIC, len(body), generation, crc32(body, crc32(head))) + body


def decode_slot(data: bytes) -> tuple[int, Ledger] | None:
    """Generation and ledger of a slot; None if it is not whole."""
    if len(data) < _SLOT.size:
        return None
    magic, length, generation, crc = _SLOT.unpack_from(data)
    body = data[_SLOT.size : _SLOT.size + length]
    head = _SLOT.pack(_MAGIC, length, generation, 0)
    if magic != _MAGIC or length > MAX_LEDGER_BYTES or len(body) != length or crc != crc32(body, crc32(head)):
        return None
    return generation, Ledger.from_bytes(body)


class CursorFile:
    """The cursor of one spool; the caller keeps threads apart.

    Args:
        directory: where it stands; the file is made if it is missing.

    Attributes:
        loaded: the newest ledger found when it was opened; None if there was none that is whole.

    Raises:
        SpoolFull, SpoolFailed: if it cannot be made.
    """

    def __init__(self, directory: SpoolDirectory) -> None:
        try:
            self._file: File = directory.files.open(directory.path / CURSOR_NAME, create=True)
            slots = [decode_slot(self._file.pread(SLOT_BYTES, slot * SLOT_BYTES)) for slot in range(SLOTS)]
            self._preallocate(directory)
            whole = [slot for slot in slots if slot is not None]
            self._generation: int
            self.loaded: Ledger | None
            self._generation, self.loaded = max(whole, key=lambda slot: slot[0], default=(0, None))
            if self.loaded is not None:
                # If its sync had failed, the kernel would show it though the disk does not have it: write it again.
                self._write(self._generation, self.loaded)
        except OSError as error:
            raise disk_error(f"{directory.path / CURSOR_NAME}: open", error) from error

    def _preallocate(self, directory: SpoolDirectory) -> None:
        """Fill what is missing behind the end: a slot that is there stays."""
        size = self._file.size()
        if size != SLOTS * SLOT_BYTES:
            self._file.pwrite(bytes(max(0, SLOTS * SLOT_BYTES - size)), size)
            self._file.truncate(SLOTS * SLOT_BYTES)
            self._file.fdatasync()
        # Always: an earlier life may have been killed just before it made the name durable.
        directory.files.fsync_directory(directory.path)

    def save(self, ledger: Ledger) -> None:
        """Store a bounded ledger and return when it is durable.

        Raises:
            SpoolFull, SpoolFailed: the state before this one is still there; the next save takes the same slot.
        """
        generation = self._generation + 1
        try:
            self._write(generation, ledger)
        except OSError as error:
            raise disk_error("cursor: write", error) from error
        self._generation = generation

    def _write(self, generation: int, ledger: Ledger) -> None:
        self._file.pwrite(encode_slot(generation, ledger), generation % SLOTS * SLOT_BYTES)
        self._file.fdatasync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
