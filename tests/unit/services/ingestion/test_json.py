"""The JSON form: for a device that speaks nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import pytest

from schemas.envelope import make_event_id, unseal
from schemas.proto.envelope_pb2 import CounterReading, DeviceStatus, Mesh, SampleBlock
from schemas.samples import decode_samples
from tests.builders_scans import exported
from tests.ingestion_client import Service, reading


def stored(service: Service) -> list[Any]:
    return [unseal(record.value) for _, record in service.writer.stored]


def test_one_reading_becomes_an_envelope_with_the_tenant_of_the_key(service: Service) -> None:
    response = service.post(json=reading(sequence=7))
    assert response.status_code == 202, response.text
    (envelope,) = stored(service)
    assert (envelope.tenant_id, envelope.device_id, envelope.session_id) == ("lab", "walker-1", "s-1")
    assert envelope.event_id == make_event_id("lab", "walker-1", "b-1", 7) == response.json()["results"][0]["event_id"]
    assert envelope.sensor_timestamp_ms == 1_760_000_000_000
    assert envelope.ingest_timestamp_ms > envelope.sensor_timestamp_ms
    block = SampleBlock.FromString(envelope.payload)
    assert (block.unit, list(block.channels), block.sample_rate_hz) == ("degC", ["value"], 0.0)
    assert decode_samples(block).tolist() == [[21.5]]


def test_a_waveform_keeps_every_digit_and_its_shape(service: Service) -> None:
    values = np.random.default_rng(1).uniform(0, 900, (50, 2)).tolist()
    block = {"unit": "N", "channels": ["L1", "R1"], "sample_rate_hz": 100.0, "values": values}
    assert service.post(json=reading(sensor_type="GRF", block=block)).status_code == 202
    (envelope,) = stored(service)
    assert decode_samples(SampleBlock.FromString(envelope.payload)).tolist() == values


def test_a_time_in_iso_8601_is_exact_to_the_microsecond(service: Service) -> None:
    block = {"start": "2025-10-09T10:53:20.000001+02:00", "start_us": None}
    assert service.post(json=reading(block=block)).status_code == 202
    (envelope,) = stored(service)
    assert SampleBlock.FromString(envelope.payload).start_us == 1_760_000_000_000_001


def test_counters_and_device_status_have_forms_of_their_own(service: Service) -> None:
    counter = reading(
        sensor_type="KWH", counter_reading={"start_us": 1_760_000_000_000_000, "value": 12.5, "unit": "kWh"}
    )
    del counter["sample_block"]
    status = {key: value for key, value in counter.items() if key not in ("counter_reading", "sensor_type")}
    status |= {"sequence": 1, "device_status": {"state": "connected", "sent_count": 3}}
    response = service.post(json={"envelopes": [counter, status]})
    assert response.status_code == 202, response.text
    first, second = stored(service)
    assert CounterReading.FromString(first.payload).value == 12.5
    assert second.sensor_type == "STATUS"
    assert DeviceStatus.FromString(second.payload).sent_count == 3


def test_a_foot_scan_is_taken_and_one_that_is_no_mesh_refused(service: Service) -> None:
    event = {**reading(), "sensor_type": "SCANNER"}
    del event["sample_block"]
    mesh = {"start_us": 1_760_000_000_000_000, "format": "ply", "unit": "mm", "side": "left"}
    content = exported("ply")
    good = event | {"mesh": mesh | {"inline": base64.b64encode(content).decode()}}
    bad = event | {"sequence": 1, "mesh": mesh | {"inline": "AAAA"}}
    response = service.post(json={"envelopes": [good, bad]})
    assert [result["status"] for result in response.json()["results"]] == ["accepted", "rejected"]
    assert response.json()["results"][1]["reason"] == "malformed_payload"
    (scan,) = stored(service)
    payload = Mesh.FromString(scan.payload)
    assert (payload.inline, payload.sha256) == (content, hashlib.sha256(content).digest())


WRONG = [
    ({"device_id": 5}, "device_id", "valid string"),
    ({"device_id": "a b"}, "device_id", "not a device of the key"),
    ({"session_id": "a b"}, "", "session_id='a b' does not match"),
    ({"tenant_id": "a/b"}, "tenant_id", "pattern"),
    ({"colour": "red"}, "colour", "Extra inputs"),
    ({"sequence": -1}, "sequence", "greater than or equal"),
    ({"sequence": 2**64}, "sequence", "valid integer"),
    ({"schema_version": 2}, "schema_version", "less than or equal to 1"),
    ({"sensor_timestamp_ms": 5}, "sensor_timestamp_ms", "the payload's time is 1760000000000 ms"),
    ({"session_start_ms": 1_760_000_000_001}, "", "session_start_ms=1760000000001"),
    ({"event_id": "00" * 16}, "event_id", "not made of"),
    ({"boot_id": None}, "boot_id", "belong together"),
    ({"mesh": {"start_us": 1, "format": "ply", "unit": "mm", "reference": "x"}}, "", "2 payloads"),
    ({"block": {"values": [[1.0], ["warm"]]}}, "sample_block.values[1][0]", "got 'warm'"),
    ({"block": {"values": [[True]]}}, "sample_block.values[0][0]", "valid number"),
    ({"block": {"values": [[None]]}}, "sample_block.values[0][0]", "valid number"),
    ({"block": {"values": [[1.0, 2.0]]}}, "sample_block", "values[0] has 2 values for 1 channels"),
    ({"block": {"values": [[21.5], [21.6]]}}, "sample_block.sample_rate_hz", "sample_rate_hz=0.0 for 2 samples"),
    ({"block": {"values": []}}, "sample_block.values", "at least 1 item"),
    ({"block": {"unit": "degF"}}, "sample_block.unit", "TEMP is in 'degC'"),
    ({"block": {"channels": ["x"]}}, "sample_block.channels", "TEMP has value"),
    ({"block": {"start_us": None}}, "sample_block", "one of start_us and start"),
    ({"block": {"start": 1_760_000_000}}, "sample_block.start", "ISO 8601 with a time zone"),
    ({"block": {"start": "2026-01-01T00:00:00", "start_us": None}}, "sample_block.start", "timezone"),
    ({"block": {"start_us": 2**63}}, "sample_block.start_us", "less than"),
    ({"block": {"start_us": -1}}, "", "sensor_timestamp_ms=-1"),
    ({"block": {"values": [[1e300]]}}, "sample_block.values", "1e+300 degC at channel value"),
]


@pytest.mark.parametrize(("change", "field", "text"), WRONG, ids=[str(change)[:50] for change, _, _ in WRONG])
def test_the_wrong_field_is_named_with_its_path_and_value(
    service: Service, change: dict[str, Any], field: str, text: str
) -> None:
    response = service.post(json={"envelopes": [reading(sequence=9), reading(**change)]})
    assert response.status_code == 202, response.text
    good, bad = response.json()["results"]
    assert good["status"] == "accepted"
    assert bad["status"] == "rejected"
    assert bad["field"] == (f"envelopes[1].{field}" if field else "envelopes[1]")
    assert text in bad["detail"]
    assert len(service.writer.stored) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"[]", None),
        (b"NaN", None),
        (b'{"envelopes": {}}', "envelopes"),
        (b'{"envelopes": []}', "envelopes"),
        (b'{"envelopes": [{}], "more": 1}', "more"),
        (b"[" * 100_000, None),
        (b'{"a":' * 100_000, None),
    ],
    ids=["cut", "list", "nan", "object", "empty", "more", "deep list", "deep object"],
)
def test_a_body_that_is_wrong_as_a_whole_is_a_problem(service: Service, body: bytes, field: str | None) -> None:
    response = service.post(content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert [error["field"] for error in response.json().get("errors", [])] == ([field] if field else [])


def test_a_retry_with_the_same_idempotency_key_is_the_same_events(service: Service) -> None:
    events = [reading(boot_id=None, sequence=None) for _ in range(3)]
    answers = [
        service.post(json={"envelopes": events}, headers={"Idempotency-Key": key}).json() for key in ("a", "a", "b")
    ]
    ids = [[result["event_id"] for result in answer["results"]] for answer in answers]
    assert ids[0] == ids[1]
    assert len({*ids[0], *ids[2]}) == 6


def test_an_id_in_the_event_names_it_whatever_batch_it_stands_in(service: Service) -> None:
    first, second = ({**reading(boot_id=None, sequence=None), "id": name} for name in ("x", "y"))
    once = service.post(json={"envelopes": [first, second]}).json()["results"]
    again = service.post(json=second).json()["results"]
    assert once[1]["event_id"] == again[0]["event_id"] != once[0]["event_id"]


def test_events_may_have_been_sent_before_unless_the_sender_knows_better(service: Service) -> None:
    """The writer to ClickHouse looks up only what is marked; HTTP alone can't tell a retry from a first try."""
    service.post(json={"envelopes": [reading(), reading(sequence=1, resent=False)]})
    assert [envelope.resent for envelope in stored(service)] == [True, False]


def test_an_event_that_nothing_names_is_refused(service: Service) -> None:
    response = service.post(json=reading(boot_id=None, sequence=None))
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize("key", ["with space", "x" * 257])
def test_an_idempotency_key_has_a_form(service: Service, key: str) -> None:
    response = service.post(json=reading(), headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
