from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.errors import ChangedMigrationError, StackConfigError
from stack.migrations import GLOB_VARIABLE, Migration, apply, load, split_statements


class RecordingClient:
    """Remembers statements and keeps the record table, as the server would."""

    def __init__(self, recorded: dict[str, str] | None = None) -> None:
        self.recorded = recorded or {}
        self.statements: list[str] = []

    def execute(self, query: str, params: Sequence[Sequence[object]] | None = None) -> list[tuple[str, ...]]:
        assert params is None
        if query.startswith("SELECT file_name"):
            return list(self.recorded.items())
        if query.startswith("INSERT INTO brain.schema_migrations"):
            name, digest = query.split("'")[1], query.split("'")[3]
            self.recorded[name] = digest
        elif "schema_migrations" not in query and not query.startswith("CREATE DATABASE"):
            self.statements.append(query)
        return []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("A; B;", ["A", "B"]),
        ("A", ["A"]),
        (" ;; \n; ", []),
        ("A ';' B; C", ["A ';' B", "C"]),
        (r"A 'it\'s;' B; C", [r"A 'it\'s;' B", "C"]),
        ("A 'it''s;' B; C", ["A 'it''s;' B", "C"]),
        ('A "x;y", `p;q`; B', ['A "x;y", `p;q`', "B"]),
        ("-- one; two\nA; B -- three; four", ["A", "B"]),
        ("/* one;\n two; */ A", ["A"]),
        ("A 'no -- comment'; B", ["A 'no -- comment'", "B"]),
        ("A --it's\n; B", ["A", "B"]),
        ("SELECT 1/* x */+ 1", ["SELECT 1 + 1"]),
    ],
)
def test_statements_end_at_semicolons_outside_of_strings_and_comments(sql: str, expected: list[str]) -> None:
    assert split_statements(sql) == expected


_WORD = st.text("abc xyz()=,\n", min_size=1).map(str.strip).filter(bool)
_STRING = st.text("ab;-'\"`/*#\n ").map(lambda text: "'" + text.replace("'", "''") + "'")


@given(st.lists(st.lists(st.one_of(_WORD, _STRING), min_size=1).map(" ".join), min_size=1))
def test_joined_statements_are_split_into_the_same_again(statements: list[str]) -> None:
    assert split_statements(";\n".join(statements)) == statements


def test_files_are_applied_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10_c.sql", "002_b.sql", "001_a.sql"):
        (tmp_path / name).write_text(f"{name}; ")
    client = RecordingClient()
    report = apply(client, load({GLOB_VARIABLE: str(tmp_path / "*.sql")}))
    assert report.applied == ["001_a.sql", "002_b.sql", "10_c.sql"]
    assert client.statements == ["001_a.sql", "002_b.sql", "10_c.sql"]


def test_recorded_files_are_not_applied_again() -> None:
    migrations = [Migration("001_a.sql", 1, "A; B"), Migration("002_b.sql", 2, "C")]
    client = RecordingClient()
    apply(client, migrations[:1])
    report = apply(client, migrations)
    assert (report.applied, report.skipped) == (["002_b.sql"], ["001_a.sql"])
    assert client.statements == ["A", "B", "C"]
    assert set(client.recorded) == {"001_a.sql", "002_b.sql"}


def test_changed_file_is_named_and_nothing_is_applied() -> None:
    client = RecordingClient({"002_b.sql": "0" * 64})
    with pytest.raises(ChangedMigrationError, match=r"002_b\.sql was changed after it was applied"):
        apply(client, [Migration("001_a.sql", 1, "A"), Migration("002_b.sql", 2, "B")])
    assert client.statements == []


def test_failed_file_is_not_recorded_and_names_its_statement() -> None:
    class Failing(RecordingClient):
        def execute(self, query: str, params: Sequence[Sequence[object]] | None = None) -> list[tuple[str, ...]]:
            if query == "B":
                raise ValueError("refused")
            return super().execute(query, params)

    client = Failing()
    with pytest.raises(ValueError, match="refused") as raised:
        apply(client, [Migration("001_a.sql", 1, "A; B; C")])
    assert raised.value.__notes__ == ["in 001_a.sql, statement 2:\nB"]
    assert client.recorded == {}


def test_file_without_number_and_empty_directory_are_settings_errors(tmp_path: Path) -> None:
    with pytest.raises(StackConfigError, match="no file matches"):
        load({GLOB_VARIABLE: str(tmp_path / "*.sql")})
    (tmp_path / "init.sql").write_text("A")
    with pytest.raises(StackConfigError, match=r"init\.sql: want NUMBER_name\.sql"):
        load({GLOB_VARIABLE: str(tmp_path / "*.sql")})


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("001_a.sql", "1_b.sql"):
        (tmp_path / name).write_text("A")
    with pytest.raises(StackConfigError, match="the same number"):
        load({GLOB_VARIABLE: str(tmp_path / "*.sql")})


def test_repositorys_own_migrations_load_and_can_be_repeated() -> None:
    found = load({})
    assert found[0].name == "001_init.sql"
    for migration in found:
        for statement in migration.statements():
            idempotent = "IF NOT EXISTS" in statement or "OR REPLACE" in statement or "IF EXISTS" in statement
            assert idempotent, f"{migration.name}: {statement[:80]}"
