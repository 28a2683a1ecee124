"""The uplink: one batch of records to the ingestion service, again and again until the fate of each is known."""

from __future__ import annotations

import gzip
import ipaddress
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from edge.errors import DeliveryError
from edge.pace import Clock
from edge.senders.answers import Answer, Next, Open, read_answer
from edge.senders.http_settings import HttpSenderSettings
from edge.senders.sender import Refusal
from edge.spool.resent import flagged_as_resent
from schemas.envelope import Record
from schemas.proto.ingest_pb2 import IngestBatch

LOG = logging.getLogger(__name__)
# httpx reports every request; `_say` tells of those that do not pass.
logging.getLogger("httpx").setLevel(logging.WARNING)

INGEST_PATH = "/v1/ingest"
_CONTENT_TYPE = "application/x-protobuf"
_SAY_EVERY_S = 30.0
# The service closes after 5 s; a connection that it is just closing would make every record of the request a resend.
_KEEP_ALIVE_S = 4.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_MOST_DOUBLINGS = 32


class Parcel(NamedTuple):
    """What one request carries: records with their places in the batch."""

    places: tuple[int, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Pauses:
    """How the uplink waits.

    Attributes:
        wait: lets seconds pass; returns False if the wait is over for another reason, and all sending with it.
        random: 0 to 1, evenly (`random.random` at a program's entry): devices that lost one service come back apart.
        clock: tells how long nothing went through.
    """

    wait: Callable[[float], bool]
    random: Callable[[], float]
    clock: Clock


class Uplink:
    """Sends batches; one thread may use it at a time.

    Args:
        settings: address, key, compression, waits.
        pauses: how to wait.
        transport: in place of the network, for tests.

    Raises:
        DeliveryError: if the settings can't work: no such package, no such file.
    """

    def __init__(
        self, settings: HttpSenderSettings, pauses: Pauses, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._pauses = pauses
        self._compress = compressor(settings.compression)
        self._said_s: float | None = None
        if settings.key is not None and not _is_safe(httpx.URL(settings.url)):
            LOG.warning("the key goes over plain HTTP to %s: whoever listens can use it", settings.url)
        try:
            self._client = httpx.Client(
                base_url=settings.url,
                headers=_headers(settings),
                verify=str(settings.ca_location) if settings.ca_location else True,
                timeout=settings.timeout_s,
                limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
                transport=transport,
            )
        except OSError as error:
            raise DeliveryError(f"HTTP sender: {settings.ca_location}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def deliver(self, records: Sequence[Record], settle: Callable[[int, Refusal | None], None]) -> None:
        """Send until the fate of each record is known, or the wait is over.

        Args:
            records: of one batch.
            settle: told the place of each record and its refusal, None when the service has stored it.
        """
        parcels = deque([Parcel(tuple(range(len(records))), tuple(records))])
        failures = 0
        while parcels:
            parcel = parcels.popleft()
            answer = self._post(parcel)
            rest = _settle_known(parcel, answer, settle)
            if not rest.places:
                failures = 0
                continue
            if answer.next is Next.SPLIT:
                parcels.extendleft(reversed(_halves(rest, answer, settle)))
                continue
            if answer.next is Next.WAIT_UNSURE:
                rest = rest._replace(records=tuple(map(flagged_as_resent, rest.records)))
            parcels.appendleft(rest)
            self._say(answer, len(rest.places))
            if not self._pauses.wait(self._delay_s(failures, answer.retry_after_s)):
                return
            failures += 1

    def _post(self, parcel: Parcel) -> Answer:
        body = IngestBatch(envelopes=[record.value for record in parcel.records]).SerializeToString()
        try:
            response = self._client.post(INGEST_PATH, content=self._compress(body))
        except _NOT_SENT as error:
            return Answer(Next.WAIT, _text(error))
        except (httpx.TransportError, httpx.DecodingError) as error:
            return Answer(Next.WAIT_UNSURE, _text(error))
        now = datetime.fromtimestamp(self._pauses.clock.now_ms() / 1_000, UTC)
        return read_answer(response, len(parcel.places), now)

    def _delay_s(self, failures: int, retry_after_s: float) -> float:
        """What the service asks for, and on top of it a random part of a time that doubles."""
        limits = self._settings
        ceiling_s: float = min(limits.backoff_max_s, limits.backoff_first_s * 2.0 ** min(failures, _MOST_DOUBLINGS))
        return retry_after_s + self._pauses.random() * ceiling_s

    def _say(self, answer: Answer, waiting: int) -> None:
        """At once and then once in a while, tell that records are waiting and why."""
        now_s = self._pauses.clock.monotonic_s()
        if self._said_s is not None and now_s - self._said_s < _SAY_EVERY_S:
            return
        self._said_s = now_s
        level = logging.ERROR if answer.next is Next.WAIT_LOUDLY else logging.WARNING
        LOG.log(level, "%d frames wait for %s: %s", waiting, self._settings.url, answer.why)


def compressor(name: str) -> Callable[[bytes], bytes]:
    """The function that compresses a body.

    Raises:
        DeliveryError: if its package is missing.
    """
    if name == "gzip":
        return gzip.compress
    if name == "none":
        return bytes
    try:
        import zstandard  # noqa: PLC0415  # a small board may do without it
    except ImportError as error:
        raise DeliveryError("compression zstd: run pip install zstandard, or choose gzip") from error
    return zstandard.compress


def _settle_known(parcel: Parcel, answer: Answer, settle: Callable[[int, Refusal | None], None]) -> Parcel:
    """Tells what the answer says of single records and returns those of which it says nothing."""
    if not answer.fates:
        return parcel
    still_open = [index for index, fate in enumerate(answer.fates) if isinstance(fate, Open)]
    for place, fate in zip(parcel.places, answer.fates, strict=True):
        if not isinstance(fate, Open):
            settle(place, fate)
    return Parcel(
        tuple(parcel.places[index] for index in still_open), tuple(parcel.records[index] for index in still_open)
    )


def _halves(parcel: Parcel, answer: Answer, settle: Callable[[int, Refusal | None], None]) -> list[Parcel]:
    """Two smaller requests; a single record that is too large is refused for good."""
    if len(parcel.places) == 1:
        settle(parcel.places[0], Refusal(answer.why, for_good=True))
        return []
    middle = len(parcel.places) // 2
    return [
        Parcel(parcel.places[:middle], parcel.records[:middle]),
        Parcel(parcel.places[middle:], parcel.records[middle:]),
    ]


def _headers(settings: HttpSenderSettings) -> dict[str, str]:
    headers = {"Content-Type": _CONTENT_TYPE, "User-Agent": "brain-edge"}
    if settings.compression != "none":
        headers["Content-Encoding"] = settings.compression
    if settings.key is not None:
        headers["Authorization"] = f"Bearer {settings.key.get_secret_value()}"
    return headers


def _is_safe(url: httpx.URL) -> bool:
    """Whether nobody can listen on the way."""
    if url.scheme == "https" or url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _text(error: httpx.HTTPError | httpx.DecodingError) -> str:
    return str(error) or type(error).__name__
