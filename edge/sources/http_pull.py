"""A device that is asked by HTTP, again and again; what it answers twice is taken once."""

from __future__ import annotations

import random
import threading

import httpx

from edge.instant import InstantClock
from edge.pace import Clock
from edge.sources.backoff import Backoff
from edge.sources.messages import MessageReader, hand_over
from edge.sources.settings import HttpPullSettings
from edge.sources.source import Outlet, Stopped
from edge.sources.tls import tls_context
from schemas.errors import RecoverableError


class HttpPullSource:
    """Asks one URL; see `edge.sources.source.LiveSource`."""

    def __init__(self, settings: HttpPullSettings, clock: InstantClock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._backoff = Backoff(settings.retry.first_s, settings.retry.longest_s, rng)
        self._reader = MessageReader(settings.reading, settings.device_id or settings.name, settings.device_field)
        self._last = b""

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Ask until `stop` is set; a device that does not answer is asked again with back-off."""
        clock, connected = self._clock.clock, None
        with _client(self._settings) as client:
            due_s = clock.monotonic_s()
            while not stop.is_set():
                try:
                    self._take(self._ask(client), outlet)
                except RecoverableError as error:
                    connected = False
                    outlet.state(False, str(error))
                    due_s = clock.monotonic_s() + self._backoff.next_s()
                except Stopped:
                    return
                else:
                    self._backoff.reset()
                    if not connected:
                        connected = True
                        outlet.state(True, self._settings.url)
                    # The schedule does not drift; what was missed is not made up for.
                    due_s = max(due_s + self._settings.interval_s, clock.monotonic_s())
                _wait_until(due_s, clock, stop)

    def _ask(self, client: httpx.Client) -> bytes:
        """The device's answer.

        Raises:
            RecoverableError: if there is none, or none with readings.
        """
        url = self._settings.url
        try:
            with client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise RecoverableError(f"{url}: answered {response.status_code}")
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > self._settings.max_body_bytes:
                        raise RecoverableError(f"{url}: answered more than {self._settings.max_body_bytes} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RecoverableError(f"{url}: {type(error).__name__}: {error}") from error
        return bytes(body)

    def _take(self, body: bytes, outlet: Outlet) -> None:
        now = self._clock.now()
        # With a time of its own an unchanged answer is the reading that we have; without, it is a new one.
        if self._settings.reading.time is not None and body == self._last:
            return
        hand_over(self._reader.read(body, now), body, now, outlet, None)
        self._last = body


def _client(settings: HttpPullSettings) -> httpx.Client:
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    # Without `trust_env` a proxy of the environment never sees a device's token.
    verify = True if settings.tls is None else tls_context(settings.tls)
    return httpx.Client(headers=headers, timeout=settings.timeout_s, verify=verify, trust_env=False)


def _wait_until(due_s: float, clock: Clock, stop: threading.Event) -> None:
    while not stop.is_set() and (rest_s := due_s - clock.monotonic_s()) > 0.0:
        stop.wait(min(rest_s, 1.0))
