"""Sessions: frames that belong together in arrival are sorted by sensor time, freed of duplicates and cut at gaps.

The result is a function of the set of frames: order of arrival, duplicates and replay speed change nothing
but the columns that tell of the arrival itself (`Row.arrival`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import RecordKey
from schemas.rows import RowValues
from schemas.sensors import SENSORS, Sensor
from udfs.frames import LONGEST_SESSION_MS
from udfs.layouts import MICROSECONDS
from udfs.summaries import (
    FLAG_CLOCK_AHEAD,
    FLAG_CLOCK_UNSET,
    FLAG_FIRST_BUCKET,
    FLAG_RESENT,
    merge_moments,
    unpack_summaries,
)

# Wider than a bucket plus the longest block: shifts the times of different groups apart.
_GROUP_SHIFT = 34


@dataclass(frozen=True, slots=True)
class FrameGroup:
    """The frames of one key and longest-session bucket that arrived without an idle pause.

    Attributes:
        key: of all its records.
        bucket_ms: where its bucket begins in sensor time.
        summaries: packed summaries of none, one or several frames each, in any order, duplicates included.
    """

    key: RecordKey
    bucket_ms: int
    summaries: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class SessionCut:
    """Where each session lies in an array of frames sorted by group, start and event.

    Attributes:
        order: indices of the distinct frames, sorted; shape [frames].
        starts: for each session the position in `order` of its first frame; shape [sessions].
        copies: how often each frame of `order` came again; shape [frames].
        gap_before_us: sensor time missing before each frame of `order`, 0 at the start of a session.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    copies: NDArray[np.intp]
    gap_before_us: NDArray[np.int64]


def summarize_sessions(groups: Sequence[FrameGroup]) -> list[list[RowValues]]:
    """The `session-features` rows of each group, in the order of the groups.

    Groups of one sensor type are worked on together; a row is assembled in Python for each session.
    """
    rows: list[list[RowValues]] = [[] for _ in groups]
    by_sensor: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        if any(group.summaries):
            by_sensor.setdefault(group.key.sensor_type, []).append(index)
    for sensor_type, members in by_sensor.items():
        _summarize_sensor(SENSORS[sensor_type], groups, members, rows)
    return rows


