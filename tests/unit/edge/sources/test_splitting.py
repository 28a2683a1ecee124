from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.checksums import ChecksumKind, checksum, checksum_bytes, crc16_modbus
from edge.sources.format_settings import FramesSettings, LengthField, LinesSettings, SplitSettings
from edge.sources.splitting import Malformed, Message, Piece, make_splitter
from schemas.errors import Reason

LINES = LinesSettings(first_is_whole=True)
FIXED = FramesSettings(kind="frames", sync="AA55", length_bytes=8, checksum=ChecksumKind.CRC16_MODBUS)
TOLD = FramesSettings(
    kind="frames",
    sync="424D",
    length_field=LengthField(offset=2, size=2, byte_order="big", adds=4),
    checksum=ChecksumKind.CRC32,
    checksum_byte_order="big",
)
BARE = FramesSettings(kind="frames", sync="7E", length_bytes=4)


def _frame(settings: FramesSettings, body: bytes) -> bytes:
    """A frame with this body (for `length_field`: behind the length)."""
    head = settings.sync_bytes
    if settings.length_field is not None:
        field = settings.length_field
        total = len(head) + field.size + len(body) + checksum_bytes(settings.checksum)
        head += (total - field.adds).to_bytes(field.size, field.byte_order)
    covered = head + body if settings.checksum_covers_sync else (head + body)[len(settings.sync_bytes) :]
    size = checksum_bytes(settings.checksum)
    return head + body + checksum(settings.checksum, covered).to_bytes(size, settings.checksum_byte_order)


def _split(settings: SplitSettings, *parts: bytes, end: bool = True) -> list[Piece]:
    splitter = make_splitter(settings)
    pieces = [piece for part in parts for piece in splitter.feed(part)]
    return pieces + list(splitter.end()) if end else pieces


def _bodies(pieces: list[Piece]) -> list[bytes]:
    return [piece.body for piece in pieces if isinstance(piece, Message)]


@given(
    st.sampled_from([LINES, LinesSettings(), LinesSettings(terminator=";;", max_bytes=7), FIXED, TOLD, BARE]),
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"1.5\r\n", b";;", _frame(FIXED, b"abcd"), _frame(TOLD, b"1234567"), b"\xaa\x55", b"BM"]),
        ),
        max_size=12,
    ),
)
def test_no_byte_is_lost_or_counted_twice(settings: SplitSettings, parts: list[bytes]) -> None:
    pieces = _split(settings, *parts)
    raw = b"".join(piece.raw for piece in pieces)
    if isinstance(settings, LinesSettings):
        # Only lines of white space hold nothing, and leave nothing.
        assert bytes(sorted(raw.translate(None, b" \t\r\n\v\f;"))) == bytes(
            sorted(b"".join(parts).translate(None, b" \t\r\n\v\f;"))
        )
    else:
        assert raw == b"".join(parts)


@given(st.sampled_from([LINES, FIXED, TOLD]), st.binary(max_size=200), st.data())
def test_it_does_not_matter_how_the_bytes_arrive(settings: SplitSettings, stream: bytes, data: st.DataObject) -> None:
    stream += b"21.5\n" + _frame(FIXED, b"abcd") + _frame(TOLD, b"xyz")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _bodies(_split(settings, *parts)) == _bodies(_split(settings, stream))


@given(st.sampled_from([FIXED, TOLD, BARE]), st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=8))
def test_frames_come_out_as_they_went_in(settings: FramesSettings, bodies: list[bytes]) -> None:
    bodies = [body[: (settings.length_bytes or 99) - len(settings.sync_bytes)] for body in bodies]
    if settings is BARE:
        bodies = [body[:3] for body in bodies]
    pieces = _split(settings, b"".join(_frame(settings, body) for body in bodies))
    skip = settings.length_field.size if settings.length_field else 0
    assert [body[skip:] for body in _bodies(pieces)] == bodies


@given(st.sampled_from([FIXED, TOLD]), st.binary(max_size=60))
def test_a_good_frame_is_found_behind_any_garbage(settings: FramesSettings, garbage: bytes) -> None:
    good = _frame(settings, b"good")
    pieces = _split(settings, garbage + good)
    assert any(piece.raw == good for piece in pieces if isinstance(piece, Message))


