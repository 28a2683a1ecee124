"""Derived rows and dead letters in a real ClickHouse."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jobs.runtime.clickhouse.client import open_writer
from jobs.runtime.clickhouse.routes import DEAD_LETTERS, row_route
from schemas.row_codec import encode_row
from schemas.rows import INFERENCE_RESULT, ROWS, SESSION_FEATURES, Row
from tests.integration.clickhouse_server import APPEND_MS, ClickHouseServer, batch_of
from tests.unit.udfs.test_table_blocks import row_values

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("row", [row for row in ROWS if row.table], ids=lambda row: row.table)
def test_every_derived_row_fits_its_table(server: ClickHouseServer, row: Row) -> None:
    route = row_route(row)
    # What arrived long ago would be at the end of its life at once.
    value = encode_row(row, row_values(row, **dict.fromkeys({"last_append_ms"} & {*row.column_names}, APPEND_MS)))
    assert open_writer(server.settings, route).store(route.block(batch_of([value]))) == [None]
    assert server.execute(f"SELECT count() FROM brain.{row.table}") == [(1,)]


def test_nan_is_stored_as_null(server: ClickHouseServer) -> None:
    for row, changed in (
        (INFERENCE_RESULT, {"score": math.nan}),
        (SESSION_FEATURES, {"channel_std": [1.0, math.nan], "sample_rate_hz": math.nan}),
    ):
        route = row_route(row)
        value = encode_row(row, row_values(row, **changed))
        open_writer(server.settings, route).store(route.block(batch_of([value])))
    assert server.execute("SELECT score FROM brain.inference_results") == [(None,)]
    assert server.execute("SELECT channel_std, sample_rate_hz FROM brain.session_features") == [([1.0, None], None)]


def test_higher_revision_replaces_the_lower_whichever_comes_first(server: ClickHouseServer) -> None:
    route = row_route(SESSION_FEATURES)
    values = [encode_row(SESSION_FEATURES, row_values(SESSION_FEATURES, revision=revision)) for revision in (3, 9, 5)]
    open_writer(server.settings, route).store(route.block(batch_of(values)))
    assert server.execute("SELECT revision FROM brain.session_features FINAL") == [(9,)]


def test_dead_letter_is_stored_byte_for_byte_and_once_for_each_stage(server: ClickHouseServer) -> None:
    original = bytes(range(256))
    headers = {
        "stage": [b"sessionizer"] * 2,
        "reason": [b"checksum_mismatch"] * 2,
        "source_topic": [b"rawframes"] * 2,
        "source_partition": [b"1"] * 2,
        "source_offset": [b"77"] * 2,
    }
    batch = batch_of([original, original], headers=headers, append_ms=np.full(2, APPEND_MS))
    open_writer(server.settings, DEAD_LETTERS).store(DEAD_LETTERS.block(batch))
    rows = server.execute(
        "SELECT hex(value), stage, reason, source_partition, source_offset FROM brain.dead_letters FINAL"
    )
    assert rows == [(original.hex().upper(), "sessionizer", "checksum_mismatch", 1, 77)]
