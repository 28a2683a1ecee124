"""The peers compute what our own session rows say, from the same bytes."""

from __future__ import annotations

import json

import pytest

from bench.frames import frame_record, mean_sum, session_values
from bench.peers.session_work import cut_at_gaps, decode, describe_session
from bench.workloads import FRAMES_PER_SESSION, WORKLOADS, Workload
from schemas.envelope import STATUS_SENSOR, RecordKey, heartbeat
from schemas.headers import SENSOR_MS
from udfs.frames import validate_frames
from udfs.sessions import FrameGroup, summarize_sessions

each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)


@each_workload
def test_a_peers_row_equals_ours(workload: Workload) -> None:
    values = session_values(workload, 3, 4)
    records = [frame_record(workload, 4, frame, values[frame]) for frame in range(FRAMES_PER_SESSION)]
    frames = [frame for record in records if (frame := decode(record.value))]
    theirs = json.loads(describe_session(records[0].key.decode(), frames))
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers[SENSOR_MS] for record in records],
        [0] * len(records),
    )
    summaries = [summary for summary in verdicts.summary if summary is not None]
    group = FrameGroup(RecordKey.from_bytes(records[0].key), int(verdicts.bucket_ms[0]), summaries)
    ((ours,),) = summarize_sessions([group])
    for name in ("session_id", "session_start_ms", "session_end_ms", "frames", "samples"):
        assert theirs[name] == ours[name], name
    for name in ("channel_mean", "channel_std", "channel_min", "channel_max"):
        assert theirs[name] == pytest.approx(list(ours[name]), rel=1e-9), name
    assert sum(theirs["channel_mean"]) == pytest.approx(mean_sum(values), rel=1e-12)


def test_a_heartbeat_is_no_frame() -> None:
    record = heartbeat(RecordKey("brain", "ticker-0", "heartbeat", STATUS_SENSOR), "boot", 0, 1_760_000_000_000)
    assert decode(record.value) is None


@each_workload
def test_frames_in_any_order_are_cut_only_at_long_silences(workload: Workload) -> None:
    values = session_values(workload, 3, 0)
    frames = [decode(frame_record(workload, 0, frame, values[frame]).value) for frame in (9, 0, 1, 3, 8)]
    cut = cut_at_gaps([frame for frame in frames if frame is not None])
    first_us = cut[0][0].start_us
    assert [[(frame.start_us - first_us) // 1_000_000 for frame in part] for part in cut] == [[0, 1, 3, 8, 9]]
    wider = [frame for frame in frames if frame is not None and (frame.start_us - first_us) not in (3_000_000,)]
    assert [len(part) for part in cut_at_gaps(wider)] == [2, 2]
