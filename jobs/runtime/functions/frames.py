"""Functions of frames: validation, and the sessions that their summaries make."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pyflink.table import DataTypes, ScalarFunction
from pyflink.table.udf import UserDefinedScalarFunctionWrapper, udf

from jobs.runtime.functions.series import (
    BYTES,
    ROWS_TYPE,
    TRANSFORMED,
    encode_groups,
    encode_or_none,
    judged,
    objects,
    row_type,
    transform,
)
from jobs.runtime.timestamps import milliseconds
from schemas.envelope import RecordKey
from schemas.rows import DEVICE_STATUS, FEATURES_BASE, SESSION_FEATURES
from udfs import status_rows
from udfs.base_rows import derive_base_features
from udfs.frames import validate_frames
from udfs.gathering import gather_summaries
from udfs.sessions import FrameGroup, summarize_sessions


def _find_buckets(
    keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
) -> pd.Series[Any]:
    verdicts = validate_frames(
        keys.tolist(), values.tolist(), sensor_ms.tolist(), milliseconds(append_time), summarise=False
    )
    buckets = zip(verdicts.bucket_ms.tolist(), verdicts.reason, strict=True)
    return objects([bucket if reason is None else None for bucket, reason in buckets])


def _summarize(keys: pd.Series[Any], bucket_ms: pd.Series[Any], summaries: pd.Series[Any]) -> pd.Series[Any]:
    groups = [
        FrameGroup(RecordKey.from_bytes(key), int(bucket), packed.tolist())
        for key, bucket, packed in zip(keys, bucket_ms, summaries, strict=True)
    ]
    return encode_groups(SESSION_FEATURES, summarize_sessions(groups))


def _derive_base(values: pd.Series[Any]) -> pd.DataFrame:
    return transform(SESSION_FEATURES, FEATURES_BASE, values, derive_base_features)


class Validate(ScalarFunction):  # type: ignore[misc]
    """rawframes records to verdicts, with the summaries that the session window gathers."""

    def __init__(self, idle_ms: int) -> None:
        self._idle_ms = idle_ms

    def eval(
        self, keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
    ) -> pd.DataFrame:
        """A refusal, or a bucket and for some records summaries, for each record."""
        record_keys, append_ms = keys.tolist(), milliseconds(append_time)
        verdicts = validate_frames(record_keys, values.tolist(), sensor_ms.tolist(), append_ms)
        gathered = gather_summaries(record_keys, verdicts.bucket_ms, append_ms, verdicts.summary, idle_ms=self._idle_ms)
        return judged(verdicts.refusals(), values, bucket_ms=verdicts.bucket_ms, summaries=objects(gathered))


find_buckets = udf(_find_buckets, result_type=DataTypes.BIGINT(), func_type="pandas")
summarize = udf(_summarize, result_type=ROWS_TYPE, func_type="pandas")
derive_base = udf(_derive_base, result_type=TRANSFORMED, func_type="pandas")


def _describe_status(values: pd.Series[Any], append_time: pd.Series[Any]) -> pd.Series[Any]:
    rows = status_rows.describe_status(values.tolist(), milliseconds(append_time).tolist())
    return objects([encode_or_none(DEVICE_STATUS, row) for row in rows])


describe_status = udf(_describe_status, result_type=BYTES, func_type="pandas")


def validate(session_idle_ms: int) -> UserDefinedScalarFunctionWrapper:
    """The function that validates frames, for session windows with this idle pause."""
    return udf(
        Validate(session_idle_ms),
        result_type=row_type(bucket_ms=DataTypes.BIGINT(), summaries=BYTES),
        func_type="pandas",
    )