def _summarize_sensor(
    sensor: Sensor, groups: Sequence[FrameGroup], members: list[int], rows: list[list[RowValues]]
) -> None:
    packed = [b"".join(groups[index].summaries) for index in members]
    frames = unpack_summaries(packed, len(sensor.channels))
    group_of = np.repeat(np.arange(len(members)), [len(summaries) // frames.itemsize for summaries in packed])
    cut = cut_sessions(frames, group_of, sensor.session_gap_ms * 1000)
    kept = frames.take(cut.order)
    count, mean, std = merge_moments(kept, cut.starts)
    least = np.minimum.reduceat(np.where(kept["count"] > 0, kept["min"], np.inf), cut.starts, axis=0)
    greatest = np.maximum.reduceat(np.where(kept["count"] > 0, kept["max"], -np.inf), cut.starts, axis=0)
    member_of = group_of[cut.order][cut.starts]
    columns = _session_columns(kept, cut)
    bucket_ms = np.array([groups[index].bucket_ms for index in members])[member_of]
    columns["cut"] = _bucket_cuts(columns, bucket_ms, columns.pop("first_bucket"), sensor.session_gap_ms)
    described = zip(*(column.tolist() for column in columns.values()), strict=True)
    for session, (member, values) in enumerate(zip(member_of.tolist(), described, strict=True)):
        present = count[session] > 0
        row = groups[members[member]].key._asdict()
        row.update(zip(columns, values, strict=True))
        row["channels"] = list(compress(sensor.channel_names, present))
        row["channel_mean"], row["channel_std"] = mean[session][present], std[session][present]
        row["channel_min"], row["channel_max"] = least[session][present], greatest[session][present]
        rows[members[member]].append(row)


def cut_sessions(frames: NDArray[np.void], group_of: NDArray[np.intp], gap_us: int) -> SessionCut:
    """Sorts, removes duplicates (by event) and cuts where sensor time is silent for longer than `gap_us`.

    Args:
        frames: with fields event_high, event_low, start_us, end_us, sample_rate_hz; shape [n].
        group_of: the group of each frame, never descending; groups are never joined, and the starts of one lie within
            a bucket of each other.
        gap_us: the longest silence inside a session.
    """
    order = _frame_order(frames, group_of)
    sorted_frames, sorted_groups = frames.take(order), group_of[order]
    # Copies of one event have one start, so sorting puts them side by side.
    same = (
        (np.diff(sorted_groups) == 0)
        & (sorted_frames["event_high"][1:] == sorted_frames["event_high"][:-1])
        & (sorted_frames["event_low"][1:] == sorted_frames["event_low"][:-1])
    )
    first_copies = np.flatnonzero(np.concatenate(([True], ~same)))
    copies = np.diff(np.append(first_copies, len(order))) - 1
    order = order[first_copies]
    kept, groups = sorted_frames.take(first_copies), sorted_groups[first_copies]
    first_of_group = np.concatenate(([True], np.diff(groups) != 0))
    group_start = kept["start_us"][first_of_group][np.cumsum(first_of_group) - 1]
    shift = groups.astype(np.int64) << _GROUP_SHIFT
    covered = np.maximum.accumulate(kept["end_us"] - group_start + shift) - shift + group_start
    silence = np.zeros(len(kept), dtype=np.int64)
    silence[1:] = kept["start_us"][1:] - covered[:-1]
    is_start = first_of_group | (silence > gap_us)
    return SessionCut(order, np.flatnonzero(is_start), copies, np.where(is_start, 0, silence))


def _frame_order(frames: NDArray[np.void], group_of: NDArray[np.intp]) -> NDArray[np.intp]:
    """The order by group, start and event.

    One number holds group and start, and frames mostly arrive sorted by it: a tenth of the time of sorting by all.
    """
    is_first = np.concatenate(([True], np.diff(group_of) != 0))
    start_us = frames["start_us"]
    earliest = np.minimum.reduceat(start_us, np.flatnonzero(is_first))[np.cumsum(is_first) - 1]
    place = (group_of.astype(np.int64) << _GROUP_SHIFT) + (start_us - earliest)
    order: NDArray[np.intp] = np.argsort(place, kind="stable")
    if not np.all(np.diff(place[order]) > 0):
        order = np.lexsort((frames["event_low"], frames["event_high"], place))
    return order


def _session_columns(kept: NDArray[np.void], cut: SessionCut) -> dict[str, NDArray[Any]]:
    starts = cut.starts

    def total(values: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = np.add.reduceat(values, starts)
        return result

    samples = total(kept["samples"].astype(np.int64))
    missing = np.rint(np.maximum(cut.gap_before_us, 0) * kept["sample_rate_hz"] / MICROSECONDS).astype(np.int64)
    is_gap = missing > 0
    expected = samples + total(np.where(is_gap, missing, 0))
    start_us, end_us = kept["start_us"][starts], np.maximum.reduceat(kept["end_us"], starts)
    flags = np.bitwise_or.reduceat(kept["flags"], starts)
    frames = np.diff(np.append(starts, len(kept)))
    return {
        "session_start_ms": start_us // 1000,
        "session_end_ms": -(-end_us // 1000),
        "revision": frames,
        "frames": frames,
        "last_append_ms": np.maximum.reduceat(kept["append_ms"], starts),
        "duplicate_frames": total(cut.copies),
        "resent_frames": total((kept["flags"] & FLAG_RESENT).astype(np.int64)),
        "samples": samples,
        "expected_samples": expected,
        "gaps": total(is_gap.astype(np.int64)),
        "gap_ms": total(np.where(is_gap, cut.gap_before_us, 0)) / 1000,
        "completeness": samples / expected,
        "sample_rate_hz": _sample_rate_hz(kept, starts, samples, end_us - start_us),
        "duration_s": (end_us - start_us) / MICROSECONDS,
        "clock": np.select(
            [(flags & FLAG_CLOCK_AHEAD) > 0, (flags & FLAG_CLOCK_UNSET) > 0], ["ahead", "unset"], default="ok"
        ),
        "first_bucket": (flags & FLAG_FIRST_BUCKET) > 0,
    }


def _sample_rate_hz(
    kept: NDArray[np.void], starts: NDArray[np.intp], samples: NDArray[Any], span_us: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Samples per covered second; for readings without a rate the mean rate of arrival; NaN for a lone one."""
    covered_us = np.add.reduceat(kept["end_us"] - kept["start_us"], starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        nominal = samples * MICROSECONDS / covered_us
        spaced = np.where(span_us > 0, (samples - 1) * MICROSECONDS / span_us, np.nan)
    rate: NDArray[np.float64] = np.where(covered_us > 0, nominal, spaced)
    return rate


def _bucket_cuts(
    columns: Mapping[str, NDArray[Any]], bucket_ms: NDArray[np.int64], first_bucket: NDArray[np.bool_], gap_ms: int
) -> NDArray[np.str_]:
    """Where the longest-session limit may have cut each session: it touches an end of its bucket."""
    head = ~first_bucket & (columns["session_start_ms"] - bucket_ms <= gap_ms)
    tail = bucket_ms + LONGEST_SESSION_MS - columns["session_end_ms"] <= gap_ms
    return np.select([head & tail, head, tail], ["both", "head", "tail"], default="none")
