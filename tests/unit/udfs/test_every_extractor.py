"""What every extractor keeps, whatever the signal: one suite over all of them, from frames to rows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from edge.recordings.synthetic_gait import synthesize_gait
from schemas.columns import Kind
from schemas.envelope import Record, RecordKey
from schemas.environment import EnvironmentSettings
from schemas.features import Feature
from schemas.meshes import mesh_payload
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.row_codec import decode_row, encode_row
from schemas.rows import (
    FEATURES_BALANCE,
    FEATURES_ENV,
    FEATURES_HEALTH,
    FEATURES_PLANTAR,
    FEATURES_POWER,
    FEATURES_SCANNER,
    Row,
    RowValues,
)
from schemas.sensors import SENSORS
from tests.builders import APPEND_MS, START_US, FrameBuilder, scan_record
from tests.builders_scans import exported
from udfs.balance_rows import extract_balance_features
from udfs.environment_rows import extract_environment_features
from udfs.health_rows import extract_health_features
from udfs.plantar_rows import extract_plantar_features
from udfs.power_rows import extract_power_features
from udfs.scanner_rows import extract_scanner_features
from udfs.session_rows import RecordGroup
from udfs.windows import WindowGroup

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """What one sensor gave: [n, channels] at a rate."""

    sensor_type: str
    channels: tuple[str, ...]
    rate_hz: float
    samples: Array

    def records(self) -> list[Record]:
        """In frames of a second; readings without a rate each in one of their own."""
        step = max(1, round(self.rate_hz))
        period_us = 1_000_000 / (self.rate_hz or 1.0)
        return [
            FrameBuilder(
                sensor_type=self.sensor_type,
                channels=self.channels,
                sequence=first // step,
                boot_id=self.sensor_type,
                sample_rate_hz=self.rate_hz,
                start_us=START_US + round(first * period_us),
                samples=self.samples[first : first + step],
            ).record()
            for first in range(0, len(self.samples), step)
        ]


def walk() -> list[Signal]:
    recording = synthesize_gait(30.0, seed=3).recording
    return [Signal("GRF", recording.channels, 100.0, recording.samples)]


def stance() -> list[Signal]:
    time_s = np.arange(3_000) / 100.0
    force = 700.0 + 2.0 * np.sin(2 * np.pi * 1.1 * time_s)
    x_m, y_m = 0.004 * np.sin(2 * np.pi * 0.3 * time_s), 0.003 * np.cos(2 * np.pi * 0.45 * time_s)
    nothing = np.zeros_like(time_s)
    wrench = np.column_stack([nothing, nothing, force, y_m * force, -x_m * force, nothing])
    return [Signal("FORCE_PLATE", ("Fx", "Fy", "Fz", "Mx", "My", "Mz"), 100.0, wrench)]


def step() -> list[Signal]:
    channels = tuple(f"r{row:02d}c{column:02d}" for row in range(21, 41) for column in range(11, 19))
    time_s = np.arange(100) / 100.0
    course = np.where((time_s > 0.2) & (time_s < 0.8), np.sin(np.pi * np.clip((time_s - 0.2) / 0.6, 0, 1)), 0.0)
    return [Signal("EMED", channels, 100.0, 200.0 * course[:, None] * np.ones(len(channels)))]


def supply() -> list[Signal]:
    time_s = np.arange(8_000) / 4_000.0
    wave = np.sqrt(2.0) * np.sin(2.0 * np.pi * 50.0 * time_s)[:, None]
    watt = 2_300.0 + 10.0 * np.sin(np.arange(60.0))[:, None]
    return [
        Signal("VOLT", ("value",), 4_000.0, 230.0 * wave),
        Signal("AMP", ("value",), 4_000.0, 10.0 * wave),
        Signal("WATT", ("value",), 1.0, watt),
        Signal("KWH", ("value",), 1.0, 1_000.0 + 0.001 * np.arange(60.0)[:, None]),
    ]


def room() -> list[Signal]:
    waver = np.sin(np.arange(60.0) / 7.0)[:, None]
    levels = {"TEMP": (21.0, 0.3), "HUMID": (45.0, 2.0), "CO2": (800.0, 30.0), "PM25": (12.0, 1.0)}
    return [Signal(name, ("value",), 1.0, level + swing * waver) for name, (level, swing) in levels.items()]


def feet(scale: float = 1.0) -> list[Record]:
    box = exported("ply", trimesh.creation.box((95.0 * scale, 250.0 * scale, 60.0 * scale)))
    return [
        scan_record(mesh_payload(box, "ply", side="left")),
        scan_record(mesh_payload(box, "ply", side="right"), sequence=1, at_s=60),
    ]


Sets = Sequence[list[Record]]
Rows = list[list[RowValues]]


def by_session(extract: Callable[[list[RecordGroup]], Rows]) -> Callable[[Sets], Rows]:
    def rows(sets: Sets) -> Rows:
        keys = [RecordKey.from_bytes(records[0].key) for records in sets]
        values = [[record.value for record in records] for records in sets]
        return extract([RecordGroup(key, APPEND_MS, group) for key, group in zip(keys, values, strict=True)])

    return rows


def by_window(extract: Callable[[list[WindowGroup]], list[RowValues | None]]) -> Callable[[Sets], Rows]:
    def rows(sets: Sets) -> Rows:
        key = RecordKey("lab", "walker-1", "s-1", "DOMAIN")
        groups = [
            WindowGroup(key, START_US // 1000, 60, APPEND_MS, [record.value for record in records]) for records in sets
        ]
        return [[row] if row is not None else [] for row in extract(groups)]

    return rows


@dataclass(frozen=True)
class Extractor:
    """An extractor and a signal that it describes well."""

    row: Row
    rows: Callable[[Sets], Rows]
    signals: Callable[[], list[Signal]]


EXTRACTORS = {
    "gait": Extractor(FEATURES_HEALTH, by_session(extract_health_features), walk),
    "balance": Extractor(FEATURES_BALANCE, by_session(extract_balance_features), stance),
    "plantar": Extractor(FEATURES_PLANTAR, by_session(extract_plantar_features), step),
    "power": Extractor(
        FEATURES_POWER, by_window(lambda groups: extract_power_features(groups, PerDevice(Supply()))), supply
    ),
    "environment": Extractor(
        FEATURES_ENV,
        by_window(lambda groups: extract_environment_features(groups, PerDevice(EnvironmentSettings()))),
        room,
    ),
    "scanner": Extractor(
        FEATURES_SCANNER, by_session(lambda groups: extract_scanner_features(groups, None)), lambda: []
    ),
}


def with_nan(samples: Array) -> Array:
    spoiled = samples.copy()
    spoiled[:: max(2, len(samples) // 7)] = np.nan
    return spoiled


def at_the_end_of_the_range(sensor_type: str, samples: Array) -> Array:
    return np.where(samples > np.median(samples), SENSORS[sensor_type].valid_max, samples)


SPOILED: dict[str, Callable[[Signal], Signal]] = {
    "as it is": lambda one: one,
    "one sample": lambda one: Signal(one.sensor_type, one.channels, one.rate_hz, one.samples[:1]),
    "NaN here and there": lambda one: Signal(one.sensor_type, one.channels, one.rate_hz, with_nan(one.samples)),
    "nothing but NaN": lambda one: Signal(one.sensor_type, one.channels, one.rate_hz, one.samples * np.nan),
    "constant": lambda one: Signal(one.sensor_type, one.channels, one.rate_hz, np.full_like(one.samples, 7.0)),
    "zero": lambda one: Signal(one.sensor_type, one.channels, one.rate_hz, np.zeros_like(one.samples)),
    "saturated": lambda one: Signal(
        one.sensor_type, one.channels, one.rate_hz, at_the_end_of_the_range(one.sensor_type, one.samples)
    ),
    "a rate that is much too low": lambda one: Signal(one.sensor_type, one.channels, 0.5, one.samples[:20]),
    "no rate": lambda one: Signal(one.sensor_type, one.channels, 0.0, one.samples[:20]),
}
HOLES = "frames missing"
SIZES = {"as it is": 1.0, "a doll's": 0.1, "a giant's": 5.0}


def cases(name: str) -> dict[str, list[Record]]:
    """The records of every variant of an extractor's signal."""
    extractor = EXTRACTORS[name]
    if name == "scanner":
        return {size: feet(scale) for size, scale in SIZES.items()} | {HOLES: feet()[:1]}
    made = {
        how: [record for signal in extractor.signals() for record in spoil(signal).records()]
        for how, spoil in SPOILED.items()
    }
    whole = made["as it is"]
    return made | {HOLES: [record for number, record in enumerate(whole) if number % 3 != 1]}


