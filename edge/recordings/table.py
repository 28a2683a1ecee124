"""Tables of text with one row per instant: read them, and say in which line and column something is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.text_files import read_bytes
from schemas.errors import RecordingError

Floats = NDArray[np.float64]

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file.

    Attributes:
        path: for messages.
        header: column names; a row may begin with cells that have none.
        rows: cells of each row, all rows equally long.
        lines: line number of each row, from 1.
    """

    path: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> int:
        """Place of a named column in the rows: names stand above the last cells.

        Raises:
            RecordingError: if there is no such column.
        """
        if name not in self.header:
            raise RecordingError(f"{self.path}: has no column {name!r}; it has {', '.join(self.header[:20])}")
        width = len(self.rows[0]) if self.rows else len(self.header)
        return self.header.index(name) + width - len(self.header)

    def numbers(self, name: str, *, missing: Collection[str] = (), decimal: str = ".") -> Floats:
        """A column as numbers, NaN where the cell is one of `missing`.

        Raises:
            RecordingError: naming line and column of the first cell that is no finite single-precision number.
        """
        place = self.column(name)
        values = np.full(len(self.rows), np.nan)
        for row, cells in enumerate(self.rows):
            cell = cells[place].strip()
            if cell in missing:
                continue
            value = _number(cell if decimal == "." else cell.replace(decimal, "."))
            if value is None:
                raise self.problem(row, place, name, f"{cell!r} is not a number")
            if not abs(value) <= _LARGEST:
                raise self.problem(row, place, name, f"{cell!r} is not a finite single-precision number")
            values[row] = value
        return values

    def times(self, names: tuple[str, ...], *formats: str) -> Floats:
        """Columns joined by a blank as instants, s since the epoch; a time without a zone counts as UTC.

        Raises:
            RecordingError: naming line and column of the first one that has none of the formats.
        """
        places = [self.column(name) for name in names]
        times_s = np.empty(len(self.rows))
        for row, cells in enumerate(self.rows):
            text = " ".join(cells[place].strip() for place in places)
            instant = next((found for form in formats if (found := _instant(text, form)) is not None), None)
            if instant is None:
                raise self.problem(row, places[0], names[0], f"{text!r} is not a time such as {formats[0]}")
            times_s[row] = instant
        return times_s

    def ascending(self, times_s: Floats, name: str, *, slack_s: float = 0.0) -> Floats:
        """The times of a column as they are.

        Raises:
            RecordingError: naming the first line whose time is not after the one before, or more than `slack_s` before.
        """
        back = np.diff(times_s) < -slack_s if slack_s else np.diff(times_s) <= 0.0
        if back.any():
            row = int(np.argmax(back)) + 1
            raise self.problem(row, self.column(name), name, "time does not increase")
        return times_s

    def problem(self, row: int, place: int, name: str, what: str) -> RecordingError:
        """An error at one cell."""
        return RecordingError(f"{self.path}: line {self.lines[row]}, column {place + 1} ({name}): {what}")


def read_table(path: Path, *, header_line: int = 1, delimiter: str = ",", unnamed: int = 0) -> Table:
    """Read a file, gzipped or not. Empty rows are left out.

    Args:
        path: of the file.
        header_line: where the column names stand, from 1; lines before it are not part of the table.
        delimiter: between cells.
        unnamed: how many cells without a name a row has before the named ones.

    Raises:
        RecordingError: if it cannot be read, has no rows, or rows of the wrong length.
    """
    lines = _cells(path, read_bytes(path).decode("latin-1"), delimiter)
    if len(lines) < header_line:
        raise RecordingError(f"{path}: the file ends before its header in line {header_line}")
    header = tuple(cell.strip() for cell in lines[header_line - 1][1])
    rows, numbers = [], []
    for number, cells in lines[header_line:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header) + unnamed:
            raise RecordingError(f"{path}: line {number} has {len(cells)} columns instead of {len(header) + unnamed}")
        rows.append(cells)
        numbers.append(number)
    if not rows:
        raise RecordingError(f"{path}: the file holds no rows")
    return Table(path, header, rows, numbers)


def _cells(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, cells) for cells in reader)
    except csv.Error as error:
        raise RecordingError(f"{path}: line {reader.line_num} is no CSV: {error}") from error
    return lines


def _number(cell: str) -> float | None:
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _instant(text: str, form: str) -> float | None:
    try:
        instant = datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows, where there is none
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
