"""Whatever comes, the answer is one of ours: no error of the service, no good record lost beside a bad one."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import FrameBuilder
from tests.ingestion_client import Service, batch, reading

FRAMES = [FrameBuilder(sequence=n).record().value for n in range(3)]
HEADERS = st.fixed_dictionaries(
    {
        "Content-Type": st.sampled_from(["application/x-protobuf", "application/json", "text/html"]),
        "Content-Encoding": st.sampled_from(["identity", "gzip", "zstd", "br"]),
    }
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
EXPECTED = {202, 400, 403, 413, 415, 422}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    flags = {"requests_per_s": 1e9, "requests_burst": 1e9, "records_per_s": 1e9, "records_burst": 1e9}
    with Service.make(tmp_path_factory.mktemp("fuzz"), **flags) as service:
        yield service


@settings(max_examples=150)
@given(body=st.binary(max_size=400), headers=HEADERS)
def test_any_bytes_under_any_type_have_an_answer(fuzzed: Service, body: bytes, headers: dict[str, str]) -> None:
    assert fuzzed.post(content=body, headers=headers).status_code in EXPECTED


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_batch_has_an_answer_and_only_whole_frames_pass(fuzzed: Service, data: st.DataObject) -> None:
    body = bytearray(batch(FRAMES))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(body) - 1))
        body[position] ^= data.draw(st.integers(1, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    fuzzed.writer.stored.clear()
    response = fuzzed.post(content=bytes(body), headers={"Content-Type": "application/x-protobuf"})
    assert response.status_code in EXPECTED
    assert {record.value for _, record in fuzzed.writer.stored} <= set(FRAMES)


@settings(max_examples=150)
@given(name=st.sampled_from([*reading(), "id", "mesh", "device_status", "counter_reading", "resent"]), value=JSON)
def test_any_value_in_any_field_has_an_answer(fuzzed: Service, name: str, value: Any) -> None:
    good = {**reading(sequence=1), "session_id": "good"}
    body = orjson.dumps({"envelopes": [good, {**reading(), name: value}]}, option=orjson.OPT_NON_STR_KEYS)
    fuzzed.writer.stored.clear()
    response = fuzzed.post(
        content=gzip.compress(body), headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    assert response.status_code == 202, response.text
    assert response.json()["results"][0]["status"] == "accepted"
    assert b"lab/walker-1/good/TEMP" in {record.key for _, record in fuzzed.writer.stored}


@settings(max_examples=150)
@given(name=st.sampled_from(["unit", "channels", "start_us", "start", "values", "sample_rate_hz", "more"]), value=JSON)
def test_any_value_in_any_field_of_the_payload_has_an_answer(fuzzed: Service, name: str, value: Any) -> None:
    body = orjson.dumps(reading(block={name: value}))
    response = fuzzed.post(content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {202, 422}, response.text


@settings(max_examples=150)
@given(value=JSON)
def test_any_json_has_an_answer(fuzzed: Service, value: Any) -> None:
    response = fuzzed.post(content=orjson.dumps(value), headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
