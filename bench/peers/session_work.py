"""What every peer computes of a session when it closes: the work, not the way of doing it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import orjson

from schemas.proto.envelope_pb2 import SAMPLE_BLOCK, EventEnvelope, SampleBlock

GAP_US = 5_000_000


class Frame(NamedTuple):
    """What a peer keeps of a frame: sensor time of its first sample, and its samples as they came."""

    start_us: int
    sample_rate_hz: float
    channels: int
    data: bytes


def decode(value: bytes) -> Frame | None:
    """The frame of an envelope; None for a heartbeat."""
    envelope = EventEnvelope.FromString(value)
    if envelope.payload_type != SAMPLE_BLOCK:
        return None
    return decode_block(envelope.payload)


def decode_block(payload: bytes) -> Frame:
    """The frame of a payload."""
    block = SampleBlock.FromString(payload)
    return Frame(block.start_us, block.sample_rate_hz, len(block.channels), block.data)


def describe_session(key: str, frames: Sequence[Frame]) -> bytes:
    """Extent and per-channel mean, standard deviation, least and greatest value, as JSON."""
    first, last = min(frames), max(frames)
    samples = np.frombuffer(b"".join(frame.data for frame in frames), dtype="<f4").reshape(-1, first.channels)
    values = samples.astype(np.float64)
    end_us = last.start_us + round(len(last.data) / 4 / last.channels * 1e6 / last.sample_rate_hz)
    tenant, device, session, sensor = key.split("/")
    row: dict[str, Any] = {
        "tenant_id": tenant,
        "device_id": device,
        "session_id": session,
        "sensor_type": sensor,
        "session_start_ms": first.start_us // 1000,
        "session_end_ms": -(-end_us // 1000),
        "frames": len(frames),
        "samples": len(values),
        "channel_mean": values.mean(axis=0),
        "channel_std": values.std(axis=0),
        "channel_min": values.min(axis=0),
        "channel_max": values.max(axis=0),
    }
    return orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)


def cut_at_gaps(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames in the order of sensor time, cut where two neighbours are further apart than the gap."""
    ordered = sorted(frames)
    times = np.array([frame.start_us for frame in ordered])
    cuts = [0, *(np.flatnonzero(np.diff(times) > GAP_US) + 1).tolist(), len(ordered)]
    return [ordered[begin:end] for begin, end in pairwise(cuts)]
