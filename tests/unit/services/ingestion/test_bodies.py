"""Bodies: how large, how slow and in which form they may come."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import zstandard

from services.ingestion.batches import count_fields
from tests.builders import FrameBuilder, scalar_records
from tests.ingestion_client import PROTOBUF, Service, batch, reading

Make = Callable[..., Service]

GOOD = batch([record.value for record in scalar_records(50)])


def _undeclared_zstd(data: bytes) -> bytes:
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return stream.compress(data) + stream.flush()


COMPRESSED = {
    "gzip": ("gzip", gzip.compress(GOOD)),
    "zstd": ("zstd", zstandard.compress(GOOD)),
    "zstd of undeclared size": ("zstd", _undeclared_zstd(GOOD)),
    "upper case": ("GZIP", gzip.compress(GOOD)),
}


def _post(service: Service, body: Any, encoding: str = "identity", **headers: str) -> Any:
    return service.post(headers={**PROTOBUF, "Content-Encoding": encoding, **headers}, content=body)


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_bodies_are_opened(service: Service, name: str) -> None:
    encoding, body = COMPRESSED[name]
    response = _post(service, body, encoding)
    assert (response.status_code, response.json()["accepted"]) == (202, 50)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_compressed_body_that_is_cut_followed_or_false_is_a_problem(service: Service, encoding: str) -> None:
    whole = COMPRESSED[encoding][1]
    for body in (whole[:-1], whole[:20], whole + b"x", whole + whole, b"", b"junk" * 10, GOOD):
        response = _post(service, body, encoding)
        assert response.status_code == 400, body[:10]
        assert response.json()["type"].endswith("malformed_body")
    assert service.writer.stored == []


def test_a_cut_stream_of_undeclared_size_is_a_problem_and_not_a_shorter_batch(service: Service) -> None:
    assert _post(service, _undeclared_zstd(GOOD)[:-1], "zstd").status_code == 400


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "x" * 500, "snappy"])
def test_other_encodings_are_not_supported(service: Service, encoding: str) -> None:
    response = _post(service, GOOD, encoding)
    assert response.status_code == 415
    assert response.json()["errors"][0]["field"] == "Content-Encoding"


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/xml", "multipart/form-data", "application/jsonx"]
)
def test_other_types_are_not_supported(service: Service, media_type: str) -> None:
    response = service.post(headers={"Content-Type": media_type}, content=GOOD)
    assert response.status_code == 415
    assert response.json()["errors"][0]["field"] == "Content-Type"


def test_parameters_of_the_type_do_not_matter(service: Service) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert service.post(headers=headers, content=b"{}").status_code == 422


def test_a_body_over_the_limit_is_refused_before_it_is_read(make_service: Make) -> None:
    service = make_service(max_body_bytes=1_000, max_decompressed_bytes=1_000)
    asked: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        asked.append(1)
        yield bytes(1_001)

    response = _post(service, body(), **{"Content-Length": "1001"})
    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    assert asked == []
    assert "over 1000 bytes" in response.json()["detail"]


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_over_the_limit(make_service: Make) -> None:
    service = make_service(max_body_bytes=1_000)
    sent: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            sent.append(1)
            yield bytes(300)

    assert _post(service, body()).status_code == 413
    assert len(sent) <= 5


def test_a_body_at_the_limit_passes(make_service: Make) -> None:
    body = batch([FrameBuilder().record().value])
    service = make_service(max_body_bytes=max(1_000, len(body)), max_decompressed_bytes=1_000)
    assert _post(service, body).status_code == 202


BOMB_BYTES = 40_000_000
BOMBS = {
    "gzip": gzip.compress(bytes(BOMB_BYTES)),
    "zstd": zstandard.compress(bytes(BOMB_BYTES)),
    "zstd of undeclared size": _undeclared_zstd(bytes(BOMB_BYTES)),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("media_type", ["application/x-protobuf", "application/json"])
def test_a_bomb_stops_at_the_limit(service: Service, name: str, media_type: str) -> None:
    headers = {"Content-Type": media_type, "Content-Encoding": name.split(maxsplit=1)[0]}
    response = service.post(headers=headers, content=BOMBS[name])
    assert response.status_code == 413
    assert service.app is not None
    assert "memory_bytes 0.0" in service.get("/metrics").text


def test_a_zstd_frame_that_wants_a_huge_window_is_refused(service: Service) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True, write_content_size=False)
    body = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert _post(service, body.compress(GOOD) + body.flush(), "zstd").status_code == 400


def test_more_records_than_allowed_are_refused(make_service: Make) -> None:
    service = make_service(max_records=50)
    assert _post(service, GOOD).status_code == 202
    assert _post(service, GOOD + batch([b"x"])).status_code == 413
    assert service.post(json={"envelopes": [reading(sequence=n) for n in range(51)]}).status_code == 413


@pytest.mark.parametrize("before", [b"", b"\x13", b"\x0b", b"\x10\x01"], ids=["none", "group", "own group", "varint"])
def test_a_million_empty_records_are_counted_before_they_are_parsed(service: Service, before: bytes) -> None:
    assert _post(service, before + b"\x0a\x00" * 1_000_000).status_code == 413
    assert count_fields(before + b"\x0a\x00" * 1_000_000, 10) == 11


def test_errors_by_the_hundred_thousand_cost_one(service: Service) -> None:
    """Pydantic would make a report of each."""
    many_fields = {f"x{n}": n for n in range(50_000)}
    wrong_values = {"values": [["x"] * 100_000]}
    for event, field in (
        (many_fields, []),
        (reading(block=many_fields), ["sample_block"]),
        (reading(block=wrong_values), ["sample_block.values[0][0]"]),
    ):
        response = service.post(json=event)
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == (field or [""])


def test_a_body_that_does_not_come_is_given_up(make_service: Make) -> None:
    service = make_service(body_timeout_s=0.05, body_grace_s=0.02)
    stuck = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield GOOD[:10]
        await stuck.wait()

    response = _post(service, body())
    assert response.status_code == 408
    assert response.headers["connection"] == "close"


def test_a_body_that_trickles_is_given_up_though_it_moves(make_service: Make) -> None:
    service = make_service(body_timeout_s=60, body_grace_s=0.05, body_min_bytes_per_s=1_000_000)

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"\x0a"
            await asyncio.sleep(0.005)

    assert _post(service, body()).status_code == 408


def test_the_memory_of_all_requests_is_bounded_and_given_back(make_service: Make) -> None:
    service = make_service(memory_max_bytes=11 * 1024 * 1024)
    big = {"session_id": "s", **reading(block={"unit": "x" * 1_000_000})}

    async def both() -> list[int]:
        service.writer.gate = asyncio.Event()
        first = asyncio.create_task(service.post_later(headers=PROTOBUF, content=GOOD))
        while not service.writer.calls:
            await asyncio.sleep(0)
        full = zlib.compress(bytes(10), wbits=31)
        others = [
            asyncio.create_task(service.post_later(headers={**PROTOBUF, "Content-Encoding": "gzip"}, content=full))
            for _ in range(2)
        ]
        second = await asyncio.gather(*others)
        service.writer.gate.set()
        return [response.status_code for response in (await first, *second)]

    assert sorted(service.run(both())) == [202, 400, 503]
    assert service.post(json=big).status_code == 422
    assert "memory_bytes 0.0" in service.get("/metrics").text
