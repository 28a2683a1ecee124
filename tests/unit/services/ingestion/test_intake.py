"""From good records to what is answered: acknowledged, failed, or in the dead letters."""

from __future__ import annotations

import asyncio

import pytest

from schemas import headers
from schemas.envelope import Record
from services.ingestion.intake import Intake
from services.ingestion.screening import Screened
from services.ingestion.writer import ACKNOWLEDGED, Delivery, Fate
from tests.builders import scalar_records
from tests.ingestion_client import PROTOBUF, MemoryWriter, Service, batch

TIMED_OUT = Delivery(Fate.UNKNOWN, "Local: Message timed out")
TOO_LARGE = Delivery(Fate.REFUSED, "Broker: Message size too large")
RECORDS = scalar_records(4)
VALUES = [record.value for record in RECORDS]


async def _no_wait(delay_s: float) -> None:
    del delay_s


def test_what_kafka_does_not_acknowledge_is_failed_and_the_rest_is_accepted(service: Service) -> None:
    service.writer.fate = lambda topic, record: TIMED_OUT if record == RECORDS[2] else ACKNOWLEDGED
    response = service.post_envelopes([*VALUES, b"bad"])
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    problem = response.json()
    assert problem["type"] == "urn:iot-brain:problem:not_stored"
    assert problem["detail"] == "1 of 5 records: Local: Message timed out"
    assert [result["status"] for result in problem["results"]] == [
        *("accepted", "accepted", "failed", "accepted", "rejected")
    ]
    assert (problem["accepted"], problem["rejected"]) == (3, 1)


def test_nothing_is_answered_before_the_last_record_is_acknowledged(service: Service) -> None:
    async def scenario() -> tuple[bool, int]:
        service.writer.gate = asyncio.Event()
        request = asyncio.create_task(service.post_later(headers=PROTOBUF, content=batch(VALUES)))
        while not service.writer.calls:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        waited = not request.done()
        service.writer.gate.set()
        return waited, (await request).status_code

    assert service.run(scenario()) == (True, 202)


def test_a_record_that_kafka_refuses_is_tried_three_times_more_and_then_a_dead_letter(service: Service) -> None:
    big = RECORDS[1]
    service.writer.fate = lambda topic, record: TOO_LARGE if (topic, record) == ("rawframes", big) else ACKNOWLEDGED
    response = service.post_envelopes(VALUES)
    assert response.status_code == 202
    result = response.json()["results"][1]
    assert (result["status"], result["reason"]) == ("rejected", "not_storable")
    assert "size too large" in result["detail"]
    assert service.writer.calls == [("rawframes", 4), *[("rawframes", 1)] * 3, ("rawframes-dlq", 1)]
    topic, letter = service.writer.stored[-1]
    assert (topic, letter.key, letter.value) == ("rawframes-dlq", big.key, big.value)
    assert {**big.headers, **{name: letter.headers[name] for name in headers.DEAD_LETTER}} == letter.headers
    assert {name: letter.headers[name] for name in headers.DEAD_LETTER} == {
        "stage": b"ingestion",
        "reason": b"not_storable",
        "detail": b"Kafka refuses the record: Broker: Message size too large",
        "source_topic": b"rawframes",
        "source_partition": b"-1",
        "source_offset": b"-1",
        "attempt": b"4",
    }
    assert "brain_ingestion_dead_letters_total 1.0" in service.get("/metrics").text


def _store(writer: MemoryWriter, records: list[Record]) -> tuple[list[Screened], list[Delivery]]:
    screened = [Screened(record=record) for record in records]
    return screened, asyncio.run(Intake(writer, "rawframes", sleep=_no_wait).store(screened))


def test_neighbours_that_were_refused_with_a_batch_pass_alone() -> None:
    tries: dict[bytes, int] = {}

    def fate(topic: str, record: Record) -> Delivery:
        tries[record.value] = tries.get(record.value, 0) + 1
        return TOO_LARGE if tries[record.value] == 1 else ACKNOWLEDGED

    screened, deliveries = _store(MemoryWriter(fate), RECORDS)
    assert deliveries == [ACKNOWLEDGED] * 4
    assert all(item.rejection is None for item in screened)


@pytest.mark.parametrize("burial", [TIMED_OUT, TOO_LARGE])
def test_without_its_dead_letter_a_record_is_failed_and_the_sender_keeps_it(burial: Delivery) -> None:
    writer = MemoryWriter(lambda topic, record: TOO_LARGE if topic == "rawframes" else burial)
    screened, deliveries = _store(writer, RECORDS[:1])
    assert screened[0].rejection is None
    assert deliveries[0].fate is Fate.UNKNOWN
    assert "its dead letter" in deliveries[0].error


def test_a_retry_that_times_out_is_failed_not_buried() -> None:
    fates = iter([TOO_LARGE, TIMED_OUT])
    writer = MemoryWriter(lambda topic, record: next(fates))
    _, deliveries = _store(writer, RECORDS[:1])
    assert deliveries == [TIMED_OUT]
    assert [topic for topic, _ in writer.calls] == ["rawframes", "rawframes"]


def test_waits_between_the_tries_grow() -> None:
    waits: list[float] = []

    async def note(delay_s: float) -> None:
        waits.append(delay_s)

    writer = MemoryWriter(lambda topic, record: TOO_LARGE if topic == "rawframes" else ACKNOWLEDGED)
    asyncio.run(Intake(writer, "rawframes", sleep=note).store([Screened(record=RECORDS[0])]))
    assert waits == [0.0, 0.1, 0.2]
