"""The generated frames are what our own validation calls good, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from bench.frames import frame_record, mean_sum, session_start_ms, session_values
from bench.workloads import FRAMES_PER_SESSION, SCALAR, WAVEFORM, WORKLOADS, Workload
from schemas.envelope import make_event_id, unseal
from schemas.headers import SENSOR_MS
from schemas.proto.envelope_pb2 import SampleBlock
from udfs.frames import validate_frames

each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)


def records_of(workload: Workload, session: int) -> list:
    values = session_values(workload, 7, session)
    return [frame_record(workload, session, frame, values[frame]) for frame in range(FRAMES_PER_SESSION)]


@each_workload
def test_every_frame_passes_our_own_validation(workload: Workload) -> None:
    records = records_of(workload, workload.concurrent_sessions + 3)
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers[SENSOR_MS] for record in records],
        [1_760_000_000_000] * len(records),
    )
    assert verdicts.reason == [None] * FRAMES_PER_SESSION
    assert all(summary is not None for summary in verdicts.summary)


@each_workload
def test_event_ids_are_those_of_the_edge_and_all_different(workload: Workload) -> None:
    sessions = (0, 1, workload.concurrent_sessions)
    envelopes = [unseal(record.value) for session in sessions for record in records_of(workload, session)]
    assert len({envelope.event_id for envelope in envelopes}) == len(sessions) * FRAMES_PER_SESSION
    for envelope in envelopes:
        identity = (envelope.tenant_id, envelope.device_id, envelope.boot_id, envelope.sequence)
        assert envelope.event_id == make_event_id(*identity)


@each_workload
def test_a_devices_sessions_follow_each_other_under_names_of_their_own(workload: Workload) -> None:
    first = unseal(records_of(workload, 0)[-1].value)
    second = unseal(records_of(workload, workload.concurrent_sessions)[0].value)
    assert (first.device_id, first.session_id != second.session_id) == (second.device_id, True)
    assert second.sensor_timestamp_ms > first.sensor_timestamp_ms + 1_000


@each_workload
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_values(workload: Workload) -> None:
    assert records_of(workload, 5) == records_of(workload, 5)
    assert not np.array_equal(session_values(workload, 7, 5), session_values(workload, 8, 5))


def test_the_mean_sum_is_the_sum_of_the_means_of_the_channels_as_sent() -> None:
    values = session_values(WAVEFORM, 7, 2)
    sent = [SampleBlock.FromString(unseal(record.value).payload).data for record in records_of(WAVEFORM, 2)]
    samples = np.frombuffer(b"".join(sent), dtype="<f4").reshape(-1, len(WAVEFORM.channels))
    by_channel = [float(np.mean(samples[:, channel].astype(np.float64))) for channel in range(samples.shape[1])]
    assert mean_sum(values) == pytest.approx(sum(by_channel), rel=1e-12)


def test_a_session_begins_with_its_wave() -> None:
    assert session_start_ms(SCALAR, 0) == session_start_ms(SCALAR, SCALAR.concurrent_sessions - 1)
    assert session_start_ms(SCALAR, SCALAR.concurrent_sessions) > session_start_ms(SCALAR, 0)
