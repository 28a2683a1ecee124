"""The HTTP sender as the agent uses it: on a real server, with its own threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.errors import DeliveryError, GivenUpError
from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.senders.http import HttpSender
from edge.senders.http_settings import HttpSenderSettings
from edge.senders.sender import Refusal, Sender
from schemas.envelope import Record
from services.ingestion.writer import ACKNOWLEDGED, Delivery, Fate
from tests.builders import FrameBuilder, scalar_records
from tests.ingestion_server import RunningServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with ExitStack() as stack:
        yield stack.enter_context(RunningServer(tmp_path).running())


def sender_to(server: RunningServer, **flags: Any) -> HttpSender:
    given = {"url": server.url, "key": server.token, "linger_ms": 1, "backoff_first_s": 0.01, **flags}
    return HttpSender(HttpSenderSettings(**given), clock=SystemClock(), interruption=Interruption())


def stored(server: RunningServer) -> list[Record]:
    return [record for topic, record in server.writer.stored if topic == "rawframes"]


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_every_record_arrives_once_in_order_and_is_reported_in_the_callers_thread(
    server: RunningServer, compression: str
) -> None:
    records = scalar_records(1_000)
    sender: Sender = sender_to(server, compression=compression, batch_max_records=64)
    told: list[tuple[int, Refusal | None]] = []
    threads: set[int] = set()

    def on_delivery(number: int, refusal: Refusal | None) -> None:
        threads.add(threading.get_ident())
        told.append((number, refusal))

    for number, record in enumerate(records):
        sender.send(record, lambda refusal, number=number: on_delivery(number, refusal))
    report = sender.close()
    assert (report.sent, report.acknowledged, report.failed) == (1_000, 1_000, 0)
    assert told == [(number, None) for number in range(1_000)]
    assert threads == {threading.get_ident()}
    assert stored(server) == records
    assert max(count for _, count in server.writer.calls) == 64


def test_several_requests_in_flight_lose_and_double_nothing(server: RunningServer) -> None:
    records = scalar_records(600)
    sender = sender_to(server, requests_in_flight=4, batch_max_records=20)
    for record in records:
        sender.send(record)
    assert sender.close().acknowledged == 600
    assert sorted(record.value for record in stored(server)) == sorted(record.value for record in records)


def test_batches_are_bounded_in_bytes(server: RunningServer) -> None:
    records = scalar_records(40)
    size_bytes = len(records[0].value)
    sender = sender_to(server, batch_max_bytes=max(1_000, size_bytes * 5), linger_ms=10_000)
    for record in records:
        sender.send(record)
    assert sender.close().acknowledged == 40
    assert max(count for _, count in server.writer.calls) * size_bytes <= max(1_000, size_bytes * 5)


def test_a_record_that_is_rejected_is_told_to_who_asked(server: RunningServer) -> None:
    good, bad = FrameBuilder().record(), FrameBuilder(sequence=1, unit="degF").record()
    sender = sender_to(server)
    told: list[Refusal | None] = []
    for record in (good, bad):
        sender.send(record, told.append)
    report = sender.close()
    assert (report.sent, report.acknowledged, report.failed) == (1, 1, 0)
    assert told[0] is None
    assert told[1] is not None
    assert told[1].for_good
    assert told[1].reason.startswith("unit_mismatch: unit='degF'")


def test_a_record_that_is_rejected_with_nobody_told_is_an_error_after_all_others(server: RunningServer) -> None:
    records = [FrameBuilder(sequence=n, unit="degF" if n == 2 else "").record() for n in range(5)]
    sender = sender_to(server, linger_ms=1_000)
    for record in records:
        sender.send(record)
    with pytest.raises(DeliveryError, match=r"lab/walker-1/s-1/TEMP.*unit_mismatch") as raised:
        sender.close()
    assert (raised.value.sent, raised.value.acknowledged, raised.value.failed) == (5, 4, 1)


def test_a_full_queue_holds_the_reader_back(server: RunningServer) -> None:
    records = scalar_records(100)
    sender = sender_to(server, queue_max_records=3)
    most = 0
    for record in records:
        sender.send(record)
        most = max(most, sender._report().pending)
    assert most == 3
    assert sender.close().acknowledged == 100
    assert stored(server) == records


def test_what_kafka_did_not_take_in_time_is_sent_again_marked_and_nothing_is_lost(server: RunningServer) -> None:
    records = scalar_records(50)
    first_tries: set[bytes] = set()

    def fate(topic: str, record: Record) -> Delivery:
        if record.key not in first_tries and len(first_tries) < 1:
            first_tries.add(record.key)
            return Delivery(Fate.UNKNOWN, "timed out")
        return ACKNOWLEDGED

    server.writer.fate = fate
    sender = sender_to(server)
    for record in records:
        sender.send(record)
    assert sender.close().acknowledged == 50
    assert len(stored(server)) == 50


def test_a_service_that_is_away_is_waited_for_until_the_user_insists() -> None:
    interruption = Interruption()
    settings = HttpSenderSettings(url="http://127.0.0.1:1", linger_ms=0)
    sender = HttpSender(settings, clock=SystemClock(), interruption=interruption)
    sender.send(FrameBuilder().record())
    assert sender.poll(0.05).pending == 1
    interruption.request()
    interruption.request()
    with pytest.raises(GivenUpError, match="1 of 1 frames sent are not acknowledged"):
        sender.close()
    assert not any(thread.is_alive() for thread in sender._threads)


def test_a_key_that_is_made_good_later_lets_everything_pass(server: RunningServer) -> None:
    good_key = [False]
    token = server.token

    class Late(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if not good_key[0]:
                request.headers["Authorization"] = "Bearer k0.0"
            return super().handle_request(request)

    waits: list[float] = []

    def wait(duration_s: float) -> bool:
        waits.append(duration_s)
        good_key[0] = len(waits) >= 3
        return True

    settings = HttpSenderSettings(url=server.url, key=token, linger_ms=0)
    sender = HttpSender(settings, clock=SystemClock(), interruption=Interruption(), transport=Late(), wait=wait)
    sender.send(FrameBuilder().record())
    assert sender.close().acknowledged == 1
    assert len(waits) == 3


def test_an_error_of_our_own_in_a_thread_is_no_silence() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("a bug")

    sender = HttpSender(
        HttpSenderSettings(linger_ms=0),
        clock=SystemClock(),
        interruption=Interruption(),
        transport=httpx.MockTransport(broken),
    )
    sender.send(FrameBuilder().record())
    with pytest.raises(DeliveryError, match="a bug"):
        sender.close()


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(HttpSenderSettings(key="k1.secret"))  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["ftp://x", "http://user@host", "http://h/path", "h:80", "http://h?key=1"])
def test_an_address_is_a_service_and_no_more(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        HttpSenderSettings(url=url)
