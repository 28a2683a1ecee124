"""Validation: a batch of Kafka records in, for each a verdict and, if it is good, its summary out.

Frames of one shape are opened together, by template; odd ones singly. Everything that touches samples, times
or flags runs on whole groups of frames of one layout.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import CRC_RESIDUE
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import DEVICE_STATUS, FLOAT64, SCALED_INT16
from udfs.layouts import Layout
from udfs.records import event_digest, open_block, open_record
from udfs.shapes import rows_of_one_length
from udfs.summaries import (
    FLAG_CLOCK_AHEAD,
    FLAG_CLOCK_UNSET,
    FLAG_FIRST_BUCKET,
    FLAG_RESENT,
    Extremes,
    fill_moments,
    frame_extremes,
    frame_moments,
    pack_summaries,
    summary_dtype,
)
from udfs.wire import Columns, Template, learn, match

LONGEST_SESSION_MS = 30 * 60 * 1000
"""A session is cut here; counted from the envelope's session_start_ms."""

YEAR_2000_MS = 946_684_800_000
CLOCK_AHEAD_MS = 5 * 60 * 1000

FEWEST_FRAMES_FOR_TEMPLATE = 8
MOST_TEMPLATES = 8
CACHE_VALUES = 65_536


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What validation says of a batch, in the order of the batch.

    Attributes:
        reason: None for a good frame, else the reason code.
        detail: the offending value and its place, None for a good frame.
        bucket_ms: where the frame's longest-session bucket begins in sensor time, 0 where there is none.
        summary: the packed frame summary (`udfs.summaries`); None for bad frames, for device status, and if not wanted.
    """

    reason: list[str | None]
    detail: list[str | None]
    bucket_ms: NDArray[np.int64]
    summary: list[bytes | None]

    def refusals(self) -> list[str | None]:
        """`reason: detail` of each bad frame, None of a good one."""
        if not any(self.reason):
            return self.reason
        return [reason and f"{reason}: {detail}" for reason, detail in zip(self.reason, self.detail, strict=True)]


def validate_frames(
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    sensor_ms: Sequence[bytes | None],
    append_ms: Sequence[int] | NDArray[np.int64],
    *,
    summarise: bool = True,
) -> Verdicts:
    """Checks every record of a batch.

    Frames are read by template where several have one shape, else one by one; both ways give the same verdicts.

    Args:
        keys: of the records.
        values: of the records.
        sensor_ms: their header of that name.
        append_ms: the broker's append time.
        summarise: whether summaries are wanted; the verdicts are the same without.
    """
    count = len(keys)
    verdicts = Verdicts([None] * count, [None] * count, np.zeros(count, dtype=np.int64), [None] * count)
    batch = _Batch(
        _present(keys), _present(values), _present(sensor_ms), np.asarray(append_ms, dtype=np.int64), summarise
    )
    for rows in rows_of_one_length(batch.keys, batch.values, batch.sensor_ms):
        _validate_alike(batch, rows, verdicts)
    return verdicts


class _Batch(NamedTuple):
    keys: list[bytes]
    values: list[bytes]
    sensor_ms: list[bytes]
    append_ms: NDArray[np.int64]
    summarise: bool


def _present(parts: Sequence[bytes | None]) -> list[bytes]:
    return [part or b"" for part in parts]


def _validate_alike(batch: _Batch, rows: NDArray[np.intp], verdicts: Verdicts) -> None:
    """Validates rows of one length: by templates while they pay, the rest one by one."""
    for _ in range(MOST_TEMPLATES):
        if len(rows) < FEWEST_FRAMES_FOR_TEMPLATE:
            break
        # Every round opens one frame the ordinary way; that frame is done, whatever it teaches.
        opened = _open(batch, int(rows[0]), verdicts)
        rows = rows[1:]
        if opened is None:
            continue
        layout, columns, template = opened
        _judge(layout, columns, batch, verdicts)
        if template is not None:
            rows = _validate_by_template(template, batch, rows, verdicts)
    _validate_singly(batch, rows, verdicts)


def _validate_by_template(
    template: Template, batch: _Batch, rows: NDArray[np.intp], verdicts: Verdicts
) -> NDArray[np.intp]:
    """Validates the rows that match and returns those that do not."""
    keys, values, sensor_ms = (_take(parts, rows) for parts in (batch.keys, batch.values, batch.sensor_ms))
    sealed = np.fromiter(map(zlib.crc32, values), np.uint32, len(values)) == CRC_RESIDUE
    matched, columns = match(template, _matrix(keys), _matrix(values), _matrix(sensor_ms))
    good = matched & sealed
    if not sealed.all():
        columns = Columns._make(column[sealed[columns.rows]] for column in columns)
    if good.any():
        _judge(template.layout, columns._replace(rows=rows[columns.rows]), batch, verdicts)
    unread: NDArray[np.intp] = rows[~good]
    return unread


def _take(parts: list[bytes], rows: NDArray[np.intp]) -> list[bytes]:
    """The parts of ascending rows; as a rule they are all of a batch but the one that taught the template."""
    first, end = int(rows[0]), int(rows[-1]) + 1
    return parts[first:end] if end - first == len(rows) else [parts[row] for row in rows.tolist()]


def _matrix(parts: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(len(parts), -1)


def _validate_singly(batch: _Batch, rows: NDArray[np.intp], verdicts: Verdicts) -> None:
    groups: dict[Layout, list[Columns]] = defaultdict(list)
    for row in rows.tolist():
        opened = _open(batch, row, verdicts, want_template=False)
        if opened is not None:
            groups[opened[0]].append(opened[1])
    for layout, frames in groups.items():
        columns = Columns._make(np.concatenate(parts) for parts in zip(*frames, strict=True))
        _judge(layout, columns, batch, verdicts)


def _open(
    batch: _Batch, row: int, verdicts: Verdicts, *, want_template: bool = True
) -> tuple[Layout, Columns, Template | None] | None:
    """Opens one frame with protobuf; None for a bad one, which gets its reason, and for device status."""
    value = batch.values[row]
    try:
        envelope = open_record(batch.keys[row], value, batch.sensor_ms[row])
        if envelope.payload_type == DEVICE_STATUS:
            return None
        layout, block = open_block(envelope)
        event = event_digest(envelope.event_id)
    except InvalidMessage as error:
        _reject(verdicts, row, error)
        return None
    columns = Columns(
        np.array([row]),
        np.frombuffer(event, dtype=">u8").astype(np.uint64)[None, :],
        np.array([block.start_us]),
        np.array([envelope.session_start_ms]),
        np.array([envelope.resent]),
        np.frombuffer(block.data, dtype=np.uint8)[None, :],
        np.array([block.scale]),
        np.array([block.offset]),
    )
    return layout, columns, learn(value, envelope, block, layout) if want_template else None


def _judge(layout: Layout, columns: Columns, batch: _Batch, verdicts: Verdicts) -> None:
    for first in range(0, len(columns.rows), frames_in_cache(layout)):
        part = slice(first, first + frames_in_cache(layout))
        _judge_part(layout, Columns._make(column[part] for column in columns), batch, verdicts)


def _judge_part(layout: Layout, columns: Columns, batch: _Batch, verdicts: Verdicts) -> None:
    values = sample_values(layout, columns)
    extremes = frame_extremes(values)
    # NaN makes both comparisons false and an infinity is outside any range: one test finds all three.
    good = (extremes.least >= layout.sensor.valid_min).all(axis=1)
    good &= (extremes.greatest <= layout.sensor.valid_max).all(axis=1)
    if not good.all():
        for index in np.flatnonzero(~good):
            _reject(verdicts, int(columns.rows[index]), _value_error(layout, values[index]))
        columns, values = Columns._make(column[good] for column in columns), values[good]
        extremes = Extremes._make(part[good] for part in extremes)
    if len(columns.rows) == 0:
        return
    records, bucket_ms = _records(layout, columns, batch.append_ms[columns.rows])
    verdicts.bucket_ms[columns.rows] = bucket_ms
    if batch.summarise:
        fill_moments(records, layout.columns, frame_moments(values), extremes)
        for row, packed in zip(columns.rows.tolist(), pack_summaries(records), strict=True):
            verdicts.summary[row] = packed


def frames_in_cache(layout: Layout) -> int:
    """How many frames to work on at a time: their values should stay in the processor's second-level cache."""
    return max(1, CACHE_VALUES // (layout.samples * len(layout.channels)))


def _records(
    layout: Layout, columns: Columns, append_ms: NDArray[np.int64]
) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """The summaries without their moments, and the bucket of each frame."""
    records = np.zeros(len(columns.rows), dtype=summary_dtype(len(layout.sensor.channels)))
    sensor_ms = columns.start_us // 1000
    elapsed_ms = sensor_ms - columns.session_start_ms
    records["event_high"], records["event_low"] = columns.events[:, 0], columns.events[:, 1]
    records["start_us"] = columns.start_us
    records["end_us"] = columns.start_us + layout.duration_us
    records["append_ms"] = append_ms
    records["sample_rate_hz"] = layout.sample_rate_hz
    records["samples"] = layout.samples
    records["flags"] = (
        np.where(columns.resent, FLAG_RESENT, 0)
        | np.where(sensor_ms > append_ms + CLOCK_AHEAD_MS, FLAG_CLOCK_AHEAD, 0)
        | np.where(sensor_ms < YEAR_2000_MS, FLAG_CLOCK_UNSET, 0)
        | np.where(elapsed_ms < LONGEST_SESSION_MS, FLAG_FIRST_BUCKET, 0)
    )
    return records, sensor_ms - elapsed_ms % LONGEST_SESSION_MS


def sample_values(layout: Layout, columns: Columns) -> NDArray[np.float64]:
    """The values of frames of one layout, shape [frames, channels, samples], in the sensor's unit."""
    shape = (len(columns.rows), layout.samples, len(layout.channels))
    if layout.encoding == SCALED_INT16:
        steps = columns.data.view("<i2").reshape(shape).transpose(0, 2, 1)
        return np.ascontiguousarray(steps * columns.scale[:, None, None] + columns.offset[:, None, None])
    kind = "<f8" if layout.encoding == FLOAT64 else "<f4"
    return columns.data.view(kind).reshape(shape).transpose(0, 2, 1).astype(np.float64, order="C")


def _value_error(layout: Layout, values: NDArray[np.float64]) -> InvalidMessage:
    sensor = layout.sensor
    wrong = ~((values >= sensor.valid_min) & (values <= sensor.valid_max))
    sample, channel = (int(index) for index in np.argwhere(wrong.T)[0])
    value = float(values[channel, sample])
    place = f"channel {layout.channels[channel]}, sample {sample}"
    if not np.isfinite(value):
        return InvalidMessage(Reason.NON_FINITE_VALUE, f"{value} at {place}")
    return InvalidMessage(
        Reason.VALUE_OUT_OF_RANGE, f"{value} {sensor.unit} at {place}, valid {sensor.valid_min}..{sensor.valid_max}"
    )


def _reject(verdicts: Verdicts, row: int, error: InvalidMessage) -> None:
    verdicts.reason[row] = error.reason.value
    verdicts.detail[row] = error.detail
