"""What the OpenAPI page says of POST /v1/ingest: bodies and answers are read and written by hand, for their limits."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from services.ingestion.batches import JSON, PROTOBUF
from services.ingestion.json_events import JsonEvent
from services.ingestion.problems import MEDIA_TYPE, Fault
from services.ingestion.results import IngestAnswer, ProblemAnswer

SECURITY_SCHEME = "deviceKey"
DESCRIPTION = """
Takes one or many events and answers when Kafka has acknowledged every one that was not rejected.

* `202`: at least one record was accepted and none failed; the results name those that were rejected, for good.
* `422`: every record was rejected. `403`: the key covers none of them.
* `503`: at least one record was not acknowledged in time: send those again whose status is `failed`.
"""

_FAULTS_OF_INGEST = (
    Fault.MALFORMED_BODY,
    Fault.NO_KEY,
    Fault.FOREIGN,
    Fault.SLOW_BODY,
    Fault.TOO_LARGE,
    Fault.UNKNOWN_TYPE,
    Fault.ALL_REJECTED,
    Fault.RATE_EXCEEDED,
    Fault.NOT_STORED,
)


class JsonBatch(BaseModel):
    """Many events."""

    envelopes: list[JsonEvent] = Field(min_length=1)


def responses_of_ingest() -> dict[int | str, dict[str, Any]]:
    """The answers by status."""
    problems: dict[int | str, dict[str, Any]] = {
        fault.status: {
            "description": fault.title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
        }
        for fault in _FAULTS_OF_INGEST
    }
    return {202: {"model": IngestAnswer, "description": "Accepted"}, **problems}


def request_of_ingest() -> dict[str, Any]:
    """The body by media type, and the headers that matter."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/JsonEvent"},
                            {"$ref": "#/components/schemas/JsonBatch"},
                        ]
                    }
                },
                PROTOBUF: {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": "iotbrain.v1.IngestBatch of sealed envelopes (schemas/proto/ingest.proto)",
                    }
                },
            },
        },
        "parameters": [
            _header("Content-Encoding", "gzip, zstd or identity."),
            _header(
                "Idempotency-Key", "The same when the request is sent again: events without a number get it from here."
            ),
        ],
        "security": [{SECURITY_SCHEME: []}],
    }


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """Adds what the request and the answers refer to."""
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (JsonBatch, ProblemAnswer):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= described.pop("$defs", {})
        schemas[model.__name__] = described
    components["securitySchemes"] = {
        SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "<key id>.<secret>"}
    }
    return schema


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}
