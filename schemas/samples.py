"""SampleBlock: evenly spaced samples of one sensor as bytes, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import FLOAT32, FLOAT64, SCALED_INT16, CounterReading, SampleBlock

INT16_MAX = 32_767
COUNTER_CHANNEL = "value"
ITEM_BYTES: dict[int, int] = {FLOAT32: 4, SCALED_INT16: 2, FLOAT64: 8}


def encode_float32(samples: NDArray[np.float64]) -> SampleBlock:
    """Packs samples [n, channels] as float32; start, rate, channels and unit are left to the caller."""
    data = np.ascontiguousarray(samples, dtype="<f4")
    return SampleBlock(encoding=FLOAT32, sample_count=len(data), data=data.tobytes())


def encode_float64(samples: NDArray[np.float64]) -> SampleBlock:
    """Packs samples [n, channels] as float64, as `encode_float32` does."""
    data = np.ascontiguousarray(samples, dtype="<f8")
    return SampleBlock(encoding=FLOAT64, sample_count=len(data), data=data.tobytes())


def counter_block(reading: CounterReading) -> SampleBlock:
    """A counter's reading as a block of one sample without a rate."""
    block = encode_float64(np.array([[reading.value]]))
    block.start_us, block.unit = reading.reading_us, reading.unit
    block.channels.append(COUNTER_CHANNEL)
    return block


def encode_scaled_int16(samples: NDArray[np.float64], scale: float) -> SampleBlock:
    """Packs samples [n, channels] as int16 steps of `scale`.

    Raises:
        InvalidMessage: if a value does not fit into 16 bits of this scale.
    """
    raw = np.rint(samples / scale)
    if not np.all(np.abs(raw) <= INT16_MAX):
        raise InvalidMessage(Reason.VALUE_OUT_OF_RANGE, f"max |value| {np.abs(samples).max()} over 32767 x {scale}")
    return SampleBlock(
        encoding=SCALED_INT16, sample_count=len(raw), scale=scale, data=np.ascontiguousarray(raw, dtype="<i2").tobytes()
    )


def decode_samples(block: SampleBlock) -> NDArray[np.float64]:
    """The values of a block that `udfs.frames` has validated, shape [sample_count, channels], in its unit."""
    shape = (block.sample_count, len(block.channels))
    if block.encoding == SCALED_INT16:
        return np.frombuffer(block.data, dtype="<i2").reshape(shape) * block.scale + block.offset
    return (
        np.frombuffer(block.data, dtype="<f8" if block.encoding == FLOAT64 else "<f4").reshape(shape).astype(np.float64)
    )
