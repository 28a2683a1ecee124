"""The JSON of rows: what one job writes another reads, and a malformed row is named by field and value."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import Column, Kind
from schemas.errors import InvalidMessage, Reason
from schemas.row_codec import decode_row, encode_row
from schemas.rows import ROWS, Row
from schemas.topics import Topic, topic_specs

FLOATS = st.floats(allow_nan=True, allow_infinity=False)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: st.text(max_size=20),
    Kind.INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.TIMESTAMP_MS: st.integers(0, 2**43),
    Kind.BOOL: st.booleans(),
    Kind.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
    Kind.STRINGS: st.lists(st.text(max_size=5), max_size=4),
    Kind.FLOATS: st.lists(FLOATS, max_size=4),
    Kind.BYTES: st.binary(max_size=20),
}


def values_of(column: Column) -> st.SearchStrategy[Any]:
    values = VALUES[column.kind]
    if not column.nullable:
        return values
    return st.one_of(values, st.just(math.nan) if column.kind is Kind.FLOAT64 else st.none())


def rows_of(row: Row) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({column.name: values_of(column) for column in row.columns})


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return bool(one == other)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_written_is_what_is_read(row: Row, data: st.DataObject) -> None:
    values = data.draw(rows_of(row))
    read = decode_row(row, encode_row(row, values))
    assert read.keys() == values.keys()
    assert all(same(values[name], read[name]) for name in values)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_snake_case_json_in_declared_order(row: Row) -> None:
    fields = orjson.loads(encode_row(row, dict.fromkeys(row.column_names)))
    assert tuple(fields) == row.column_names
    assert all(name == name.lower() and "-" not in name for name in fields)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_keys_and_arrival_columns_are_columns(row: Row) -> None:
    assert set(row.natural_key) <= set(row.column_names)
    assert not set(row.natural_key) & row.arrival
    assert len(set(row.column_names)) == len(row.column_names)


RESULT = next(row for row in ROWS if row.name == "inference_result")
GOOD = {column.name: {Kind.STRING: "x", Kind.FLOAT64: 0.5}.get(column.kind, 1) for column in RESULT.columns}


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"", "inference_result: "),
        (b"not json", "inference_result: "),
        (b"[1]", "inference_result: a JSON list, not an object"),
        (orjson.dumps({k: v for k, v in GOOD.items() if k != "score"}), "inference_result.score is missing"),
        (orjson.dumps(GOOD | {"score": "high"}), "inference_result.score='high' is not float64"),
        (orjson.dumps(GOOD | {"score": True}), "inference_result.score=True is not float64"),
        (orjson.dumps(GOOD | {"frames": 1.5}), "inference_result.frames=1.5 is not int64"),
        (orjson.dumps(GOOD | {"frames": None}), "inference_result.frames is null"),
        (orjson.dumps(GOOD | {"label": 3}), "inference_result.label=3 is not string"),
    ],
)
def test_a_malformed_row_is_named_by_field_and_value(value: bytes, detail: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        decode_row(RESULT, value)
    assert caught.value.reason is Reason.MALFORMED_ROW
    assert caught.value.detail.startswith(detail)


def test_fields_of_a_newer_writer_are_ignored() -> None:
    assert "added" not in decode_row(RESULT, orjson.dumps(GOOD | {"added": 1}))


def test_every_topic_has_dead_letters_and_one_number_of_partitions() -> None:
    specs = {spec.name: spec for spec in topic_specs(6)}
    assert {specs[topic.value].partitions for topic in Topic} == {6}
    assert all(topic.dead_letters in specs for topic in Topic)
    assert specs["rawframes"].config["message.timestamp.type"] == "LogAppendTime"
    assert "message.timestamp.type" not in specs["rawframes-processed"].config
