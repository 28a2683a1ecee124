"""Sealed envelopes in protobuf: what is accepted goes to Kafka as it was sealed, what is not is named."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.envelope import RecordKey, heartbeat, seal, unseal
from schemas.headers import SENSOR_MS
from tests.builders import FrameBuilder, counter_record, scalar_records
from tests.ingestion_client import PROTOBUF, Service, batch
from udfs.records import open_record


def test_every_record_of_a_batch_is_written_as_it_was_sealed_and_reported_in_order(service: Service) -> None:
    sent = [*scalar_records(20), counter_record(12.5, sequence=30)]
    response = service.post_envelopes([record.value for record in sent])
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (21, 0)
    assert [result["event_id"] for result in answer["results"]] == [unseal(record.value).event_id for record in sent]
    assert [topic for topic, _ in service.writer.stored] == ["rawframes"] * 21
    assert [record for _, record in service.writer.stored] == sent


def test_what_is_written_is_what_the_line_takes(service: Service) -> None:
    service.post_envelopes([record.value for record in scalar_records(3)])
    for _, record in service.writer.stored:
        assert open_record(record.key, record.value, record.headers[SENSOR_MS]).device_id == "walker-1"


def test_a_status_of_the_device_is_accepted(service: Service) -> None:
    record = heartbeat(RecordKey("lab", "walker-1", "s-1", "STATUS"), "boot-1", 0, 1_760_000_000_000)
    assert service.post_envelopes([record.value]).status_code == 202


def test_bad_records_are_rejected_one_by_one_and_their_neighbours_accepted(service: Service) -> None:
    good = FrameBuilder(sequence=0).record().value
    flipped = bytearray(FrameBuilder(sequence=1).record().value)
    flipped[5] ^= 1
    hot = FrameBuilder(sequence=2, samples=np.array([[400.0]])).record().value
    foot = FrameBuilder(sequence=3, unit="degF").record().value
    response = service.post_envelopes([good, bytes(flipped), hot, b"", foot])
    assert response.status_code == 202
    results = response.json()["results"]
    assert [result["status"] for result in results] == ["accepted", *["rejected"] * 4]
    assert [result.get("reason") for result in results[1:]] == [
        "checksum_mismatch",
        "value_out_of_range",
        "empty",
        "unit_mismatch",
    ]
    assert results[2]["detail"] == "400.0 degC at channel value, sample 0, valid -60.0..125.0"
    assert results[2]["field"] == "envelopes[2].sample_block.values"
    assert results[4]["field"] == "envelopes[4].sample_block.unit"
    assert [record.value for _, record in service.writer.stored] == [good]


def test_a_request_of_which_all_is_rejected_is_a_problem_that_names_each(service: Service) -> None:
    response = service.post_envelopes([FrameBuilder(sensor_type="SMELL").record().value])
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "urn:iot-brain:problem:all_rejected"
    assert problem["errors"] == [
        {"field": "envelopes[0].sensor_type", "detail": "sensor_type='SMELL'", "reason": "unknown_sensor"}
    ]
    assert problem["results"][0]["status"] == "rejected"
    assert service.writer.stored == []


def test_an_event_id_that_is_not_made_of_its_parts_is_rejected(service: Service) -> None:
    """Else one tenant could take the place of another tenant's event."""
    envelope = FrameBuilder().envelope()
    envelope.event_id = FrameBuilder(tenant_id="clinic").envelope().event_id
    response = service.post_envelopes([seal(envelope)])
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "envelopes[0].event_id"


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"\x0a\x05ab", b"hello", b"", b"\x0a\xff\xff\xff\xff\x0f"],
    ids=["tag", "cut", "text", "none", "far"],
)
def test_what_is_no_batch_is_a_problem(service: Service, body: bytes) -> None:
    response = service.post(headers=PROTOBUF, content=body)
    assert response.status_code == 400
    assert response.json()["type"] == "urn:iot-brain:problem:malformed_body"


def test_a_newer_sender_may_add_fields_to_the_batch(service: Service) -> None:
    added = (
        batch([FrameBuilder().record().value]) + b"\xf2\x07\x03new" + b"\x10\x05" + b"\x1d\0\0\0\0" + b"\x21" + bytes(8)
    )
    assert service.post(headers=PROTOBUF, content=added).status_code == 202
