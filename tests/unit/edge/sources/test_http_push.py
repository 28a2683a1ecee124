from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.http_push import HttpPushSource
from edge.sources.settings import HttpPushSettings
from schemas.errors import Reason
from tests.collecting_outlet import RunningSource, running

WORD = "0123456789abcdef"
READING = {
    "format": {"kind": "json"},
    "time": {"field": "at"},
    "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "rh"}],
}
GOOD = {"id": "d1", "at": 1_700_000_000, "t": 21.5, "rh": 40}


class Endpoint:
    """A running source and a client that knows its token."""

    def __init__(self, running_source: RunningSource, port: int) -> None:
        self.source = running_source
        self.outlet = running_source.outlet
        self.port = port
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {WORD}"}, timeout=60.0
        )

    def post(self, body: object, **more: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/v1/readings", content=content, **more)


@contextmanager
def _endpoint(*, on_disk: bool = True, **more: Any) -> Iterator[Endpoint]:
    base = {"kind": "http_push", "name": "push", "port": 0, "token": WORD, "device_field": "id", "reading": READING}
    settings = HttpPushSettings.model_validate({**base, **more})
    source = HttpPushSource(settings, InstantClock(SystemClock(), lambda: True))
    with running(source, on_disk=on_disk) as one:
        assert source.listening.wait(60.0)
        endpoint = Endpoint(one, source.port)
        with endpoint.client:
            yield endpoint


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with _endpoint() as one:
        yield one


def test_a_message_that_is_on_disk_is_answered_with_202() -> None:
    with _endpoint() as endpoint:
        answer = endpoint.post(GOOD)
        assert (answer.status_code, answer.json()) == (202, {"measurements": 2})
        took = endpoint.outlet.taken
    assert [(one.device_id, one.measurement.sensor_type) for one in took] == [("d1", "TEMP"), ("d1", "HUMID")]
    assert took[0].measurement.start_us == 1_700_000_000_000_000


def test_nothing_is_answered_before_it_is_on_disk() -> None:
    with _endpoint(on_disk=False) as endpoint:
        answers: list[int] = []
        client = threading.Thread(target=lambda: answers.append(endpoint.post(GOOD).status_code))
        client.start()
        endpoint.outlet.wait_for(lambda outlet: len(outlet.taken) == 2)
        for one in endpoint.outlet.taken:
            assert answers == []
            assert one.acknowledge is not None
            one.acknowledge()
        client.join()
        assert answers == [202]


def test_a_disk_that_does_not_keep_up_is_answered_with_503() -> None:
    with _endpoint(on_disk=False, answer_s=0.1) as endpoint:
        answer = endpoint.post(GOOD)
        assert (answer.status_code, answer.json()["error"]) == (503, "busy")
        assert "Retry-After" in answer.headers


def test_what_was_answered_with_503_before_it_was_taken_is_not_taken_later() -> None:
    with _endpoint(answer_s=0.2) as endpoint:
        endpoint.outlet.open.clear()
        # The first blocks in the outlet; the second waits behind it.
        assert [endpoint.post({**GOOD, "t": t}).status_code for t in (1, 2)] == [503, 503]
        endpoint.outlet.open.set()
        assert endpoint.post({**GOOD, "t": 3}).status_code == 202
        temperatures = [value for value in endpoint.outlet.values() if value != 40.0]
    assert temperatures == [1.0, 3.0]


def test_a_wrong_value_names_its_field_and_is_a_dead_letter() -> None:
    with _endpoint() as endpoint:
        answer = endpoint.post({**GOOD, "t": 900})
        assert answer.status_code == 422
        assert answer.json()["error"] == "value_out_of_range"
        assert "'t'" in answer.json()["detail"]
        (rejected,) = endpoint.outlet.rejected
    assert json.loads(rejected.raw)["t"] == 900
    assert rejected.error.reason is Reason.VALUE_OUT_OF_RANGE
    # The other sensor of the message is good.
    assert endpoint.outlet.values() == [40.0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "malformed_payload"),
        ({**GOOD, "id": "a b"}, "bad_identifier"),
        ({**GOOD, "id": 7}, "bad_identifier"),
        ({"at": 1_700_000_000, "t": 1}, "malformed_payload"),
        ([GOOD, {**GOOD, "id": "d2"}], "bad_identifier"),
        ({**GOOD, "at": 12}, "bad_timestamp"),
    ],
)
def test_what_cannot_be_read_is_answered_with_its_reason(endpoint: Endpoint, body: object, reason: str) -> None:
    answer = endpoint.post(body)
    assert (answer.status_code, answer.json()["error"]) == (422, reason)


@given(st.binary(max_size=200))
def test_any_body_has_an_answer(endpoint: Endpoint, body: bytes) -> None:
    assert endpoint.post(body).status_code in (202, 422)


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", f"Basic {WORD}", WORD, "Bearer ü"])
def test_without_the_token_nothing_is_taken(endpoint: Endpoint, authorization: str | None) -> None:
    headers = [] if authorization is None else [(b"Authorization", authorization.encode())]
    with httpx.Client() as stranger:
        answer = stranger.post(f"http://127.0.0.1:{endpoint.port}/v1/readings", headers=headers, json=GOOD)
    assert answer.status_code == 401
    assert WORD not in answer.text


@pytest.mark.parametrize(
    ("path", "headers", "content", "status"),
    [
        ("/elsewhere", {}, b"{}", 404),
        ("/v1/readings", {"Content-Encoding": "gzip"}, b"{}", 415),
        ("/v1/readings", {}, iter([b"{}"]), 411),
        ("/v1/readings", {}, bytes(1024 * 1024 + 1), 413),
    ],
)
def test_requests_that_are_none_are_refused(
    endpoint: Endpoint, path: str, headers: dict[str, str], content: Any, status: int
) -> None:
    answer = endpoint.client.post(path, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_only_post_is_answered(endpoint: Endpoint) -> None:
    assert endpoint.client.get("/v1/readings").status_code == 501


def test_a_connection_serves_many_messages(endpoint: Endpoint) -> None:
    before = len(endpoint.outlet.taken)
    assert {endpoint.post({**GOOD, "at": 1_700_000_000 + n}).status_code for n in range(50)} == {202}
    assert len(endpoint.outlet.taken) == before + 100


def test_a_client_that_stops_in_the_middle_holds_nobody_up() -> None:
    with (
        _endpoint(request_s=0.2, max_connections=1) as endpoint,
        socket.create_connection(("127.0.0.1", endpoint.port)) as stuck,
    ):
        stuck.sendall(b"POST /v1/readings HTTP/1.1\r\nAuthor")
        assert endpoint.post(GOOD).status_code == 202


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = {"kind": "http_push", "name": "push", "port": other.getsockname()[1], "token": WORD}
        settings |= {"device_id": "d", "reading": READING}
        source = HttpPushSource(HttpPushSettings.model_validate(settings), InstantClock(SystemClock(), lambda: True))
        with running(source) as one:
            one.outlet.wait_for(lambda outlet: outlet.states)
            assert not one.outlet.states[0][0]
