"""The frames of a workload: a pure function of workload, seed, session number and frame number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.workloads import FRAME_MS, FRAMES_PER_SESSION, WAVE_MS, Workload
from schemas.envelope import SCHEMA_VERSION, Record, make_event_id, to_record
from schemas.proto.envelope_pb2 import FLOAT32, SAMPLE_BLOCK, EventEnvelope, SampleBlock

FIRST_SENSOR_MS = 1_760_000_000_000
"""Sensor time of the first frame, 2025-10-09: fixed, so that every run has the same bytes."""

TENANT = "bench"
_US_PER_MS = 1_000
_MS_PER_S = 1_000


def session_values(workload: Workload, seed: int, session: int) -> NDArray[np.float32]:
    """The samples of one session, shape [FRAMES_PER_SESSION, samples, channels]."""
    random = np.random.default_rng((seed, session))
    shape = (FRAMES_PER_SESSION, workload.samples, len(workload.channels))
    values = random.random(shape, dtype=np.float32) * np.float32(workload.high - workload.low)
    return values + np.float32(workload.low)


def mean_sum(values: NDArray[np.float32]) -> float:
    """The means of a session's channels, added up: what a contender's own answer is compared with."""
    return float(values.astype(np.float64).mean(axis=(0, 1)).sum())


def session_start_ms(workload: Workload, session: int) -> int:
    """Sensor time at which a session begins: all sessions of a wave begin together."""
    return FIRST_SENSOR_MS + session // workload.concurrent_sessions * WAVE_MS


def frame_record(workload: Workload, session: int, frame: int, values: NDArray[np.float32]) -> Record:
    """One sealed frame as a Kafka record.

    Args:
        workload: whose sensor it is.
        session: number from 0; a device has one session in each wave.
        frame: number within the session, from 0.
        values: the frame's samples, shape [samples, channels].
    """
    wave, place = divmod(session, workload.concurrent_sessions)
    device, boot = f"device-{place:06d}", "boot-0"
    start_ms = session_start_ms(workload, session)
    sensor_ms = start_ms + frame * FRAME_MS
    sequence = wave * FRAMES_PER_SESSION + frame
    block = SampleBlock(
        start_us=sensor_ms * _US_PER_MS,
        sample_rate_hz=workload.samples * _MS_PER_S / FRAME_MS,
        channels=workload.channels,
        unit=workload.unit,
        encoding=FLOAT32,
        sample_count=workload.samples,
        data=values.tobytes(),
    )
    return to_record(
        EventEnvelope(
            event_id=make_event_id(TENANT, device, boot, sequence),
            schema_version=SCHEMA_VERSION,
            event_type="samples",
            tenant_id=TENANT,
            site_id="bench",
            device_id=device,
            session_id=f"session-{session:08d}",
            sensor_type=workload.sensor_type,
            sensor_timestamp_ms=sensor_ms,
            session_start_ms=start_ms,
            ingest_timestamp_ms=sensor_ms + FRAME_MS,
            boot_id=boot,
            sequence=sequence,
            payload_type=SAMPLE_BLOCK,
            payload=block.SerializeToString(deterministic=True),
        )
    )
