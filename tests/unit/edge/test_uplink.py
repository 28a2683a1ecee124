"""The uplink: what each answer of the service does to the records of a batch."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from edge.senders.http_settings import HttpSenderSettings
from edge.senders.sender import Refusal
from edge.senders.uplink import Pauses, Uplink
from edge.testing import ManualClock
from schemas.envelope import Record, unseal
from schemas.proto.ingest_pb2 import IngestBatch
from tests.builders import scalar_records

RECORDS = scalar_records(8)
VALUES = [record.value for record in RECORDS]
Answering = Callable[[httpx.Request], httpx.Response]


def values_of(request: httpx.Request) -> list[bytes]:
    body = request.content
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    elif request.headers.get("content-encoding") == "zstd":
        body = zstandard.decompress(body)
    return list(IngestBatch.FromString(body).envelopes)


def answer(status: int, results: Sequence[str] = (), **headers: str) -> httpx.Response:
    members: dict[str, Any] = {"detail": "as the test wants it"}
    if results:
        members["results"] = [
            {"index": index, "status": status_, "reason": "unit_mismatch", "detail": f"record {index}"}
            for index, status_ in enumerate(results)
        ]
    given_headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, content=orjson.dumps(members), headers=given_headers)


def accept(request: httpx.Request) -> httpx.Response:
    return answer(202, ["accepted"] * len(values_of(request)))


class Service:
    """Answers in turn; the last answer is given for ever.

    Attributes:
        requests: the sealed envelopes of each.
        waits_s: of the uplink between its tries.
        fates: of the records, as they became known.
    """

    def __init__(self, *answers: Answering | httpx.Response | Exception, **flags: Any) -> None:
        self._answers = list(answers)
        self.requests: list[list[bytes]] = []
        self.headers: list[httpx.Headers] = []
        self.waits_s: list[float] = []
        self.fates: dict[int, Refusal | None] = {}
        self.clock = ManualClock()
        settings = HttpSenderSettings(url="https://service", **flags)
        pauses = Pauses(self._wait, lambda: 1.0, self.clock)
        self.uplink = Uplink(settings, pauses, transport=httpx.MockTransport(self._handle))
        self.most_waits = 100

    def _wait(self, duration_s: float) -> bool:
        self.waits_s.append(duration_s)
        self.clock.sleep(duration_s)
        return len(self.waits_s) < self.most_waits

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(values_of(request))
        self.headers.append(request.headers)
        current = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(current, Exception):
            raise current
        return current if isinstance(current, httpx.Response) else current(request)

    def deliver(self, records: Sequence[Record] = RECORDS) -> dict[int, Refusal | None]:
        def settle(place: int, refusal: Refusal | None) -> None:
            assert place not in self.fates, "told twice"
            self.fates[place] = refusal

        self.uplink.deliver(records, settle)
        return self.fates

    @property
    def resent(self) -> list[set[bool]]:
        return [{unseal(value).resent for value in values} for values in self.requests]


STORED = dict.fromkeys(range(8))


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_batch_goes_in_one_request_as_it_was_sealed(compression: str) -> None:
    service = Service(accept, compression=compression, key="k1.secret")
    assert service.deliver() == STORED
    assert service.requests == [VALUES]
    assert service.headers[0]["authorization"] == "Bearer k1.secret"
    assert service.headers[0]["content-type"] == "application/x-protobuf"
    assert service.waits_s == []


def test_rejected_records_are_refused_for_good_and_never_sent_again() -> None:
    service = Service(answer(202, ["accepted"] * 7 + ["rejected"]))
    fates = service.deliver()
    assert fates == {**STORED, 7: Refusal("unit_mismatch: record 7", for_good=True)}
    assert len(service.requests) == 1


def test_a_request_that_is_rejected_as_a_whole_is_not_sent_again() -> None:
    fates = Service(answer(422, ["rejected"] * 8)).deliver()
    assert all(refusal is not None and refusal.for_good for refusal in fates.values())


def test_only_what_failed_is_sent_again_and_marked_as_resent() -> None:
    service = Service(answer(503, [*["accepted"] * 3, "failed", "rejected", *["failed"] * 3], retry_after="7"), accept)
    fates = service.deliver()
    assert [place for place, refusal in fates.items() if refusal is None] == [0, 1, 2, 3, 5, 6, 7]
    assert len(service.requests[1]) == 4
    assert service.resent == [{False}, {True}]
    first, second = ([unseal(value).event_id for value in values] for values in service.requests)
    assert second == [first[3], *first[5:]]
    assert service.waits_s == [7.5]


@pytest.mark.parametrize(
    ("trouble", "resent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.ReadError("reset"), True),
        (httpx.ReadTimeout("no answer"), True),
        (httpx.WriteError("broken pipe"), True),
        (httpx.RemoteProtocolError("closed"), True),
        (answer(429, retry_after="0"), False),
        (answer(401), False),
        (answer(403, ["rejected"] * 8), False),
        (answer(404), False),
        (answer(302), False),
        (answer(408), False),
        (answer(500), True),
        (answer(502), True),
        (answer(503), True),
        (answer(504), True),
        (httpx.Response(200, text="<html>please log in</html>"), True),
        (answer(202, ["accepted"] * 7), True),
        (answer(202, ["sideways"] * 8), True),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {getattr(value, 'status_code', '')}" if value not in (True, False) else ""
    ),
)
def test_trouble_is_waited_out_and_what_may_be_stored_is_marked(trouble: Any, resent: bool) -> None:
    service = Service(trouble, trouble, accept)
    assert service.deliver() == STORED
    assert len(service.requests) == 3
    assert service.resent[2] == {resent}
    assert [unseal(value).event_id for value in service.requests[2]] == [unseal(value).event_id for value in VALUES]


def test_waits_double_up_to_a_limit() -> None:
    service = Service(*[answer(500)] * 9, accept, backoff_first_s=0.5, backoff_max_s=20.0)
    service.deliver()
    assert service.waits_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0]


@given(st.floats(0, 1), st.integers(0, 5_000))
def test_a_wait_is_a_random_part_of_its_limit(part: float, failures: int) -> None:
    service = Service(accept)
    service.uplink._pauses = Pauses(lambda _: True, lambda: part, ManualClock())
    assert 0 <= service.uplink._delay_s(failures, 0.0) <= 60.0
    assert service.uplink._delay_s(failures, 9.0) >= 9.0


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [("3", 3.5), ("Tue, 14 Nov 2023 22:13:50 GMT", 30.5), ("soon", 0.5), ("-5", 0.5), ("999999999", 3600.5), ("", 0.5)],
)
def test_the_service_may_say_when(text: str, wait_s: float) -> None:
    service = Service(answer(429, retry_after=text), accept)
    service.deliver()
    assert service.waits_s == [wait_s]


def test_a_request_that_is_too_large_goes_in_halves_and_only_the_giant_is_refused() -> None:
    giant = RECORDS[5].value

    def small_only(request: httpx.Request) -> httpx.Response:
        values = values_of(request)
        return answer(413) if giant in values or len(values) > 3 else accept(request)

    service = Service(small_only)
    fates = service.deliver()
    assert {place for place, refusal in fates.items() if refusal is None} == set(range(8)) - {5}
    refusal = fates[5]
    assert refusal is not None
    assert refusal.for_good
    assert "413" in refusal.reason
    assert service.waits_s == []
    assert [value for values in service.requests for value in values if len(values) <= 2 and giant not in values]


def test_a_wrong_key_is_said_loudly_and_not_more_than_every_30_s(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(*[answer(401)] * 50, accept, key="k1.secret", backoff_max_s=2.0)
    with caplog.at_level(logging.INFO):
        service.deliver()
    said = [record for record in caplog.records if record.name == "edge.senders.uplink"]
    assert {record.levelno for record in said} == {logging.ERROR}
    assert len(said) == 1 + int(sum(service.waits_s[:-1]) // 30)
    assert "8 frames wait for https://service: HTTP 401: as the test wants it" in said[0].getMessage()
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("url", "key", "warned"),
    [
        ("http://gateway.example", "k.s", True),
        ("http://192.0.2.7:8080", "k.s", True),
        ("https://gateway.example", "k.s", False),
        ("http://127.0.0.1:8080", "k.s", False),
        ("http://[::1]:8080", "k.s", False),
        ("http://localhost", "k.s", False),
        ("http://gateway.example", None, False),
    ],
)
def test_a_key_in_the_open_is_said(url: str, key: str | None, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    settings = HttpSenderSettings.model_validate({"url": url, "key": key})
    Uplink(settings, Pauses(lambda _: True, lambda: 0.0, ManualClock())).close()
    assert ("plain HTTP" in caplog.text) is warned


def test_the_end_of_a_wait_ends_the_sending() -> None:
    service = Service(answer(500))
    service.most_waits = 3
    assert service.deliver() == {}


@given(st.data())
def test_whatever_the_service_does_each_record_has_one_fate_and_what_is_stored_twice_is_marked(
    data: st.DataObject,
) -> None:
    stored: dict[str, list[bool]] = {}

    def moody(request: httpx.Request) -> httpx.Response:
        values = values_of(request)
        mood = data.draw(st.sampled_from(["answer", "cut", "away", "busy", "large"]))
        if mood == "away":
            raise httpx.ConnectError("away")
        if mood == "busy":
            return answer(429)
        if mood == "large" and len(values) > 1:
            return answer(413)
        statuses = data.draw(st.lists(st.sampled_from(["accepted", "rejected", "failed"]), min_size=8, max_size=8))
        for value, status in zip(values, statuses, strict=False):
            if status == "accepted" or (status == "failed" and data.draw(st.booleans())):
                envelope = unseal(value)
                stored.setdefault(envelope.event_id, []).append(envelope.resent)
        if mood == "cut":
            raise httpx.ReadError("cut")
        given_statuses = statuses[: len(values)]
        return answer(503 if "failed" in given_statuses else 202, given_statuses)

    calm_after = 12
    service = Service(*[moody] * calm_after, accept_and_store(stored))
    fates = service.deliver()
    assert sorted(fates) == list(range(8))
    for place, refusal in fates.items():
        copies = stored.get(unseal(VALUES[place]).event_id, [])
        assert copies or refusal is not None
        assert all(copies[1:]), "a second copy that is not marked would be counted"


def accept_and_store(stored: dict[str, list[bool]]) -> Answering:
    def handle(request: httpx.Request) -> httpx.Response:
        for value in values_of(request):
            envelope = unseal(value)
            stored.setdefault(envelope.event_id, []).append(envelope.resent)
        return accept(request)

    return handle
