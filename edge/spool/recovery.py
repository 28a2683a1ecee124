"""Opening a spool: what the last life left on the disk becomes a ledger, a catalog and a place to go on.

The scan of the files is trusted over the cursor. Only the last segment is read: damage in the others is found, and
counted, when they are read for sending.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from edge.spool.catalog import Catalog, Segment
from edge.spool.directory import SpoolDirectory
from edge.spool.files import File
from edge.spool.ledger import Ledger
from edge.spool.segment import HEADER_BYTES, STREAM_ID_BYTES, Header, Scan, append_ms_of, group_begin_of, scan

LOG = logging.getLogger(__name__)

NO_END = 2**63


@dataclass(slots=True)
class Recovered:
    """Attributes are those of the state; `file` is the open last segment, None if a new one is to be begun."""

    ledger: Ledger
    catalog: Catalog
    file: File | None


def recover(
    directory: SpoolDirectory, loaded: Ledger | None, *, now_ms: int, entropy: Callable[[int], bytes]
) -> Recovered:
    """Bring the files into a state in which appending and reading can go on.

    Args:
        directory: locked.
        loaded: the cursor's ledger; None if it is missing or damaged: then all that exists counts as unsent.
        now_ms: dates segments whose header is damaged.
        entropy: names a new stream (`os.urandom`).

    Raises:
        OSError: if the disk refuses; what was done until then is safe to do again.
        SpoolFormatError: if a segment is of a newer version.
    """
    headers = {base: directory.read_header(base) for base in directory.bases()}
    stream_id = _most_common_stream(headers)
    if loaded and stream_id not in (None, loaded.stream_id):
        LOG.error("the cursor belongs to another spool than the segments beside it: not used")
        loaded = None
    if loaded:
        stream_id = loaded.stream_id
    stream_id = stream_id or entropy(STREAM_ID_BYTES)
    catalog = Catalog()
    for base, (header, size) in headers.items():
        if header is not None and header.stream_id != stream_id:
            LOG.error("segment %d belongs to another spool: set aside", base)
            directory.set_aside(base)
            continue
        if header is None:
            LOG.error("segment %d: its header is damaged; its records are read all the same", base)
        catalog.segments.append(Segment(base, header.created_ms if header else now_ms, max(size, HEADER_BYTES)))
    ledger = loaded or _ledger_without_cursor(stream_id, catalog)
    if catalog.segments:
        # What lies before the first segment was settled before it was removed, or its file has vanished.
        _lose(ledger, 0, catalog.segments[0].base)
    return Recovered(ledger, catalog, _recover_tail(directory, ledger, catalog))


def _most_common_stream(headers: dict[int, tuple[Header | None, int]]) -> bytes | None:
    streams = Counter(header.stream_id for header, _ in headers.values() if header is not None)
    return streams.most_common(1)[0][0] if streams else None


def _ledger_without_cursor(stream_id: bytes, catalog: Catalog) -> Ledger:
    """Nobody knows what was sent: all that exists may have been. What is gone was acknowledged or dropped."""
    ledger = Ledger(stream_id)
    if catalog.segments:
        LOG.error("the cursor is missing or damaged: everything in the spool is sent again")
        ledger.settled.add(0, catalog.segments[0].base)
        ledger.handed_out.add(0, NO_END)
    return ledger


def _recover_tail(directory: SpoolDirectory, ledger: Ledger, catalog: Catalog) -> File | None:
    """Find the first free position and cut off what is torn; returns the last segment, if it can be gone on with."""
    known_end = max(ledger.durable_end, ledger.settled.end)
    file, end = _open_last(directory, ledger, catalog) if catalog.segments else (None, 0)
    ledger.durable_end = max(end, known_end)
    _lose(ledger, end, ledger.durable_end)
    ledger.handed_out.remove(ledger.durable_end, max(ledger.handed_out.end, ledger.durable_end))
    if file is not None and end < ledger.durable_end:
        # A segment has no room for a gap of positions: a new one is begun behind it.
        file.close()
        file = None
    directory.files.fsync_directory(directory.path)
    return file


def _open_last(directory: SpoolDirectory, ledger: Ledger, catalog: Catalog) -> tuple[File, int]:
    """The last segment, cut off behind its last good record, and the position behind that.

    One without any record is kept: its name says that all positions before it were durable.
    """
    segment = catalog.segments[-1]
    data = directory.read_segment(segment.base, HEADER_BYTES, segment.durable_bytes)
    found = scan(data, segment.base, NO_END)
    _save_bad(directory, ledger, segment.base, found, data)
    file = directory.open_segment(segment.base)
    size = HEADER_BYTES + found.good_end
    if file.size() > size:
        LOG.warning("segment %d: %d bytes of a torn write cut off", segment.base, file.size() - size)
        file.truncate(size)
    file.pwrite(Header(ledger.stream_id, segment.base, segment.created_ms).to_bytes(), 0)
    # Records that a killed process had written and not synced count from now on. Written again, because after a sync
    # that failed the kernel shows them and calls them clean, though the disk does not have them.
    uncertain = bisect_left(found.positions, ledger.durable_end)
    if uncertain < len(found.positions):
        begin = found.offsets[uncertain]
        file.pwrite(data[begin : found.good_end], HEADER_BYTES + begin)
    file.fdatasync()
    segment.durable_bytes = size
    _settle_gaps(ledger, segment.base, found)
    for position, payload in zip(found.positions, found.payloads, strict=True):
        segment.note_time(position, append_ms_of(payload))
    return file, found.positions[-1] + 1 if found.positions else segment.base


def _settle_gaps(ledger: Ledger, base: int, found: Scan) -> None:
    """What is missing was committed, and is lost, if a later group was written; else its commit was cut off."""
    if not found.positions:
        return
    committed_end = max(ledger.durable_end, group_begin_of(found.positions[-1], found.payloads[-1]))
    for begin, end in found.gaps(base):
        _lose(ledger, begin, min(end, committed_end))
        torn = ledger.settled.missing(max(begin, committed_end), end)
        ledger.torn += sum(last - first for first, last in torn)
        ledger.settled.update(torn)


def _save_bad(directory: SpoolDirectory, ledger: Ledger, base: int, found: Scan, data: bytes) -> None:
    for begin, end in found.bad:
        bad = data[begin:end]
        if bad.strip(b"\0"):
            ledger.corrupt_bytes += directory.save_corrupt(base, HEADER_BYTES + begin, bad)


def _lose(ledger: Ledger, begin: int, end: int) -> None:
    for first, last in ledger.give_up(ledger.lost, begin, end):
        LOG.error("positions %d to %d were durable and are gone: lost", first, last - 1)
