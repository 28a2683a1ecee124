"""The two families of error, told apart by type: invalid (dead letter) and recoverable (retry)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a frame or a row is invalid: the reason code of its dead letter."""

    EMPTY = "empty"
    OVERSIZED = "oversized"
    MISSING_CHECKSUM = "missing_checksum"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    MALFORMED_ENVELOPE = "malformed_envelope"
    UNKNOWN_SCHEMA_VERSION = "unknown_schema_version"
    BAD_IDENTIFIER = "bad_identifier"
    KEY_MISMATCH = "key_mismatch"
    HEADER_MISMATCH = "header_mismatch"
    BAD_TIMESTAMP = "bad_timestamp"
    UNKNOWN_PAYLOAD_TYPE = "unknown_payload_type"
    MALFORMED_PAYLOAD = "malformed_payload"
    UNKNOWN_SENSOR = "unknown_sensor"
    UNIT_MISMATCH = "unit_mismatch"
    BAD_CHANNELS = "bad_channels"
    BAD_SAMPLE_RATE = "bad_sample_rate"
    SAMPLE_COUNT_MISMATCH = "sample_count_mismatch"
    NON_FINITE_VALUE = "non_finite_value"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    MALFORMED_ROW = "malformed_row"
    FEATURE_SCHEMA_MISMATCH = "feature_schema_mismatch"
    UNKNOWN_MODEL = "unknown_model"
    SCAN_NOT_FOUND = "scan_not_found"
    NOT_STORABLE = "not_storable"
    FOREIGN_TENANT = "foreign_tenant"
    FOREIGN_DEVICE = "foreign_device"


class BrainError(Exception):
    """Base of every error that iot-brain raises on purpose."""


class InvalidMessage(BrainError):
    """The input is wrong and will stay wrong: it goes to the dead letters, never to a retry.

    Attributes:
        reason: the code that readers group by.
        detail: the offending value and its place.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class RecoverableError(BrainError):
    """Something outside is away for now: retry with back-off, then fail the task."""


class SettingsError(BrainError):
    """Settings are wrong or missing; the message names every one of them."""


class RecordingError(InvalidMessage):
    """A recording file is malformed; the detail names file, line and column."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.MALFORMED_PAYLOAD, detail)