def encoded(row: Row, rows: Rows) -> list[list[bytes]]:
    return [[encode_row(row, values) for values in group] for group in rows]


ALL = [(name, how) for name in EXTRACTORS for how in cases(name)]


@pytest.mark.parametrize(("name", "how"), ALL, ids=[f"{name}: {how}" for name, how in ALL])
@pytest.mark.filterwarnings("error")
def test_a_feature_is_a_number_within_its_limits_or_missing_with_a_reason(name: str, how: str) -> None:
    extractor = EXTRACTORS[name]
    for group in extractor.rows([cases(name)[how]]):
        for values in group:
            row = decode_row(extractor.row, encode_row(extractor.row, values))
            features = [column for column in extractor.row.columns if isinstance(column, Feature)]
            missing = []
            for feature in features:
                value: Any = row[feature.name]
                if value is None or (feature.kind is Kind.FLOAT64 and math.isnan(value)):
                    missing.append(feature.name)
                else:
                    assert feature.lowest <= value <= feature.highest, (feature.name, value)
            assert bool(row["missing"]) == bool(missing), missing
            assert all(":" in reason for reason in row["missing"])


@pytest.mark.parametrize("name", EXTRACTORS)
def test_a_good_signal_has_most_of_its_features(name: str) -> None:
    extractor = EXTRACTORS[name]
    ((values,),) = extractor.rows([cases(name)["as it is"]])
    row = decode_row(extractor.row, encode_row(extractor.row, values))
    features = [row[column.name] for column in extractor.row.columns if isinstance(column, Feature)]
    there = [value for value in features if value is not None and not math.isnan(value)]
    # A rectangle that steps straight down has no arch, no toes and no second foot.
    assert len(there) >= (0.1 if name == "plantar" else 0.5) * len(features)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_a_batch_is_its_parts_to_the_last_bit_in_any_order(name: str) -> None:
    extractor = EXTRACTORS[name]
    sets = list(cases(name).values())
    alone = [encoded(extractor.row, extractor.rows([records]))[0] for records in sets]
    assert encoded(extractor.row, extractor.rows(sets)) == alone
    order = list(range(len(sets)))
    random.Random(5).shuffle(order)
    assert encoded(extractor.row, extractor.rows([sets[place] for place in order])) == [alone[place] for place in order]


@pytest.mark.parametrize(("name", "how"), ALL, ids=[f"{name}: {how}" for name, how in ALL])
def test_order_and_copies_of_frames_change_nothing(name: str, how: str) -> None:
    extractor = EXTRACTORS[name]
    records = cases(name)[how]
    shuffled = [*records, *records[: len(records) // 2]]
    random.Random(7).shuffle(shuffled)
    assert encoded(extractor.row, extractor.rows([shuffled])) == encoded(extractor.row, extractor.rows([records]))


@pytest.mark.parametrize("name", EXTRACTORS)
def test_an_empty_batch_has_no_rows(name: str) -> None:
    assert EXTRACTORS[name].rows([]) == []
