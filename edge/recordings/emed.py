"""Recordings of a novel emed platform: text as the novel software prints it (.lst).

One page a frame ("Pict-No."): a line of column numbers, one line a row of the plate with the pressures in kPa and the
row's force in N, and a last line with the forces of the columns and of the frame. Only the part of the plate that was
stepped on is printed; sensors outside it carry nothing. The printed forces are checked: force = sum(p) * area.
Pages that sum up the frames (MVP, MPP) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from edge.recordings.text_files import parse_numbers, read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.pressure_devices import EMED, EMED_COLUMNS, EMED_PITCH_MM, EMED_ROWS, grid_channel

FORCE = "Force"
FORCE_TOLERANCE_NEWTON = 0.135
"""A printed force is rounded to 0.01 N, and so are the forces it was added up from."""
SUMMARIES = ("MVP", "MPP")
"""Titles of the pages that sum up a measurement."""
NEWTON_PER_KPA = EMED_PITCH_MM**2 / 1_000.0
_PICTURE = re.compile(r"Pict-No\.:\s*(\d+)")
_TIME = re.compile(r"Time/picture:\s*(\d+(?:\.\d+)?)\s*ms")
_SIZE = re.compile(r"Sensor size:\s*(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)\s*cm")


class _Page(NamedTuple):
    """One frame: where it stands, its number, the row and column numbers printed, and the pressures."""

    line: int
    number: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    pressure: NDArray[np.float64]


expand_address = whole_file


def recognises(path: Path) -> bool:
    """Whether the file begins like an emed print."""
    head = read_head(path)
    return "Pict-No." in head and "Sensor size:" in head and "Time/picture:" in head


def read_recordings(address: str) -> list[Recording]:
    """The measurements of a file such as `step.lst` or `step.lst.gz`: a new one begins at every "Pict-No.: 1".

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    lines = read_lines(path)
    rate_hz = _rate_hz(path, lines)
    measurements: list[list[_Page]] = []
    for page in _pages(path, lines):
        if page.number == 1:
            measurements.append([])
        expected = len(measurements[-1]) + 1 if measurements else 1
        if page.number != expected:
            raise RecordingError(f"{path}: line {page.line}: picture {page.number} where {expected} should follow")
        measurements[-1].append(page)
    if not measurements:
        raise RecordingError(f"{path}: holds no picture")
    name = stem(path)
    names = [name] if len(measurements) == 1 else [f"{name}_{number}" for number in range(1, len(measurements) + 1)]
    return [_recording(each, pages, rate_hz) for each, pages in zip(names, measurements, strict=True)]


def _rate_hz(path: Path, lines: list[str]) -> float:
    """The frame rate, from the header of the first page; the sensor size is checked beside it."""
    text = "\n".join(lines[:40])
    time, size = _TIME.search(text), _SIZE.search(text)
    if time is None or not 1_000.0 / EMED.max_frame_rate_hz <= float(time[1]):
        raise RecordingError(f"{path}: no time per picture of {1_000.0 / EMED.max_frame_rate_hz:g} ms or more")
    if size is None or not all(abs(10.0 * float(side) - EMED_PITCH_MM) < 1e-6 for side in size.groups()):
        raise RecordingError(f"{path}: sensor size is {size[0] if size else 'not given'}, expected 0.500x0.500 cm")
    return 1_000.0 / float(time[1])


def _pages(path: Path, lines: list[str]) -> Iterator[_Page]:
    starts = [number for number, line in enumerate(lines) if "Page " in line and line.split()[0] == "Page"]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        title = next((place for place in range(start, end) if _PICTURE.search(lines[place])), None)
        if title is not None:
            yield _page(path, lines, title, end)
        elif not any(name in line for line in lines[start:end] for name in SUMMARIES):
            raise RecordingError(f"{path}: line {start + 1}: the page has no title: cut off, or not an emed print")


def _page(path: Path, lines: list[str], title: int, end: int) -> _Page:
    found = _PICTURE.search(lines[title])
    # A form feed stands alone between the pages.
    table = [(place + 1, lines[place]) for place in range(title + 1, end) if lines[place].strip()]
    if len(table) < 3:
        raise RecordingError(f"{path}: line {title + 1}: the picture has no table of rows")
    head = table[0][1].split()
    if head[-1] != FORCE or not all(cell.isdecimal() for cell in head[:-1]):
        raise RecordingError(f"{path}: line {table[0][0]} is not a line of column numbers that ends with {FORCE!r}")
    last = table[-1][1].split("\t")
    if last[0].strip() != FORCE:
        raise RecordingError(f"{path}: line {table[-1][0]}: the picture does not end with its line of forces")
    names = ("row", *(f"c{int(cell):02d}" for cell in head[:-1]), FORCE)
    body = parse_numbers(path, table[1:-1], names)
    forces = parse_numbers(path, [(table[-1][0], table[-1][1].replace(FORCE, "0", 1))], names)[0, 1:]
    page = _Page(
        title + 1,
        int(found[1]) if found else 0,
        body[:, 0].astype(np.int64),
        np.array(head[:-1], dtype=np.int64),
        body[:, 1:-1],
    )
    _check_places(path, page, [number for number, _ in table[1:-1]])
    _check_forces(path, page, body[:, -1], forces, [number for number, _ in table[1:]])
    return page


def _check_places(path: Path, page: _Page, numbers: list[int]) -> None:
    for name, places, limit in (("row", page.rows, EMED_ROWS), ("column", page.columns, EMED_COLUMNS)):
        if places[0] < 1 or places[-1] > limit or np.any(np.diff(places) <= 0):
            raise RecordingError(f"{path}: line {page.line}: {name} numbers do not rise from 1 to {limit} at most")
    wrong = np.argwhere((page.pressure < 0.0) | (page.pressure > EMED.valid_max))
    if len(wrong):
        row, column = (int(index) for index in wrong[0])
        raise RecordingError(
            f"{path}: line {numbers[row]}, column {column + 2} (c{page.columns[column]:02d}): "
            f"{page.pressure[row, column]:g} kPa, valid 0..{EMED.valid_max:g}"
        )


def _check_forces(
    path: Path, page: _Page, rows: NDArray[np.float64], columns: NDArray[np.float64], numbers: list[int]
) -> None:
    force = page.pressure * NEWTON_PER_KPA
    printed = np.concatenate([rows, columns])
    expected = np.concatenate([force.sum(axis=1), force.sum(axis=0), [force.sum()]])
    wrong = np.flatnonzero(np.abs(printed - expected) > FORCE_TOLERANCE_NEWTON)
    if len(wrong):
        place = int(wrong[0])
        line = numbers[min(place, len(rows))]
        raise RecordingError(
            f"{path}: line {line}: printed force {printed[place]:g} N, but its pressures give {expected[place]:.2f} N"
        )


def _recording(name: str, pages: list[_Page], rate_hz: float) -> Recording:
    """All pages in the smallest rectangle that holds every printed part; what a page does not print is unloaded."""
    rows = np.unique(np.concatenate([page.rows for page in pages]))
    columns = np.unique(np.concatenate([page.columns for page in pages]))
    samples = np.zeros((len(pages), len(rows), len(columns)))
    for frame, page in enumerate(pages):
        samples[frame][np.ix_(np.searchsorted(rows, page.rows), np.searchsorted(columns, page.columns))] = page.pressure
    return Recording(
        name=name,
        sensor_type=EMED.sensor_type,
        channels=tuple(grid_channel(int(row), int(column)) for row in rows for column in columns),
        unit=EMED.unit,
        sample_rate_hz=rate_hz,
        samples=samples.reshape(len(pages), -1),
    )
