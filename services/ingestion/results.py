"""What is answered for each record, and for the request as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.ingestion.problems import Fault, ProblemError
from services.ingestion.screening import Screened
from services.ingestion.writer import Delivery, Fate

NOT_STORED_RETRY_S = 2.0


class Status(StrEnum):
    """What became of a record."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


class RecordResult(BaseModel):
    """One record of the request, in its order."""

    index: int = Field(description="Place in the request, from 0.")
    status: Status = Field(description="accepted: Kafka has it. rejected: never send it again. failed: send it again.")
    event_id: str = Field("", description="Empty if the record could not be read so far.")
    reason: str = Field("", description="Code of a rejection, the same as in the dead letters.")
    detail: str = Field("", description="The offending value and its place.")
    field: str = Field("", description="JSON path of the wrong field.")


class IngestAnswer(BaseModel):
    """The answer to a request of which at least one record was accepted and none failed."""

    accepted: int
    rejected: int
    results: list[RecordResult]


class FieldError(BaseModel):
    """A field that is wrong."""

    field: str
    detail: str
    reason: str = ""


class ProblemAnswer(BaseModel):
    """problem+json (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)
    results: list[RecordResult] = Field(default_factory=list, description="If the records were looked at.")


def answer(screened: Sequence[Screened], deliveries: Sequence[Delivery]) -> Response:
    """The answer to a request.

    Args:
        screened: all records of the request.
        deliveries: of those that were not rejected, in their order.

    Raises:
        ProblemError: if a record failed, or if all were rejected.
    """
    results = record_results(screened, deliveries)
    counts = {status: sum(result["status"] == status for result in results) for status in Status}
    if counts[Status.FAILED]:
        error = next(result["detail"] for result in results if result["status"] == Status.FAILED)
        detail = f"{counts[Status.FAILED]} of {len(results)} records: {error}"
        raise ProblemError(
            Fault.NOT_STORED, detail, retry_after_s=NOT_STORED_RETRY_S, members=_members(counts, results)
        )
    if not counts[Status.ACCEPTED]:
        raise _all_rejected(screened, counts, results)
    return Response(orjson.dumps(_members(counts, results)), HTTPStatus.ACCEPTED, media_type="application/json")


def record_results(screened: Sequence[Screened], deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """A `RecordResult` for each record; plain dicts, for there may be ten thousand."""
    results: list[dict[str, Any]] = []
    fates = iter(deliveries)
    for index, item in enumerate(screened):
        result: dict[str, Any] = {"index": index, "status": Status.ACCEPTED, "event_id": item.event_id}
        if item.rejection is not None:
            rejection = item.rejection
            result |= {"status": Status.REJECTED, "reason": rejection.reason.value, "detail": rejection.detail}
            result |= {"field": rejection.field} if rejection.field else {}
        elif (delivery := next(fates)).fate is not Fate.ACKNOWLEDGED:
            result |= {"status": Status.FAILED, "detail": delivery.error}
        results.append(result)
    return results


def _all_rejected(
    screened: Sequence[Screened], counts: dict[Status, int], results: list[dict[str, Any]]
) -> ProblemError:
    rejections = [item.rejection for item in screened if item.rejection is not None]
    first = rejections[0]
    errors = [{"field": each.field, "detail": each.detail, "reason": each.reason.value} for each in rejections[:100]]
    foreign = all(rejection.is_foreign for rejection in rejections)
    return ProblemError(
        Fault.FOREIGN if foreign else Fault.ALL_REJECTED,
        f"{first.reason.value}: {first.detail}",
        members={"errors": errors, **_members(counts, results)},
    )


def _members(counts: dict[Status, int], results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"accepted": counts[Status.ACCEPTED], "rejected": counts[Status.REJECTED], "results": results}
