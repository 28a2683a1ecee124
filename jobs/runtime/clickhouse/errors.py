"""What an INSERT can come to: the server is away (wait), or it refuses a row (dead letter)."""

from __future__ import annotations

import struct

from clickhouse_driver import errors as driver_errors

from schemas.errors import BrainError, RecoverableError

LONGEST_DETAIL = 1_000


class StoreAwayError(RecoverableError):
    """The server did not answer, or not with a verdict on the rows: they may be stored or not.

    Attributes:
        divisible: fewer rows at once may pass, for it ran out of memory.
    """

    def __init__(self, message: str, *, too_large: bool = False) -> None:
        super().__init__(message)
        self.divisible = too_large


class RowsRefusedError(BrainError):
    """At least one of the rows can never be stored; the message is the server's."""

    divisible = True


_MEMORY_LIMIT_EXCEEDED = 241

# The server's verdicts on values. Any other code says something of the server, its tables or its load, and must
# not send good rows to the dead letters: a missing table is mended, then the rows are stored.
_VALUE_CODES = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        248,  # INVALID_PARTITION_VALUE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        407,  # DECIMAL_OVERFLOW
        469,  # VIOLATED_CONSTRAINT
    }
)
# What the driver raises while it encodes a value that its column can't hold. OSError and EOFError, the
# network's own, are none of these.
_ENCODING_ERRORS = (struct.error, OverflowError, ValueError, TypeError, AttributeError, IndexError)


def explain(error: Exception) -> StoreAwayError | RowsRefusedError:
    """Translates an error of the driver; the only place that knows its types."""
    message = str(error).partition("Stack trace:")[0]
    detail = " ".join(message.split())[:LONGEST_DETAIL] or type(error).__name__
    code = error.code if isinstance(error, driver_errors.Error) else None
    if code in _VALUE_CODES or (code is None and isinstance(error, _ENCODING_ERRORS)):
        return RowsRefusedError(detail)
    return StoreAwayError(detail, too_large=code == _MEMORY_LIMIT_EXCEEDED)
