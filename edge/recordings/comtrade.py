"""COMTRADE records (IEEE C37.111-1999, ASCII data): voltages and currents of a network analyser or relay.

A record is two files of one name: `.CFG` describes the channels, `.DAT` holds one line per sample: number, time stamp
(may be empty; the sample rate counts), and a whole number per channel; value = a * raw + b. 99999 and an empty cell
mean a lost sample. Addressed by the CFG. Channels whose phase ends in 1, 2, 3 or is A, B, C are L1, L2, L3; a fourth
(neutral) has no place in the catalogue and is left out, and so are status channels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.even_runs import Grid, cut_runs
from edge.recordings.recording import Recording
from edge.recordings.text_files import read_head, read_lines, whole_file
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

LOST = 99_999
END_OF_FILE = "\x1a"
MAX_CHANNELS = 999
MAX_SAMPLES = 20_000_000
_COUNTS = re.compile(r"\s*(\d{1,4})\s*,\s*(\d{1,4})A\s*,\s*(\d{1,4})D\s*", re.ASCII | re.IGNORECASE)
_PHASE = re.compile(r"(?:.*[^0-9])?([1-3])|[A-Za-z]*([ABCabc])", re.ASCII)
_UNITS = {"v": ("VOLT", 1.0), "volt": ("VOLT", 1.0), "kv": ("VOLT", 1e3)} | {
    "a": ("AMP", 1.0),
    "ampere": ("AMP", 1.0),
    "ka": ("AMP", 1e3),
}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RAW = re.compile(r"\s*([+-]?\d{1,9}|)\s*", re.ASCII)
_SKEW, _PRIMARY, _SECONDARY, _SIDE = 7, 10, 11, 12
_CHANNEL_FIELDS = 13


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """One analogue channel of the CFG.

    Attributes:
        column: its place among the data columns of the DAT, from 0.
        sensor_type, phase: where it goes, such as VOLT, L1; None where the catalogue has no place for it.
        gain, offset: value in V or A = gain * raw + offset.
    """

    column: int
    sensor_type: str | None
    phase: str | None
    gain: float
    offset: float


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the CFG says: analogue channels, data columns of the DAT in all, and the rate."""

    channels: tuple[AnalogChannel, ...]
    columns: int
    sample_rate_hz: float
    samples: int


def recognises(path: Path) -> bool:
    """Whether the file is named .cfg and its second line counts channels as in `8,8A,0D`."""
    lines = read_head(path).split("\n") if path.suffix.lower() == ".cfg" else []
    return len(lines) > 1 and _COUNTS.fullmatch(lines[1]) is not None


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """Voltages and currents of a record given by its CFG; all samples lost at one instant cut a recording in two.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    configuration = read_configuration(path)
    raw = _read_data(_data_path(path), configuration)
    grid = Grid(1.0 / configuration.sample_rate_hz, np.arange(len(raw)))
    recordings: list[Recording] = []
    for sensor_type in ("VOLT", "AMP"):
        mine = sorted(
            (channel for channel in configuration.channels if channel.sensor_type == sensor_type),
            key=lambda channel: str(channel.phase),
        )
        if mine:
            values = np.stack([channel.gain * raw[:, channel.column] + channel.offset for channel in mine], axis=1)
            _check_range(path, sensor_type, values)
            recordings += cut_runs(path.stem, sensor_type, tuple(str(channel.phase) for channel in mine), values, grid)
    if not recordings:
        raise RecordingError(f"{path}: no voltage or current of a phase, or all of their samples are lost")
    return recordings


def read_configuration(path: Path) -> Configuration:
    """Read a CFG.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    lines = read_lines(path)
    head = [field.strip() for field in lines[0].split(",")]
    if len(head) != 3 or head[2] != "1999":
        raise RecordingError(f"{path}: line 1 is not that of a COMTRADE record of revision 1999")
    counts = _COUNTS.fullmatch(lines[1]) if len(lines) > 1 else None
    if counts is None:
        raise RecordingError(f"{path}: line 2 does not count the channels, as in 8,8A,0D")
    total, analog, digital = (int(count) for count in counts.groups())
    if total != analog + digital or not 0 < analog <= MAX_CHANNELS:
        raise RecordingError(f"{path}: line 2: {total} channels, but {analog} analogue and {digital} status ones")
    # Behind the channels: line frequency, number of rates, rate and last sample, two times, file type.
    rest = 2 + total
    if len(lines) < rest + 6:
        raise RecordingError(f"{path}: ends after line {len(lines)}, before the file type in line {rest + 6}")
    channels = tuple(_channel(path, 3 + number, lines[2 + number], number) for number in range(analog))
    places = [(channel.sensor_type, channel.phase) for channel in channels if channel.phase is not None]
    if len(set(places)) != len(places):
        raise RecordingError(f"{path}: two channels of the same quantity and phase")
    rate_hz, samples = _rate(path, lines, rest)
    if lines[rest + 5].strip().upper() != "ASCII":
        raise RecordingError(f"{path}: line {rest + 6}: file type {lines[rest + 5][:20]!r}; only ASCII is supported")
    return Configuration(channels, total, rate_hz, samples)


