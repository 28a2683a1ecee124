"""The other pages: health, readiness, metrics, OpenAPI, and what is no page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from services.ingestion.problems import Fault
from tests.builders import scalar_records
from tests.ingestion_client import Service, reading

Make = Callable[..., Service]


async def _until_asked(service: Service) -> None:
    """Lets the thread that asks Kafka for its topic come to an end."""
    for _ in range(1_000):
        if (await service.request("GET", "/ready")).status_code == 200:
            return
        await asyncio.sleep(0.001)


def test_health_needs_no_key_and_no_kafka(service: Service) -> None:
    service.writer.problem = "away"
    response = service.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_ready_once_kafka_was_seen_and_the_keys_are_good(service: Service) -> None:
    service.run(_until_asked(service))
    assert service.get("/ready").json() == {"status": "ready"}
    service.now_s[0] = 61.0
    response = service.get("/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the device keys can't be read"


def test_not_ready_while_kafka_is_away(make_service: Make) -> None:
    service = make_service(ready_max_age_s=0.06)
    service.run(_until_asked(service))
    service.writer.problem = "topic 'rawframes': unknown"

    async def until_noticed() -> str:
        while (response := await service.request("GET", "/ready")).status_code == 200:
            await asyncio.sleep(0.001)
        return str(response.json()["detail"])

    assert service.run(until_noticed()) == "topic 'rawframes': unknown"


def test_what_was_counted_can_be_read(service: Service) -> None:
    service.post_envelopes([*(record.value for record in scalar_records(5)), b"bad"])
    service.post(token="", json=reading())
    page = service.get("/metrics").text
    for line in (
        'brain_ingestion_requests_total{status="202"} 1.0',
        'brain_ingestion_requests_total{status="401"} 1.0',
        'brain_ingestion_records_total{reason="",result="accepted"} 5.0',
        'brain_ingestion_records_total{reason="missing_checksum",result="rejected"} 1.0',
        "brain_ingestion_request_duration_seconds_count 2.0",
        "brain_ingestion_acknowledge_duration_seconds_count 1.0",
        "brain_ingestion_live_keys 1.0",
        "brain_ingestion_memory_bytes 0.0",
    ):
        assert line in page.splitlines()
    assert all(line.split(" ")[2].startswith("brain_ingestion_") for line in page.splitlines() if line[0] == "#")


def test_the_openapi_page_describes_bodies_answers_and_the_key(service: Service) -> None:
    schema = service.get("/openapi.json").json()
    post = schema["paths"]["/v1/ingest"]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "application/x-protobuf"}
    assert {"202", "400", "401", "403", "408", "413", "415", "422", "429", "503"} <= set(post["responses"])
    assert post["security"] == [{"deviceKey": []}]
    models = schema["components"]["schemas"]
    assert {"JsonEvent", "JsonBatch", "JsonSampleBlock", "IngestAnswer", "RecordResult", "ProblemAnswer"} <= set(models)
    assert "start_us" in models["JsonSampleBlock"]["properties"]
    assert service.get("/docs").status_code == 200


def test_every_reference_of_the_openapi_page_leads_somewhere(service: Service) -> None:
    schema = service.get("/openapi.json").json()

    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [reference for value in part.values() for reference in references(value)]
        return [reference for value in part for reference in references(value)] if isinstance(part, list) else []

    found = references(schema)
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in schema["components"]["schemas"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/v1/ingest", 405)])
def test_what_is_no_page_is_a_problem_too(service: Service, method: str, path: str, status: int) -> None:
    response = service.run(service.request(method, path))
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


def test_an_error_of_ours_is_answered_without_a_trace(service: Service) -> None:
    def fate(topic: str, record: object) -> None:
        raise RuntimeError("secret place in the code")

    service.writer.fate = fate  # type: ignore[assignment]
    response = service.post(json=reading())
    assert response.status_code == 500
    assert response.json()["type"] == "urn:iot-brain:problem:internal"
    assert "secret" not in response.text


def test_every_fault_has_a_code_and_a_title_of_its_own() -> None:
    assert len({fault.code for fault in Fault}) == len({fault.title for fault in Fault}) == len(list(Fault))


def test_the_writer_is_closed_with_the_application(tmp_path: Path) -> None:
    with Service.make(tmp_path) as service:
        assert not service.writer.closed
    assert service.writer.closed
