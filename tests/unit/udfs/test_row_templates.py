"""Frames read by template become the same rows as frames read one by one."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import RecordKey, heartbeat, seal, unseal
from schemas.proto.envelope_pb2 import EventEnvelope, SampleBlock
from tests.builders import APPEND_MS, START_US, FrameBuilder, scalar_records
from tests.unit.udfs.test_table_blocks import batch_of
from udfs import frame_rows
from udfs.frame_rows import rawframes_block
from udfs.row_templates import varints
from udfs.table_blocks import Block

LONG = np.arange(300.0)[:, None]
"""Samples that are cut out before frames are compared."""


def read(values: list[bytes | None], *, fewest_for_template: int) -> Block:
    with patch.object(frame_rows, "FEWEST_FRAMES_FOR_TEMPLATE", fewest_for_template):
        return rawframes_block(batch_of(values))


def content(block: Block) -> dict[str, Any]:
    """All that a block says, comparable: NaN as text, values with their Python types."""
    return {
        "columns": {name: (column.dtype, list(map(repr, column.tolist()))) for name, column in block.columns.items()},
        "rows": block.rows.tolist(),
        "rejected": {row: str(error) for row, error in block.rejected.items()},
        "others": (block.topic_id, block.batch_size, block.skipped),
    }


def damaged(value: bytes, damage: tuple[int, int] | None, resealed: bool) -> bytes:
    """The value with one bit flipped, with a CRC that says so or one that does not."""
    if damage is None:
        return value
    spoiled = bytearray(value)
    spoiled[damage[0] % len(spoiled)] ^= 1 << damage[1]
    return bytes(spoiled[:-4]) + zlib.crc32(spoiled[:-4]).to_bytes(4, "little") if resealed else bytes(spoiled)


SEQUENCES = st.one_of(st.integers(1, 200), st.integers(0, 2**64 - 1))
FRAMES = st.builds(
    FrameBuilder,
    tenant_id=st.sampled_from(["lab", "lab", "bal"]),
    device_id=st.sampled_from(["walker-1", "walker-2", "other"]),
    session_id=st.sampled_from(["s-1", "s-2"]),
    site_id=st.sampled_from(["home", "home", "", "gä"]),
    sequence=SEQUENCES,
    start_us=st.one_of(st.integers(START_US, START_US + 10**9), st.integers(0, 4 * 10**15)),
    session_start_ms=st.sampled_from([0, START_US // 1000, START_US // 1000 - 1]),
    resent=st.sampled_from([False, False, True]),
    samples=st.sampled_from([np.array([[20.0]]), np.array([[np.nan]]), LONG, LONG + 1.0]),
)
BEAT = heartbeat(RecordKey("lab", "ticker", "heartbeat", "STATUS"), "boot", 0, APPEND_MS).value
DAMAGE = st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 400), st.integers(0, 7)))
VALUES = st.one_of(
    st.builds(lambda frame, *how: damaged(frame.record().value, *how), FRAMES, DAMAGE, st.booleans()),
    st.sampled_from([BEAT, b"", None]),
)


ALIKE = FRAMES.flatmap(
    lambda frame: st.lists(
        st.builds(
            lambda sequence, *how: damaged(replace(frame, sequence=sequence).record().value, *how),
            st.integers(frame.sequence, frame.sequence + 9).map(lambda sequence: min(sequence, 2**64 - 1)),
            DAMAGE,
            st.booleans(),
        ),
        min_size=3,
        max_size=12,
    )
)


def assert_same_rows(values: list[bytes | None]) -> None:
    assert content(read(values, fewest_for_template=2)) == content(read(values, fewest_for_template=10**9))


@given(st.lists(VALUES, max_size=20), ALIKE, ALIKE)
def test_reading_by_template_and_one_by_one_give_the_same_rows(
    others: list[bytes | None], some: list[bytes | None], more: list[bytes | None]
) -> None:
    assert_same_rows([*some, *others, *more])


@pytest.mark.parametrize("samples", [np.array([[20.0]]), LONG])
@pytest.mark.parametrize("resealed", [True, False])
@pytest.mark.parametrize("bit", range(8))
def test_any_bit_of_a_frame_read_by_template_means_what_it_means_alone(samples: Any, bit: int, resealed: bool) -> None:
    """Every frame has another bit flipped, and a CRC that fits or does not."""
    frames = [FrameBuilder(sequence=index + 128, samples=samples).record().value for index in range(220)]
    places = [*range(110), *range(-1, -111, -1)]
    spoiled = [damaged(frame, (place, bit), resealed) for place, frame in zip(places, frames, strict=True)]
    assert_same_rows([frames[0], *spoiled])


def envelopes() -> list[EventEnvelope]:
    return [FrameBuilder(sequence=index + 1).envelope() for index in range(10)]


def test_event_id_in_capitals_is_the_same_event() -> None:
    frames = envelopes()
    for envelope in frames[1::2]:
        envelope.event_id = envelope.event_id.upper()
    assert_same_rows([seal(envelope) for envelope in frames])


def test_texts_that_are_not_ascii_are_read() -> None:
    frames = envelopes()
    for envelope, site in zip(frames, ["gä", "gö", "ä1", "abc", "x\0y"] * 2, strict=True):
        envelope.site_id = site
    assert_same_rows([seal(envelope) for envelope in frames])


def test_payload_whose_fields_stand_in_another_order_is_read() -> None:
    frames = envelopes()
    for envelope in frames:
        block = SampleBlock.FromString(envelope.payload)
        start = SampleBlock(start_us=block.start_us).SerializeToString()
        block.ClearField("start_us")
        envelope.payload = block.SerializeToString() + start
    assert_same_rows([seal(envelope) for envelope in frames])


def test_most_frames_of_a_fleet_are_read_by_template() -> None:
    values: list[bytes | None] = [
        record.value for device in range(100, 140) for record in scalar_records(50, device_id=f"device-{device}")
    ]
    with patch.object(frame_rows, "unseal", wraps=unseal) as opened:
        assert len(rawframes_block(batch_of(values))) == len(values)
    assert opened.call_count < 60


@given(st.lists(st.integers(0, 2**56 - 1), min_size=1, max_size=20))
def test_varints_are_the_numbers_that_were_written(numbers: list[int]) -> None:
    width = max(1, *((number.bit_length() + 6) // 7 for number in numbers))
    places = 7 * np.arange(width)
    written = ((np.array(numbers)[:, None] >> places) & 0x7F).astype(np.uint8)
    written[:, :-1] |= 0x80
    assert varints(written).tolist() == numbers