def _channel(path: Path, line: int, text: str, column: int) -> AnalogChannel:
    fields = [field.strip() for field in text.split(",")]
    if len(fields) != _CHANNEL_FIELDS:
        raise RecordingError(f"{path}: line {line} has {len(fields)} fields instead of {_CHANNEL_FIELDS}")
    gain, offset, primary, secondary = (
        _number(path, line, field, fields[field - 1]) for field in (6, 7, _PRIMARY + 1, _SECONDARY + 1)
    )
    if fields[_SKEW] and _number(path, line, _SKEW + 1, fields[_SKEW]) != 0.0:
        raise RecordingError(f"{path}: line {line}, field {_SKEW + 1}: a skew between channels is not supported")
    if fields[_SIDE].upper() == "S":
        if secondary == 0.0:
            raise RecordingError(f"{path}: line {line}, field {_SECONDARY + 1}: a secondary of 0")
        gain, offset = gain * primary / secondary, offset * primary / secondary
    sensor_type, factor = _UNITS.get(fields[4].lower(), (None, 1.0))
    match = _PHASE.fullmatch(fields[2] or fields[1])
    if match is None or sensor_type is None:
        return AnalogChannel(column, None, None, gain, offset)
    phase = match[1] or "123"["ABC".index(match[2].upper())]
    return AnalogChannel(column, sensor_type, f"L{phase}", gain * factor, offset * factor)


def _number(path: Path, line: int, field: int, text: str) -> float:
    if _NUMBER.fullmatch(text) is None or not np.isfinite(float(text)):
        raise RecordingError(f"{path}: line {line}, field {field}: {text[:40]!r} is not a number")
    return float(text)


def _rate(path: Path, lines: list[str], rest: int) -> tuple[float, int]:
    if lines[rest + 1].strip() != "1":
        raise RecordingError(f"{path}: line {rest + 2}: {lines[rest + 1][:20]!r} sample rates; only one is supported")
    fields = lines[rest + 2].split(",")
    if len(fields) != 2:
        raise RecordingError(f"{path}: line {rest + 3} is not a rate and a last sample")
    rate_hz, last = (_number(path, rest + 3, field, fields[field - 1].strip()) for field in (1, 2))
    if not 0.0 < rate_hz <= SENSORS["VOLT"].max_sample_rate_hz:
        raise RecordingError(f"{path}: line {rest + 3}, field 1: {rate_hz:g} samples per second")
    if last != int(last) or not 0 < last <= MAX_SAMPLES:
        raise RecordingError(f"{path}: line {rest + 3}, field 2: {last:g} samples")
    return rate_hz, int(last)


def _data_path(path: Path) -> Path:
    """The DAT of a CFG, whatever its case."""
    for suffix in (".DAT", ".dat"):
        if path.with_suffix(suffix).exists():
            return path.with_suffix(suffix)
    raise RecordingError(f"{path}: there is no {path.stem}.DAT beside it")


def _read_data(path: Path, configuration: Configuration) -> NDArray[np.float64]:
    """Raw numbers [samples, data columns], NaN where lost."""
    lines = [(number, line) for number, line in enumerate(read_lines(path), start=1) if line.strip(" \t" + END_OF_FILE)]
    if len(lines) != configuration.samples:
        raise RecordingError(f"{path}: has {len(lines)} samples, the CFG says {configuration.samples}")
    raw = np.empty((len(lines), configuration.columns))
    for row, (number, line) in enumerate(lines):
        cells = line.rstrip(END_OF_FILE).split(",")
        if len(cells) != configuration.columns + 2:
            raise RecordingError(
                f"{path}: line {number} has {len(cells)} columns instead of {configuration.columns + 2}"
            )
        if cells[0].strip() != str(row + 1):
            raise RecordingError(f"{path}: line {number}, column 1: sample {cells[0][:20]!r}, expected {row + 1}")
        raw[row] = [_raw(path, number, column, cell) for column, cell in enumerate(cells[2:], start=3)]
    return raw


def _raw(path: Path, line: int, column: int, cell: str) -> float:
    match = _RAW.fullmatch(cell)
    if match is None:
        raise RecordingError(f"{path}: line {line}, column {column}: {cell[:40]!r} is not a whole number")
    return float(match[1]) if match[1] and int(match[1]) != LOST else float("nan")


def _check_range(path: Path, sensor_type: str, values: NDArray[np.float64]) -> None:
    sensor = SENSORS[sensor_type]
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere((values < sensor.valid_min) | (values > sensor.valid_max))
    if len(wrong):
        sample, channel = (int(index) for index in wrong[0])
        value = values[sample, channel]
        raise RecordingError(f"{path}: sample {sample + 1}: {sensor_type} {value:g} {sensor.unit} is out of range")
