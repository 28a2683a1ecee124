"""How samples are cut into blocks and how a block's values are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schemas.envelope import MAX_FRAME_BYTES

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
    """How samples are cut.

    Attributes:
        block_s: length of a block; rounded to whole samples, at least one, and less where a frame cannot hold more.
        int16_scale: step of `SCALED_INT16` in the sensor's unit. 0.1 N reaches 3,276 N and is wrong by at most
            0.05 N. The data's own step of 0.01 N would reach only 327 N, and single insole sensors pass 1,100 N:
            so no scale is lossless for gait, and float32 is the default.
    """

    block_s: float = 1.0
    encoding: BlockEncoding = BlockEncoding.FLOAT32
    int16_scale: float = 0.1

    def block_samples(self, channels: int, sample_rate_hz: float) -> int:
        """Samples per block of so many channels."""
        most = _BLOCK_BYTES // (self.encoding.item_bytes * channels)
        return max(1, min(round(self.block_s * sample_rate_hz), most))