def test_one_flipped_bit_costs_one_frame_and_says_why() -> None:
    first, second, third = (bytearray(_frame(FIXED, body)) for body in (b"aaaa", b"bbbb", b"cccc"))
    second[3] ^= 0x10
    pieces = _split(FIXED, bytes(first + second + third))
    assert _bodies(pieces) == [b"aaaa", b"cccc"]
    (bad,) = [piece for piece in pieces if isinstance(piece, Malformed)]
    assert bad.raw == bytes(second)
    assert bad.error.reason is Reason.CHECKSUM_MISMATCH


def test_a_checksum_may_leave_out_the_sync_bytes() -> None:
    settings = FIXED.model_copy(update={"checksum_covers_sync": False})
    assert _bodies(_split(settings, _frame(settings, b"abcd"))) == [b"abcd"]
    assert _bodies(_split(settings, _frame(FIXED, b"abcd"))) == []


@pytest.mark.parametrize("kind", list(ChecksumKind))
def test_every_checksum_protects(kind: ChecksumKind) -> None:
    settings = FramesSettings(kind="frames", sync="AA55", length_bytes=6 + checksum_bytes(kind), checksum=kind)
    frame = _frame(settings, b"\x01\x02\x03\x04")
    assert _bodies(_split(settings, frame)) == [b"\x01\x02\x03\x04"]
    damaged = frame[:3] + bytes([frame[3] ^ 1]) + frame[4:]
    assert bool(_bodies(_split(settings, damaged))) is (kind is ChecksumKind.NONE)


def test_checksums_are_the_published_ones() -> None:
    # Check values of the catalogue of parametrised CRC algorithms.
    assert crc16_modbus(b"123456789") == 0x4B37
    assert checksum(ChecksumKind.CRC32, b"123456789") == 0xCBF43926 == zlib.crc32(b"123456789")
    assert checksum(ChecksumKind.SUM8, b"\xff\x02") == 1
    assert checksum(ChecksumKind.XOR, b"\xf0\x0f\x01") == 0xFE


def test_an_impossible_length_is_no_frame() -> None:
    bad = b"BM\xff\xff" + bytes(8)
    good = _frame(TOLD, b"abc")
    pieces = _split(TOLD, bad + good)
    assert [piece.raw for piece in pieces] == [bad, good]


def test_a_frame_behind_a_broken_one_is_found_when_the_connection_ends() -> None:
    torn = b"BM" + (400).to_bytes(2, "big") + b"torn"
    good = _frame(TOLD, b"abc")
    assert _bodies(_split(TOLD, torn + good, end=False)) == []
    assert len(_bodies(_split(TOLD, torn + good))) == 1


def test_lines_lose_their_ends_and_empty_ones_are_nothing() -> None:
    pieces = _split(LINES, b"1.5\r\n\r\n  \n2.5\n")
    assert _bodies(pieces) == [b"1.5", b"2.5"]
    assert len(pieces) == 2


def test_the_first_line_after_connecting_is_not_trusted() -> None:
    # "21.5" cut to "1.5" would be a wrong reading and look like a good one.
    first, second = _split(LinesSettings(), b"1.5\n21.6\n")
    assert isinstance(first, Malformed)
    assert "beginning" in first.error.detail
    assert isinstance(second, Message)


def test_after_each_connection_the_first_line_is_distrusted_again() -> None:
    splitter = make_splitter(LinesSettings())
    list(splitter.feed(b"x\n1\n"))
    list(splitter.end())
    assert _bodies(list(splitter.feed(b"5\n2\n"))) == [b"2"]


def test_a_line_without_an_end_is_rejected_in_pieces_and_the_next_one_is_read() -> None:
    settings = LinesSettings(first_is_whole=True, max_bytes=10)
    pieces = _split(settings, b"x" * 25, b"y" * 3 + b"\nok\n")
    assert _bodies(pieces) == [b"ok"]
    bad = [piece for piece in pieces if isinstance(piece, Malformed)]
    assert {piece.error.reason for piece in bad} == {Reason.OVERSIZED}
    assert b"".join(piece.raw for piece in bad) == b"x" * 25 + b"yyy\n"


def test_a_terminator_may_arrive_in_two_parts() -> None:
    settings = LinesSettings(first_is_whole=True, terminator="||", max_bytes=4)
    assert _bodies(_split(settings, b"abcd|", b"|ef||")) == [b"abcd", b"ef"]


def test_a_line_that_the_connection_cut_is_rejected() -> None:
    (piece,) = _split(LINES, b"21.")
    assert isinstance(piece, Malformed)
    assert piece.raw == b"21."
