"""What is answered when a request as a whole is not accepted: problem+json (RFC 9457), never a trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from schemas.errors import BrainError

MEDIA_TYPE = "application/problem+json"


class Fault(Enum):
    """The kinds of problem: status and title of each."""

    MALFORMED_BODY = (400, "The body is not what its type says")
    BAD_HEADER = (400, "A header is malformed")
    NO_KEY = (401, "No valid device key")
    FOREIGN = (403, "The key does not cover these records")
    NO_SUCH_PAGE = (404, "No such page")
    WRONG_METHOD = (405, "The page has no such method")
    SLOW_BODY = (408, "The body came too slowly")
    TOO_LARGE = (413, "The request is too large")
    UNKNOWN_TYPE = (415, "The type or encoding of the body is not supported")
    ALL_REJECTED = (422, "Every record was rejected")
    RATE_EXCEEDED = (429, "Too many for this key")
    LARGE_HEADERS = (431, "The headers are too large")
    INTERNAL = (500, "An error of the service")
    NOT_STORED = (503, "Kafka has not acknowledged every record")
    BUSY = (503, "The service is full")
    NOT_READY = (503, "The service is not ready")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def title(self) -> str:
        """The same for all problems of this kind."""
        return str(self.value[1])

    @property
    def code(self) -> str:
        """What programs tell them apart by."""
        return self.name.lower()


# Exceptions are told apart by identity; the machinery of tracebacks wants them hashable.
@dataclass(eq=False)
class ProblemError(BrainError):
    """A request that is answered with a problem.

    Attributes:
        fault: which kind.
        detail: the offending value and the limit or form that it misses.
        field: the header or JSON path that is wrong.
        retry_after_s: when to come again, for what may pass.
        members: further members of the answer.
        close: whether the connection can't be used any more.
    """

    fault: Fault
    detail: str
    field: str = ""
    retry_after_s: float | None = None
    members: Mapping[str, Any] | None = None
    close: bool = False

    def response(self) -> Response:
        """The answer."""
        headers: dict[str, str] = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.fault is Fault.NO_KEY:
            headers["WWW-Authenticate"] = "Bearer"
        if self.close:
            headers["Connection"] = "close"
        return Response(self.body(), self.fault.status, headers, MEDIA_TYPE)

    def body(self) -> bytes:
        """The JSON of the answer."""
        members: dict[str, Any] = {
            "type": f"urn:iot-brain:problem:{self.fault.code}",
            "title": self.fault.title,
            "status": self.fault.status,
            "detail": self.detail,
        }
        if self.field:
            members["errors"] = [{"field": self.field, "detail": self.detail}]
        return orjson.dumps(members | dict(self.members or {}))


def problem_of_status(status: int, detail: str) -> ProblemError:
    """The problem for a status that the framework gives."""
    known = {404: Fault.NO_SUCH_PAGE, 405: Fault.WRONG_METHOD}
    fault = known.get(status, Fault.INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Fault.MALFORMED_BODY)
    return ProblemError(fault, detail)
