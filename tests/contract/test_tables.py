"""The SQL tables say what schemas/rows.py says, and their keys are pure functions of the events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from schemas.columns import Column, Kind
from schemas.rows import ROWS, Row
from stack.migrations import split_statements
from udfs.table_blocks import POSITION_COLUMNS

SQL_FOLDER = Path(__file__).resolve().parents[2] / "clickhouse"
STORED_ROWS = [row for row in ROWS if row.table]
ONLY_IN_TABLES = {"kafka_topic_id": "LowCardinality(String)", "kafka_partition": "Int32", "kafka_offset": "Int64"}
INSERTED_AT = "inserted_at"
# Identifiers without a bound on their number; every other string repeats and is LowCardinality.
UNBOUNDED_STRINGS = {"device_id", "session_id", "request_id", "alert_id", "boot_id", "detail"}
TYPE_OF_KIND = {
    Kind.STRING: "LowCardinality(String)",
    Kind.INT32: "Int32",
    Kind.INT64: "Int64",
    Kind.FLOAT64: "Float64",
    Kind.BOOL: "Bool",
    Kind.TIMESTAMP_MS: "DateTime64(3, 'UTC')",
    Kind.STRINGS: "Array(LowCardinality(String))",
    Kind.FLOATS: "Array(Nullable(Float64))",
    Kind.BYTES: "String",
}


@dataclass(frozen=True)
class SqlTable:
    """A CREATE TABLE statement, taken apart."""

    columns: dict[str, str]
    engine: str
    partition_by: str
    order_by: tuple[str, ...]
    ttl: str


def _at_depth_0(text: str) -> list[str]:
    """Splits at commas outside all parentheses."""
    parts, depth, part = [], 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += character
    return [*parts, part.strip()]


def _sql_type(definition: str) -> str:
    """The type at the start of a column's definition, before CODEC, DEFAULT, ALIAS and the like."""
    return re.split(r"\s+(?:CODEC|DEFAULT|MATERIALIZED|ALIAS)\b", definition)[0]


def _parse(statement: str) -> tuple[str, SqlTable]:
    name = re.match(r"CREATE TABLE IF NOT EXISTS brain\.(\w+)", statement)
    assert name, statement[:80]
    body, tail = statement[name.end() :].split("\n)\n", 1)
    lines = _at_depth_0(body.strip().removeprefix("("))
    columns = dict(line.split(None, 1) for line in lines if not re.match(r"(INDEX|PROJECTION|CONSTRAINT)\b", line))
    clauses = {
        key: re.search(rf"^{key}\s*=?\s*(.+)$", tail, re.MULTILINE)
        for key in ("ENGINE", "PARTITION BY", "ORDER BY", "TTL")
    }
    found = {key: match.group(1) if match else "" for key, match in clauses.items()}
    order_by = tuple(found["ORDER BY"].strip("()").split(", "))
    return name.group(1), SqlTable(columns, found["ENGINE"], found["PARTITION BY"], order_by, found["TTL"])


@cache
def _statements() -> tuple[str, ...]:
    files = sorted(SQL_FOLDER.glob("*.sql"))
    return tuple(statement for file in files for statement in split_statements(file.read_text()))


@cache
def _tables() -> dict[str, SqlTable]:
    tables = dict(_parse(statement) for statement in _statements() if statement.startswith("CREATE TABLE"))
    for statement in _statements():
        if added := re.fullmatch(_ADDED, statement):
            columns = list(tables[added["table"]].columns.items())
            place = [name for name, _ in columns].index(added["after"]) + 1
            tables[added["table"]].columns.clear()
            tables[added["table"]].columns.update(
                [*columns[:place], (added["column"], added["type"]), *columns[place:]]
            )
    return tables


_ADDED = r"ALTER TABLE brain\.(?P<table>\w+) ADD COLUMN IF NOT EXISTS (?P<column>\w+) (?P<type>.+) AFTER (?P<after>\w+)"


def _expected_type(column: Column) -> str:
    plain = "String" if column.name in UNBOUNDED_STRINGS else TYPE_OF_KIND[column.kind]
    return f"Nullable({plain})" if column.nullable else plain


@pytest.mark.parametrize("row", STORED_ROWS, ids=lambda row: row.table)
def test_table_has_the_columns_of_its_row_in_order_and_only_the_position_besides(row: Row) -> None:
    columns = _tables()[row.table].columns
    assert list(columns) == [*row.column_names, *POSITION_COLUMNS, INSERTED_AT]


@pytest.mark.parametrize("row", STORED_ROWS, ids=lambda row: row.table)
def test_column_types_follow_kind_and_nullability(row: Row) -> None:
    columns = _tables()[row.table].columns
    stored = {column.name: _sql_type(columns[column.name]) for column in row.columns}
    assert stored == {column.name: _expected_type(column) for column in row.columns}


@pytest.mark.parametrize("row", STORED_ROWS, ids=lambda row: row.table)
def test_rows_replace_each_other_by_natural_key_and_revision(row: Row) -> None:
    table = _tables()[row.table]
    assert table.engine == "ReplacingMergeTree(revision)"
    assert table.order_by == row.natural_key


def test_every_row_that_is_stored_has_a_table() -> None:
    assert {row.table for row in STORED_ROWS} <= _tables().keys()
    assert _tables().keys() - {row.table for row in STORED_ROWS} == {"rawframes", "dead_letters"}


@pytest.mark.parametrize("table", sorted(_tables()))
def test_every_table_knows_the_kafka_position_of_its_rows(table: str) -> None:
    columns = _tables()[table].columns
    assert {name: _sql_type(columns[name]) for name in POSITION_COLUMNS} == ONLY_IN_TABLES


@pytest.mark.parametrize("table", sorted(_tables()))
def test_keys_and_lifetimes_are_pure_functions_of_the_row(table: str) -> None:
    """A replay must find its row in the same table partition, under the same key: no clock, no insertion time."""
    parsed = _tables()[table]
    for clause in (parsed.partition_by, *parsed.order_by, parsed.ttl):
        assert not re.search(r"\b(now|today|rand|generateUUID)", clause, re.IGNORECASE), clause
        assert INSERTED_AT not in clause
    for name in parsed.order_by:
        assert "now" not in parsed.columns[name]


def test_all_statements_can_run_twice() -> None:
    statements = _statements()
    assert len(statements) > len(STORED_ROWS)
    again = r"CREATE (TABLE|VIEW|DATABASE) IF NOT EXISTS |ALTER TABLE brain\.\w+ ADD COLUMN IF NOT EXISTS "
    assert all(re.match(again, statement) for statement in statements)


def test_raw_frames_are_never_merged_away() -> None:
    """One row per event is the writer's work; an engine that replaces rows would hide its mistakes."""
    assert _tables()["rawframes"].engine == "MergeTree"
