"""Functions that describe sessions and windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
from pyflink.table import FunctionContext, ScalarFunction
from pyflink.table.udf import UserDefinedScalarFunctionWrapper, udf

from jobs.runtime.functions.series import BYTES, ROWS_TYPE, encode_groups, encode_or_none, objects
from jobs.runtime.scan_store import open_scan_store
from jobs.runtime.timestamps import milliseconds
from schemas.envelope import RecordKey
from schemas.environment import EnvironmentSettings
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.rows import (
    FEATURES_BALANCE,
    FEATURES_ENV,
    FEATURES_HEALTH,
    FEATURES_PLANTAR,
    FEATURES_POWER,
    FEATURES_SCANNER,
    Row,
    RowValues,
)
from udfs.balance_rows import extract_balance_features
from udfs.environment_rows import extract_environment_features
from udfs.health_rows import extract_health_features
from udfs.plantar_rows import extract_plantar_features
from udfs.power_rows import extract_power_features
from udfs.scanner_rows import extract_scanner_features
from udfs.session_rows import RecordGroup
from udfs.windows import WindowGroup


class DescribeSessions(ScalarFunction):  # type: ignore[misc]
    """Gathered frames of a sensor to the feature rows of their sessions."""

    def __init__(self, row: Row, extract: Callable[[Sequence[RecordGroup]], list[list[RowValues]]]) -> None:
        self._row = row
        self._extract = extract

    def eval(self, keys: pd.Series[Any], last_append: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
        """The rows of each group."""
        groups = [
            RecordGroup(RecordKey.from_bytes(key), appended, packed.tolist())
            for key, appended, packed in zip(keys, milliseconds(last_append).tolist(), values, strict=True)
        ]
        return encode_groups(self._row, self._extract(groups))


class DescribeScans(DescribeSessions):
    """Gathered scans to the feature rows of their sessions; meshes that travel by reference are fetched."""

    def __init__(self, scan_store: str) -> None:
        super().__init__(FEATURES_SCANNER, self._describe)
        self._scan_store = scan_store

    def open(self, function_context: FunctionContext) -> None:
        """Opens the store once in each worker."""
        del function_context
        self._fetch = open_scan_store(self._scan_store)

    def _describe(self, groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
        return extract_scanner_features(groups, self._fetch)


class DescribeWindows(ScalarFunction):  # type: ignore[misc]
    """Gathered frames to the feature rows of their windows."""

    def __init__(self, row: Row, extract: Callable[[Sequence[WindowGroup]], list[RowValues | None]]) -> None:
        self._row = row
        self._extract = extract

    def eval(
        self,
        keys: pd.Series[Any],
        window_ms: pd.Series[Any],
        window_s: pd.Series[Any],
        last_append: pd.Series[Any],
        values: pd.Series[Any],
    ) -> pd.Series[Any]:
        """One row for each window, none for one without a frame."""
        columns = (keys, window_ms, window_s, milliseconds(last_append), values)
        groups = [
            WindowGroup(RecordKey.from_bytes(key), int(start), int(length), int(appended), packed.tolist())
            for key, start, length, appended, packed in zip(*columns, strict=True)
        ]
        return objects([encode_or_none(self._row, row) for row in self._extract(groups)])


def describe_gait() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of ground reaction force."""
    return udf(DescribeSessions(FEATURES_HEALTH, extract_health_features), result_type=ROWS_TYPE, func_type="pandas")


def describe_balance() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions on a force plate."""
    return udf(DescribeSessions(FEATURES_BALANCE, extract_balance_features), result_type=ROWS_TYPE, func_type="pandas")


def describe_plantar() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of pressure devices."""
    return udf(DescribeSessions(FEATURES_PLANTAR, extract_plantar_features), result_type=ROWS_TYPE, func_type="pandas")


def describe_scans(scan_store: str) -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of foot scans, whose large meshes lie in this store."""
    return udf(DescribeScans(scan_store), result_type=ROWS_TYPE, func_type="pandas")


def describe_power(supplies: PerDevice[Supply]) -> UserDefinedScalarFunctionWrapper:
    """The function that describes windows of power sensors."""
    return _windows_function(FEATURES_POWER, partial(extract_power_features, supplies=supplies))


def describe_environment(places: PerDevice[EnvironmentSettings]) -> UserDefinedScalarFunctionWrapper:
    """The function that describes windows of climate and air sensors."""
    return _windows_function(FEATURES_ENV, partial(extract_environment_features, places=places))


def _windows_function(
    row: Row, extract: Callable[[Sequence[WindowGroup]], list[RowValues | None]]
) -> UserDefinedScalarFunctionWrapper:
    return udf(DescribeWindows(row, extract), result_type=BYTES, func_type="pandas")
