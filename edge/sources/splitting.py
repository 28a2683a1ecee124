"""A byte stream cut into messages; every byte ends up in exactly one message or in exactly one rejected piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from edge.sources.checksums import ChecksumKind, checksum, checksum_bytes
from edge.sources.format_settings import FramesSettings, LinesSettings, SplitSettings
from schemas.errors import InvalidMessage, Reason

LONGEST_PIECE_BYTES = 4_096
"""Bytes without a message are rejected in pieces of this length, so that noise does not fill the memory."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its original bytes, and the part that the format reads."""

    raw: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no message, and why."""

    raw: bytes
    error: InvalidMessage


Piece = Message | Malformed


class Splitter(Protocol):
    """Cuts one connection's bytes."""

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are complete with these bytes; the rest waits for more."""
        ...

    def end(self) -> Iterator[Piece]:
        """The connection is lost: what waited is rejected, and the next bytes begin anew."""
        ...


def make_splitter(settings: SplitSettings) -> Splitter:
    """The splitter of a source."""
    return LineSplitter(settings) if isinstance(settings, LinesSettings) else FrameSplitter(settings)


class LineSplitter:
    """Lines; empty ones hold nothing and are passed over."""

    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self._terminator = settings.terminator.encode("ascii")
        self._waiting = bytearray()
        self._searched = 0
        self._doubtful = not settings.first_is_whole
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        """See `Splitter`."""
        self._waiting += data
        while (end := self._waiting.find(self._terminator, self._searched)) >= 0:
            raw = bytes(self._waiting[: end + len(self._terminator)])
            self._keep_from(len(raw))
            yield from self._line(raw)
        self._searched = max(0, len(self._waiting) - len(self._terminator) + 1)
        # A terminator may have begun within the last bytes: those are kept.
        while self._searched > self._settings.max_bytes:
            raw = bytes(self._waiting[: min(self._searched, LONGEST_PIECE_BYTES)])
            self._too_long = True
            searched = self._searched - len(raw)
            self._keep_from(len(raw))
            self._searched = searched
            yield self._oversized(raw)

    def end(self) -> Iterator[Piece]:
        """See `Splitter`."""
        raw = bytes(self._waiting)
        self._keep_from(len(raw))
        self._doubtful, self._too_long = not self._settings.first_is_whole, False
        if raw:
            yield Malformed(raw, _malformed("the connection ended within a line"))

    def _keep_from(self, begin: int) -> None:
        del self._waiting[:begin]
        self._searched = 0

    def _line(self, raw: bytes) -> Iterator[Piece]:
        body = raw[: -len(self._terminator)]
        doubtful, too_long = self._doubtful, self._too_long
        self._doubtful = self._too_long = False
        if too_long or len(body) > self._settings.max_bytes:
            yield self._oversized(raw)
        elif doubtful:
            yield Malformed(raw, _malformed("the first line after connecting may lack its beginning"))
        elif body.strip():
            yield Message(raw, body.removesuffix(b"\r") if self._terminator == b"\n" else body)

    def _oversized(self, raw: bytes) -> Malformed:
        limit = self._settings.max_bytes
        return Malformed(raw, InvalidMessage(Reason.OVERSIZED, f"part of a line of more than {limit} bytes"))


class FrameSplitter:
    """Binary frames: after a bad one the search goes on at its second byte, so no good one is lost with it."""

    def __init__(self, settings: FramesSettings) -> None:
        self._settings = settings
        self._checksum_bytes = checksum_bytes(settings.checksum)
        self._waiting = bytearray()
        self._noise = bytearray()
        self._complaint: InvalidMessage | None = None

    def feed(self, data: bytes) -> Iterator[Piece]:
        """See `Splitter`."""
        self._waiting += data
        while self._skip_to_sync():
            length = self._frame_bytes()
            if length is None or 0 < length > len(self._waiting):
                break
            complaint = self._complaint_about(length)
            if complaint is None:
                raw = bytes(self._waiting[:length])
                del self._waiting[:length]
                yield from self._reject_noise()
                yield Message(raw, raw[len(self._settings.sync_bytes) : length - self._checksum_bytes])
            else:
                self._complaint = self._complaint or complaint
                self._to_noise(1)
            if len(self._noise) >= LONGEST_PIECE_BYTES:
                yield from self._reject_noise()
        if len(self._noise) >= LONGEST_PIECE_BYTES:
            yield from self._reject_noise()

    def end(self) -> Iterator[Piece]:
        """See `Splitter`."""
        # What waited for the end of a frame may only have looked like one, with a true one behind it.
        while self._waiting:
            self._complaint = self._complaint or _malformed("the connection ended within a frame")
            self._to_noise(1)
            yield from self.feed(b"")
        yield from self._reject_noise()

    def _skip_to_sync(self) -> bool:
        """Whether `_waiting` begins with all sync bytes now."""
        sync = self._settings.sync_bytes
        begin = self._waiting.find(sync)
        if begin >= 0:
            self._to_noise(begin)
            return True
        # The last bytes may be the beginning of the next sync.
        kept = next(size for size in range(len(sync) - 1, -1, -1) if self._waiting.endswith(sync[:size]))
        self._to_noise(len(self._waiting) - kept)
        return False

    def _frame_bytes(self) -> int | None:
        """The length that the frame claims; None while its head is incomplete, 0 if it cannot be."""
        settings, field = self._settings, self._settings.length_field
        if field is None:
            return settings.length_bytes
        if len(self._waiting) < settings.head_bytes:
            return None
        claimed = int.from_bytes(self._waiting[field.offset : field.offset + field.size], field.byte_order) + field.adds
        return claimed if settings.shortest_bytes <= claimed <= settings.max_bytes else 0

    def _complaint_about(self, length: int) -> InvalidMessage | None:
        """What is wrong with the frame of this length at the beginning; None for a good one."""
        if length == 0:
            return _malformed(f"impossible length in a frame that begins {self._waiting[:16].hex()}")
        kind = self._settings.checksum
        if kind is ChecksumKind.NONE:
            return None
        begin = 0 if self._settings.checksum_covers_sync else len(self._settings.sync_bytes)
        end = length - self._checksum_bytes
        want = checksum(kind, bytes(self._waiting[begin:end]))
        got = int.from_bytes(self._waiting[end:length], self._settings.checksum_byte_order)
        if got == want:
            return None
        return InvalidMessage(Reason.CHECKSUM_MISMATCH, f"{kind.value} is {want:#x}, the frame has {got:#x}")

    def _to_noise(self, count: int) -> None:
        self._noise += self._waiting[:count]
        del self._waiting[:count]

    def _reject_noise(self) -> Iterator[Piece]:
        error = self._complaint or _malformed(f"no frame begins with {self._settings.sync} here")
        raw = bytes(self._noise)
        self._complaint = None
        self._noise.clear()
        for begin in range(0, len(raw), LONGEST_PIECE_BYTES):
            yield Malformed(raw[begin : begin + LONGEST_PIECE_BYTES], error)


def _malformed(detail: str) -> InvalidMessage:
    return InvalidMessage(Reason.MALFORMED_PAYLOAD, detail)
