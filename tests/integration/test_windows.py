"""Windows of power and environment sensors on a real cluster: the rows are those of the same functions without it."""

from __future__ import annotations

import random
import uuid
from typing import Any

import numpy as np
import pytest

from schemas.envelope import Record
from schemas.rows import FEATURES_ENV, FEATURES_POWER, Row
from tests.builders import START_US, FrameBuilder
from tests.line import Line
from udfs.line import LineSettings, run_line

pytestmark = pytest.mark.integration

STEP_US = 20_000_000
CLIMATE = (("TEMP", 21.0, 0.01), ("HUMID", 45.0, 0.1), ("CO2", 1_200.0, -2.0))


@pytest.fixture
def session_id() -> str:
    return f"w-{uuid.uuid4().hex[:10]}"


def climate(session_id: str, count: int) -> list[Record]:
    """A reading of each sensor every 20 s, CO2 falling."""
    return [
        FrameBuilder(
            device_id="room",
            session_id=session_id,
            boot_id=session_id,
            sensor_type=sensor,
            sequence=10_000 * place + index,
            start_us=START_US + index * STEP_US,
            sample_rate_hz=0.05,
            samples=np.array([[base + step * index]]),
        ).record()
        for place, (sensor, base, step) in enumerate(
            (("TEMP", 21.0, 0.01), ("HUMID", 45.0, 0.1), ("CO2", 1_200.0, -2.0))
        )
        for index in range(count)
    ]


def mains(session_id: str, seconds: int) -> list[Record]:
    """Voltage and current of three phases at 2 kHz with a third harmonic."""
    rate_hz = 2_000
    angle = 2 * np.pi * 50 * np.arange(rate_hz)[:, None] / rate_hz - np.array([0, 2, 4]) * np.pi / 3
    wave = np.sqrt(2) * (np.sin(angle) + 0.05 * np.sin(3 * angle))
    return [
        FrameBuilder(
            device_id="feeder",
            session_id=session_id,
            boot_id=session_id,
            sensor_type=sensor,
            sequence=10_000 * place + second,
            start_us=START_US + second * 1_000_000,
            sample_rate_hz=float(rate_hz),
            channels=("L1", "L2", "L3"),
            samples=wave * scale,
        ).record()
        for place, (sensor, scale) in enumerate((("VOLT", 230.0), ("AMP", 16.0)))
        for second in range(seconds)
    ]


def expected_rows(records: list[Record], row: Row) -> list[dict[str, Any]]:
    domain = "power" if row is FEATURES_POWER else "environment"
    windows = [
        each.features for each in run_line(records, LineSettings([], 0.7, 0)).windows if each.domain.value == domain
    ]
    return sorted(
        ({name: plain(values[name]) for name in row.column_names if name not in row.arrival} for values in windows),
        key=lambda values: [values[name] for name in row.natural_key],
    )


def plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - the test for NaN


def test_windows_of_the_line_are_those_of_its_functions(line: Line, session_id: str) -> None:
    records = climate(session_id, 60) + mains(session_id, 8)
    sent = [*records, *records[::7]]
    random.Random(5).shuffle(sent)
    line.send(sent)
    for row in (FEATURES_POWER, FEATURES_ENV):
        expected = expected_rows(records, row)
        line.wait_until(
            lambda row=row, expected=expected: (  # type: ignore[misc]
                [values["revision"] for values in line.stored(row, session_id=session_id)]
                == [values["revision"] for values in expected]
            ),
            f"{len(expected)} {row.name} rows of {session_id}",
        )
        stored = line.stored(row, session_id=session_id)
        assert [{name: values[name] for name in expected[0]} for values in stored] == expected
    assert len(expected_rows(records, FEATURES_ENV)) > 20


def test_other_sensors_make_no_windows(line: Line, session_id: str) -> None:
    line.send([FrameBuilder(session_id=session_id, sensor_type="GRF", samples=np.zeros((1, 16))).record()])
    line.send(climate(session_id, 1))
    (_, *_) = line.wait_for_rows(FEATURES_ENV, 3, session_id=session_id)
    assert line.stored(FEATURES_POWER, session_id=session_id) == []
