"""What an answer of the ingestion service means for the records of the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

import httpx
import orjson

from edge.senders.sender import Refusal

LONGEST_RETRY_AFTER_S = 3_600.0
_MAX_DETAIL = 300


class Next(Enum):
    """What to do with a request that is not answered record by record."""

    SPLIT = "split"
    """It was too large: send its halves."""
    WAIT = "wait"
    """It was not looked at: send it again later."""
    WAIT_LOUDLY = "wait loudly"
    """The same, and somebody must do something: mend the key or the address."""
    WAIT_UNSURE = "wait unsure"
    """It may have been stored or not: send it again later, marked as resent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read.

    Attributes:
        next: what to do with records that `fates` leaves open.
        why: for people.
        fates: for each record None (stored), its refusal, or OPEN; empty if the request was not looked at.
        retry_after_s: as the service wishes, 0 without a wish.
    """

    next: Next
    why: str
    fates: Sequence[Refusal | Open | None] = ()
    retry_after_s: float = 0.0


class Open(Enum):
    """The fate of a record that is not known yet."""

    OPEN = "open"


def read_answer(response: httpx.Response, count: int, now: datetime) -> Answer:
    """Reads the answer to a request of `count` records.

    Args:
        response: of the service, or of any proxy before it.
        count: of records in the request.
        now: wall clock, for a `Retry-After` that is a date.
    """
    status, members = response.status_code, _members(response)
    why = f"HTTP {status}: {members.get('detail') or response.reason_phrase}"[:_MAX_DETAIL]
    retry_after_s = _retry_after_s(response.headers.get("retry-after", ""), now)
    if status in (202, 422, 503):
        fates = _fates(members.get("results"), count)
        if fates:
            return Answer(Next.WAIT_UNSURE, why, fates, retry_after_s)
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return Answer(Next.SPLIT, why)
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT):
        return Answer(Next.WAIT, why, retry_after_s=retry_after_s)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or httpx.codes.is_success(status):
        # A success without its results is not the service's answer: a proxy's, or a login page.
        return Answer(Next.WAIT_UNSURE, why, retry_after_s=retry_after_s)
    return Answer(Next.WAIT_LOUDLY, why, retry_after_s=retry_after_s)


def _members(response: httpx.Response) -> dict[str, Any]:
    try:
        members = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return members if isinstance(members, dict) else {}


def _fates(results: Any, count: int) -> list[Refusal | Open | None]:
    """The fate of each record; none at all if there is not one result for each."""
    if not isinstance(results, list) or len(results) != count:
        return []
    fates: list[Refusal | Open | None] = []
    for result in results:
        status = result.get("status") if isinstance(result, dict) else None
        if status == "accepted":
            fates.append(None)
        elif status == "rejected":
            fates.append(Refusal(f"{result.get('reason')}: {result.get('detail')}"[:_MAX_DETAIL], for_good=True))
        else:
            fates.append(Open.OPEN)
    return fates


def _retry_after_s(text: str, now: datetime) -> float:
    """Seconds, from a number or a date."""
    if text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, (date - now).total_seconds()), LONGEST_RETRY_AFTER_S)
