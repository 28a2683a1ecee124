"""Applies the numbered SQL files of `clickhouse/` and records them in `brain.schema_migrations`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from stack.errors import ChangedMigrationError, StackConfigError
from stack.home import REPOSITORY

DATABASE = "brain"
GLOB_VARIABLE = "CLICKHOUSE_SCHEMA_GLOB"
_DEFAULT_GLOB = str(REPOSITORY / "clickhouse" / "*.sql")
_RECORD_TABLE = f"{DATABASE}.schema_migrations"
_NUMBERED = re.compile(r"(\d+)_\w[\w.-]*\.sql")

# Everything that may hide a semicolon: strings and quoted names (with backslash or doubled quotes), comments.
_TOKEN = re.compile(
    r"'(?:[^'\\]|\\.|'')*'" r'|"(?:[^"\\]|\\.)*"' r"|`(?:[^`\\]|\\.)*`" r"|--[^\n]*|#[ !][^\n]*|/\*.*?\*/|;",
    re.DOTALL,
)
_COMMENT_STARTS = ("--", "#", "/*")


class SqlClient(Protocol):
    """The one method of clickhouse-driver's Client that is used here."""

    def execute(self, query: str, params: Sequence[Sequence[object]] | None = None) -> list[tuple[str, ...]]:
        """Run one statement and return its rows."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file.

    Attributes:
        name: the file's name, its identity in the record table.
        number: its leading digits; files are applied in this order.
    """

    name: str
    number: int
    sql: str

    @property
    def sha256(self) -> str:
        """Of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self) -> list[str]:
        """The statements of the file, without comments and final semicolons."""
        return split_statements(self.sql)


@dataclass(slots=True)
class MigrationReport:
    """Names of the files that were applied now, and of those that had been applied before."""

    applied: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def load(environment: Mapping[str, str]) -> list[Migration]:
    """Read the files named by CLICKHOUSE_SCHEMA_GLOB, by default `clickhouse/*.sql` of the repository.

    Raises:
        StackConfigError: no file matches, a name has no number, or a number stands twice.
    """
    pattern = environment.get(GLOB_VARIABLE) or _DEFAULT_GLOB
    # Path.glob takes no absolute patterns.
    paths = [Path(path) for path in glob(pattern)]  # noqa: PTH207
    problems = [f"{path.name}: want NUMBER_name.sql" for path in paths if not _NUMBERED.fullmatch(path.name)]
    if not paths:
        problems.append(f"{GLOB_VARIABLE}: no file matches {pattern}")
    if problems:
        raise StackConfigError(problems)
    found = [Migration(path.name, int(path.name.split("_")[0]), path.read_text()) for path in paths]
    found.sort(key=lambda migration: migration.number)
    for earlier, later in pairwise(found):
        if earlier.number == later.number:
            raise StackConfigError([f"migrations {earlier.name} and {later.name} have the same number"])
    return found


def apply(client: SqlClient, migrations: Sequence[Migration]) -> MigrationReport:
    """Apply what was not applied yet, in order; running it again changes nothing.

    ClickHouse has no transactions over DDL: when a statement fails the file is not recorded and runs again
    from its start next time, so every statement must be idempotent (IF NOT EXISTS).

    Raises:
        ChangedMigrationError: a recorded file has another text now; nothing has been applied then.
        clickhouse_driver.errors.Error: the server refused a statement; its text is in the notes.
    """
    recorded = _recorded(client)
    for migration in migrations:
        applied_sha256 = recorded.get(migration.name, migration.sha256)
        if applied_sha256 != migration.sha256:
            raise ChangedMigrationError(migration.name, applied_sha256=applied_sha256, current_sha256=migration.sha256)
    report = MigrationReport()
    for migration in migrations:
        if migration.name in recorded:
            report.skipped.append(migration.name)
        else:
            _apply_one(client, migration)
            report.applied.append(migration.name)
    return report


def _recorded(client: SqlClient) -> dict[str, str]:
    client.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    client.execute(
        f"CREATE TABLE IF NOT EXISTS {_RECORD_TABLE} "
        "(file_name String, sha256 FixedString(64), applied_at DateTime64(3, 'UTC')) ENGINE = MergeTree "
        "ORDER BY file_name COMMENT 'Which files of clickhouse/ were applied, and when'"
    )
    rows = client.execute(f"SELECT file_name, sha256 FROM {_RECORD_TABLE}")  # noqa: S608  # a constant
    return {str(name): str(digest) for name, digest in rows}


def _apply_one(client: SqlClient, migration: Migration) -> None:
    for number, statement in enumerate(migration.statements(), start=1):
        try:
            client.execute(statement)
        except Exception as error:
            error.add_note(f"in {migration.name}, statement {number}:\n{statement}")
            raise
    client.execute(
        f"INSERT INTO {_RECORD_TABLE} (file_name, sha256, applied_at) "
        f"SELECT '{migration.name}', '{migration.sha256}', now64(3, 'UTC')"
    )


def split_statements(sql: str) -> list[str]:
    """Split at semicolons that are not inside strings, quoted names or comments; comments are dropped."""
    parts: list[str] = [""]
    position = 0
    for token in _TOKEN.finditer(sql):
        parts[-1] += sql[position : token.start()]
        position = token.end()
        text = token.group()
        if text == ";":
            parts.append("")
        elif text.startswith(_COMMENT_STARTS):
            # A comment separates like white space, and its line break stays a line break.
            parts[-1] += " "
        else:
            parts[-1] += text
    parts[-1] += sql[position:]
    return [part.strip() for part in parts if part.strip()]
