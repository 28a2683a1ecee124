"""The writer as Flink calls it: columns as Series in, a reason for each row out."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr

from jobs.runtime.clickhouse import sink_function
from jobs.runtime.clickhouse.routes import DEAD_LETTERS, RAWFRAMES, Route, row_route
from jobs.runtime.clickhouse.settings import ClickHouseSettings
from jobs.runtime.clickhouse.sink_function import ClickHouseSink
from schemas.rows import FEATURES_BASE, INFERENCE_REQUEST
from tests.builders import APPEND_MS, scalar_records
from udfs.table_blocks import Block


class RecordingWriter:
    """Keeps the blocks and refuses offset 1 of every source."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def store(self, block: Block) -> list[str | None]:
        self.blocks.append(block)
        reasons: list[str | None] = [None] * block.batch_size
        for row in block.rows[block.offsets == 1]:
            reasons[int(row)] = f"not_storable: of {block.topic_id}"
        for row, error in block.rejected.items():
            reasons[row] = str(error)
        return reasons


def opened(route: Route, monkeypatch: pytest.MonkeyPatch) -> tuple[ClickHouseSink, RecordingWriter]:
    writer = RecordingWriter()
    monkeypatch.setattr(sink_function, "open_writer", lambda settings, route: writer)
    sink: ClickHouseSink = pickle.loads(pickle.dumps(ClickHouseSink(route, "own-topic", ClickHouseSettings())))  # noqa: S301
    sink.open(None)
    return sink, writer


def frame_columns(count: int) -> list[Any]:
    records = scalar_records(count)
    times = pd.Series(np.arange(APPEND_MS, APPEND_MS + count).astype("datetime64[ms]"))
    return [
        pd.Series([0] * count),
        pd.Series(range(count)),
        times,
        pd.Series([record.key for record in records]),
        pd.Series([record.value for record in records]),
    ]


def test_rows_are_stored_with_position_and_append_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, writer = opened(RAWFRAMES, monkeypatch)
    reasons = sink.eval(*frame_columns(3), pd.Series([None] * 3))
    assert reasons.tolist() == [None, "not_storable: of own-topic", None]
    (block,) = writer.blocks
    assert block.columns["kafka_offset"].tolist() == [0, 1, 2]
    assert block.columns["append_timestamp_ms"].tolist() == [APPEND_MS, APPEND_MS + 1, APPEND_MS + 2]


def test_reasons_come_back_in_the_order_of_the_rows_though_origins_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, writer = opened(RAWFRAMES, monkeypatch)
    reasons = sink.eval(*frame_columns(3), pd.Series([b"a/0/5", b"b/0/1", b"a/0/1"]))
    assert reasons.tolist() == [None, "not_storable: of b", "not_storable: of a"]
    assert {block.topic_id: len(block) for block in writer.blocks} == {"a": 2, "b": 1}


def test_record_that_is_no_row_comes_back_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, _ = opened(row_route(FEATURES_BASE), monkeypatch)
    columns = frame_columns(1)
    columns[4] = pd.Series([b"no json"])
    assert sink.eval(*columns).tolist()[0].startswith("malformed_row: ")


def test_batch_without_rows_is_no_insert(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, _ = opened(DEAD_LETTERS, monkeypatch)
    columns = [column.iloc[:0] for column in frame_columns(1)]
    assert sink.eval(*columns, *[pd.Series([], dtype=object)] * len(DEAD_LETTERS.headers)).tolist() == []


def test_flink_must_not_call_it_again_for_the_same_row() -> None:
    assert not ClickHouseSink(RAWFRAMES, "t", ClickHouseSettings()).is_deterministic()


def test_password_is_not_in_what_is_logged() -> None:
    assert "open sesame" not in repr(ClickHouseSettings(password=SecretStr("open sesame")))


def test_row_without_a_table_has_no_route() -> None:
    with pytest.raises(KeyError):
        row_route(INFERENCE_REQUEST)
