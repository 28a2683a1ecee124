"""The two jobs that read `rawframes` judge a batch alike, as Flink calls their functions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from jobs.runtime.functions.frames import Validate, find_buckets
from schemas.envelope import Record
from tests.builders import APPEND_MS, START_US, FrameBuilder, scalar_records
from udfs.summaries import unpack_summaries


def columns_of(records: list[Record]) -> list[pd.Series]:  # type: ignore[type-arg]
    times = pd.Series(pd.to_datetime(np.full(len(records), APPEND_MS), unit="ms", utc=True))
    return [
        pd.Series([record.key for record in records], dtype=object),
        pd.Series([record.value for record in records], dtype=object),
        pd.Series([record.headers.get("sensor_ms") for record in records], dtype=object),
        times,
    ]


GOOD = scalar_records(12)
BAD = dataclasses.replace(GOOD[3], value=GOOD[3].value[:40])
NAN = FrameBuilder(sequence=99, samples=np.array([[np.nan]])).record()
MIXED = [*GOOD[:5], BAD, *GOOD[5:], NAN]


def test_what_the_sessionizer_refuses_the_frame_filter_does_not_copy() -> None:
    judged = Validate(5_000).eval(*columns_of(MIXED))
    buckets = find_buckets._func(*columns_of(MIXED))
    refused = [index for index, reason in enumerate(judged["refusal"]) if reason is not None]
    assert refused == [5, 13]
    assert [index for index, bucket in enumerate(buckets) if bucket is None] == refused
    assert {bucket for bucket in buckets if bucket is not None} == {START_US // 1000}


def test_the_summaries_of_a_batch_travel_on_their_first_arrival() -> None:
    judged = Validate(5_000).eval(*columns_of(MIXED))
    carried = [packed for packed in judged["summaries"] if packed is not None]
    assert len(carried) == 1
    assert len(unpack_summaries(carried, 1)) == len(GOOD)
