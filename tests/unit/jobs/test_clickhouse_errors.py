"""Which failures send a row to the dead letters, and which make the writer wait."""

from __future__ import annotations

import struct

import pytest
from clickhouse_driver import errors as driver_errors

from jobs.runtime.clickhouse.errors import LONGEST_DETAIL, RowsRefusedError, StoreAwayError, explain


@pytest.mark.parametrize(
    "error",
    [
        driver_errors.ServerException("Constraint `positioned` is violated", code=469),
        driver_errors.TooLargeStringSize("17 bytes into 16"),
        struct.error("'i' format requires -2147483648 <= number"),
        OverflowError("int too large"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_verdict_on_a_value_refuses_rows(error: Exception) -> None:
    assert isinstance(explain(error), RowsRefusedError)


@pytest.mark.parametrize(
    "error",
    [
        driver_errors.NetworkError("connection refused"),
        driver_errors.SocketTimeoutError("timed out"),
        driver_errors.ServerException("Too many parts", code=252),
        driver_errors.ServerException("Unknown table", code=60),
        driver_errors.ServerException("No such column", code=16),
        driver_errors.ServerException("wrong password", code=516),
        driver_errors.PartiallyConsumedQueryError(),
        EOFError("Unexpected EOF while reading bytes"),
        BrokenPipeError(32, "Broken pipe"),
        ConnectionResetError(104, "reset"),
        TimeoutError("timed out"),
    ],
    ids=repr,
)
def test_anything_else_is_waited_for_so_that_no_good_row_is_lost(error: Exception) -> None:
    assert isinstance(explain(error), StoreAwayError)


def test_out_of_memory_asks_for_fewer_rows() -> None:
    explained = explain(driver_errors.ServerException("Memory limit exceeded", code=241))
    assert isinstance(explained, StoreAwayError)
    assert explained.divisible


def test_detail_is_one_short_line_without_the_servers_stack_trace() -> None:
    text = "DB::Exception: violated\nat row 1. Stack trace:\n\n0. ? @ 0x1" + "x" * 5_000
    detail = str(explain(driver_errors.ServerException(text, code=469)))
    assert "Stack trace" not in detail
    assert "\n" not in detail
    assert len(str(explain(ValueError("y" * 5_000)))) == LONGEST_DETAIL
