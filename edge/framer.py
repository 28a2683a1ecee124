"""The framer: cuts a source into SampleBlocks and wraps each in the envelope in which it travels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edge.identity import Identity
from edge.sources.source import Source
from schemas.envelope import MAX_FRAME_BYTES, SCHEMA_VERSION, Record, make_event_id, to_record
from schemas.proto.envelope_pb2 import SAMPLE_BLOCK, EventEnvelope, SampleBlock
from schemas.samples import encode_float32, encode_scaled_int16

EVENT_TYPE = "samples"
_US_PER_S = 1_000_000
_BLOCK_BYTES = MAX_FRAME_BYTES * 3 // 4
"""The values of a block at most: the frame also holds the channel names and the envelope."""


class BlockEncoding(StrEnum):
    """How the values of a block are written."""

    FLOAT32 = "float32"
    """Every sample to single precision; a centi-newton below 131 kN comes back exactly after rounding."""
    SCALED_INT16 = "scaled_int16"
    """Half the bytes, but values are rounded to the step `int16_scale` and limited to 32767 steps."""

    @property
    def item_bytes(self) -> int:
        """Bytes of one value."""
        return 2 if self is BlockEncoding.SCALED_INT16 else 4


@dataclass(frozen=True, slots=True)
class Framing:
    """How a source is cut.

    Attributes:
        block_s: length of a block; rounded to whole samples, at least one, and less where a frame cannot hold more.
        int16_scale: step of `SCALED_INT16` in the sensor's unit. 0.1 N reaches 3,276 N and is wrong by at most
            0.05 N. The data's own step of 0.01 N would reach only 327 N, and single insole sensors pass 1,100 N:
            so no scale is lossless for gait, and float32 is the default.
    """

    block_s: float = 1.0
    encoding: BlockEncoding = BlockEncoding.FLOAT32
    int16_scale: float = 0.1

    def block_samples(self, source: Source) -> int:
        """Samples per block of a source."""
        most = _BLOCK_BYTES // (self.encoding.item_bytes * len(source.channels))
        return max(1, min(round(self.block_s * source.sample_rate_hz), most))


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring samples of a source: [n, channels], the first of them counted from 0."""

    first_sample: int
    samples: NDArray[np.float64]

    @property
    def end_sample(self) -> int:
        """The sample after the last one."""
        return self.first_sample + len(self.samples)


def cut_blocks(pieces: Iterable[NDArray[np.float64]], block_samples: int) -> Iterator[Block]:
    """Blocks of `block_samples`, the last one may be shorter; how the pieces were cut does not matter."""
    first_sample = 0
    held: NDArray[np.float64] | None = None
    for piece in pieces:
        rows = piece if held is None else np.concatenate((held, piece))
        whole = len(rows) - len(rows) % block_samples
        for begin in range(0, whole, block_samples):
            yield Block(first_sample, rows[begin : begin + block_samples])
            first_sample += block_samples
        held = rows[whole:]
    if held is not None and len(held):
        yield Block(first_sample, held)


class Framer:
    """Turns the samples of one source into records.

    Args:
        source: where the samples come from.
        identity: the names under which they are sent.
        start_ms: wall clock in ms since the epoch at the source's own zero; its first sample is `start_s` later.
        framing: block length and encoding.
    """

    def __init__(self, source: Source, identity: Identity, *, start_ms: int, framing: Framing) -> None:
        self._source = source
        self._identity = identity
        self._framing = framing
        self._start_us = start_ms * 1_000 + round(source.start_s * _US_PER_S)

    def blocks(self) -> Iterator[Block]:
        """The blocks of the source in order."""
        return cut_blocks(self._source.pieces(), self._framing.block_samples(self._source))

    def time_us(self, sample: int) -> int:
        """Sensor time of a sample in microseconds, from its number and not from the block before: no drift."""
        # A float of this size is off by up to half a microsecond before it is rounded.
        return self._start_us + round(Fraction(sample * _US_PER_S) / Fraction(self._source.sample_rate_hz))

    def envelope(
        self, block: Block, *, sequence: int, taken_ms: int | None = None, resent: bool = False
    ) -> EventEnvelope:
        """Wrap one block.

        Args:
            block: one of `blocks()`.
            sequence: of the event; counts from 0 over all events of the device within its boot id.
            taken_ms: when the agent took the block; by default the end of the block in sensor time, the first
                moment at which a live agent has it, so that the bytes depend on nothing but the arguments.
            resent: whether this event may have been sent before.

        Raises:
            InvalidMessage: if a value does not fit into the int16 of the framing.
        """
        who, source = self._identity, self._source
        start_us = self.time_us(block.first_sample)
        return EventEnvelope(
            event_id=make_event_id(who.tenant_id, who.device_id, who.boot_id, sequence),
            schema_version=SCHEMA_VERSION,
            event_type=EVENT_TYPE,
            tenant_id=who.tenant_id,
            site_id=who.site_id,
            device_id=who.device_id,
            session_id=who.session_id,
            sensor_type=source.sensor_type,
            sensor_timestamp_ms=start_us // 1_000,
            session_start_ms=self._start_us // 1_000,
            ingest_timestamp_ms=self.time_us(block.end_sample) // 1_000 if taken_ms is None else taken_ms,
            boot_id=who.boot_id,
            sequence=sequence,
            resent=resent,
            payload_type=SAMPLE_BLOCK,
            payload=self._payload(block, start_us),
        )

    def record(self, block: Block, *, sequence: int, taken_ms: int | None = None, resent: bool = False) -> Record:
        """The block as a Kafka record; see `envelope`.

        Raises:
            InvalidMessage: if the block does not fit into a frame.
        """
        return to_record(self.envelope(block, sequence=sequence, taken_ms=taken_ms, resent=resent))

    def _payload(self, block: Block, start_us: int) -> bytes:
        payload = self._encode(block.samples)
        payload.start_us = start_us
        payload.sample_rate_hz = self._source.sample_rate_hz
        payload.channels.extend(self._source.channels)
        payload.unit = self._source.unit
        return payload.SerializeToString(deterministic=True)

    def _encode(self, samples: NDArray[np.float64]) -> SampleBlock:
        if self._framing.encoding is BlockEncoding.SCALED_INT16:
            return encode_scaled_int16(samples, self._framing.int16_scale)
        return encode_float32(samples)
