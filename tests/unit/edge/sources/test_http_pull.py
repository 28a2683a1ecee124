from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.http_pull import HttpPullSource
from edge.sources.settings import HttpPullSettings
from schemas.errors import Reason
from tests.collecting_outlet import running

READING = {"format": {"kind": "json"}, "sensors": [{"sensor_type": "WATT", "field": "power.0", "unit": "kW"}]}
WORD = "0123456789abcdef"


class Meter(ThreadingHTTPServer):
    """A device that answers what it is told to, in turn, and its last answer again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = [(200, b'{"power": [1.5]}')]
        self.asked: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/state"


class _Handler(BaseHTTPRequestHandler):
    server: Meter

    def do_GET(self) -> None:
        self.server.asked.append(dict(self.headers))
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def meter() -> Iterator[Meter]:
    with Meter() as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def _source(url: str, **more: Any) -> HttpPullSource:
    base = {"kind": "http_pull", "name": "meter", "url": url, "device_id": "m1", "interval_s": 0.05}
    retry = {"first_s": 0.01, "longest_s": 0.02}
    settings = HttpPullSettings.model_validate({**base, "reading": READING, "retry": retry, **more})
    return HttpPullSource(settings, InstantClock(SystemClock(), lambda: True), random.Random(1))


def test_a_device_is_asked_again_and_again(meter: Meter) -> None:
    with running(_source(meter.url, token=WORD, headers={"X-Key": "k"})) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) >= 3)
    assert set(source.outlet.values()) == {1_500.0}
    assert source.outlet.taken[0].device_id == "m1"
    assert meter.asked[0]["Authorization"] == f"Bearer {WORD}"
    assert meter.asked[0]["X-Key"] == "k"


def test_an_unchanged_answer_with_a_time_of_its_own_is_one_reading(meter: Meter) -> None:
    first, second, third = (b'{"power": [1], "at": %d}' % at for at in (1_700_000_000, 1_700_000_010, 1_700_000_020))
    meter.answers = [(200, first), (200, first), (200, first), (200, second), (200, second), (200, third)]
    with running(_source(meter.url, reading={**READING, "time": {"field": "at"}})) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
    times_s = [one.measurement.start_us // 1_000_000 for one in source.outlet.taken]
    assert times_s == [1_700_000_000, 1_700_000_010, 1_700_000_020]


@pytest.mark.parametrize("bad", [(500, b""), (404, b"{}"), (302, b""), (200, bytes(2_000))])
def test_a_device_that_does_not_answer_is_asked_again_and_told(meter: Meter, bad: tuple[int, bytes]) -> None:
    meter.answers = [bad, bad, (200, b'{"power": [2]}')]
    with running(_source(meter.url, max_body_bytes=1_000)) as source:
        source.outlet.wait_for(lambda outlet: outlet.taken)
    assert [connected for connected, _ in source.outlet.states] == [False, False, True]
    assert source.outlet.rejected == []


def test_an_answer_that_cannot_be_read_is_rejected_and_the_device_asked_on(meter: Meter) -> None:
    meter.answers = [(200, b"<html>"), (200, b'{"power": [2]}')]
    with running(_source(meter.url)) as source:
        source.outlet.wait_for(lambda outlet: outlet.taken)
    (rejected,) = source.outlet.rejected
    assert (rejected.raw, rejected.error.reason) == (b"<html>", Reason.MALFORMED_PAYLOAD)


def test_a_device_that_is_not_there_stalls_nobody(meter: Meter) -> None:
    away = _source("http://127.0.0.1:9/")
    with running(away) as broken, running(_source(meter.url)) as good:
        broken.outlet.wait_for(lambda outlet: len(outlet.states) >= 2)
        good.outlet.wait_for(lambda outlet: len(outlet.taken) >= 2)
    assert not any(connected for connected, _ in broken.outlet.states)


def test_a_source_whose_outlet_is_blocked_stalls_nobody(meter: Meter) -> None:
    with running(_source(meter.url)) as blocked, running(_source(meter.url)) as good:
        blocked.outlet.open.clear()
        good.outlet.wait_for(lambda outlet: len(outlet.taken) >= 5)
    assert len(blocked.outlet.taken) <= 2
