from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.identity import Boot, new_boot_id
from edge.plan import ReplayPlan, plan_recordings, plan_replay
from edge.recordings.recording import Recording
from edge.settings import EdgeSettings
from edge.testing import write_gaitpdb_archive, write_gaitpdb_text
from schemas.errors import RecordingError


def _names(plan: ReplayPlan) -> list[tuple[str, str]]:
    return [(item.identity.device_id, item.identity.session_id) for item in plan.items]


@pytest.fixture
def two(walk: Recording) -> list[tuple[str, Recording]]:
    return [("a.txt", replace(walk, name="a")), ("b.txt", replace(walk, name="b"))]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, [("a", "a"), ("b", "b")]),
        ({"device_id": "d"}, [("d", "a"), ("d", "b")]),
        ({"session_id": "s"}, [("a", "s"), ("b", "s")]),
        ({"device_id": "d", "session_id": "s"}, [("d", "s.a"), ("d", "s.b")]),
    ],
    ids=["defaults", "one device", "one session name", "one device and session name"],
)
def test_recordings_never_share_device_and_session(
    flags: dict[str, str], expected: list[tuple[str, str]], two: list[tuple[str, Recording]], boot: Boot
) -> None:
    assert _names(plan_recordings(two, EdgeSettings.load(flags), boot=boot)) == expected


def test_a_single_recording_takes_the_names_as_given(two: list[tuple[str, Recording]], boot: Boot) -> None:
    flags = {"device_id": "d", "session_id": "s", "tenant_id": "t", "site_id": "p"}
    (item,) = plan_recordings(two[:1], EdgeSettings.load(flags), boot=boot).items
    assert item.identity.boot_id == "b0"
    assert (item.identity.tenant_id, item.identity.site_id) == ("t", "p")
    assert (item.identity.device_id, item.identity.session_id) == ("d", "s")


def test_boot_id_of_the_settings_goes_before_that_of_the_start(two: list[tuple[str, Recording]], boot: Boot) -> None:
    plan = plan_recordings(two, EdgeSettings.load({"boot_id": "again"}), boot=boot)
    assert {item.identity.boot_id for item in plan.items} == {"again"}


def test_new_boot_ids_come_from_the_entropy_alone() -> None:
    assert new_boot_id(lambda count: bytes(range(count))) == "0001020304050607"


def test_bad_recordings_are_named_and_good_ones_stay(walk: Recording, tmp_path: Path, boot: Boot) -> None:
    good = write_gaitpdb_text(walk, tmp_path / "good.txt")
    broken = tmp_path / "broken.txt"
    broken.write_text(good.read_text().replace("0.0300", "heel", 1))
    blank = write_gaitpdb_text(walk, tmp_path / "two words.txt")
    archive = write_gaitpdb_archive([walk], tmp_path / "pack.npz")
    missing = tmp_path / "nowhere.npz"
    addresses = [broken, good, blank, archive, f"{archive}#Nobody", missing, f"{good}"]
    plan = plan_replay([str(address) for address in addresses], EdgeSettings.load({}), boot=boot)
    assert [item.recording.name for item in plan.items] == ["good", "WalkCo01_01"]
    messages = sorted(map(str, plan.bad))
    assert messages == sorted(
        [
            f"{broken}: line 4, column 1 (time): 'heel' is not a finite number",
            f"{archive}: has no record 'Nobody'; it holds WalkCo01_01",
            next(message for message in messages if message.startswith(f"{missing}: cannot be read")),
            next(message for message in messages if message.startswith(f"{blank}: device_id='two words'")),
            f"{good}: device 'good', session 'good' already has another recording of GRF at that time",
        ]
    )
    assert sum(isinstance(bad.error, RecordingError) for bad in plan.bad) == 3


def test_a_name_that_is_no_identifier_is_cured_by_naming_device_and_session(walk: Recording, boot: Boot) -> None:
    odd = [("x", replace(walk, name="two words"))]
    assert plan_recordings(odd, EdgeSettings.load({}), boot=boot).items == ()
    assert _names(plan_recordings(odd, EdgeSettings.load({"device_id": "d", "session_id": "s"}), boot=boot)) == [
        ("d", "s")
    ]


def test_all_start_together_at_the_given_time(two: list[tuple[str, Recording]], boot: Boot) -> None:
    plan = plan_recordings(two, EdgeSettings.load({"start": "2024-02-29T12:00:00+01:00"}), boot=boot)
    assert [(item.start_ms, item.lag_s) for item in plan.items] == [(1_709_204_400_000, 0.0)] * 2


def test_one_after_another_starts_where_the_one_before_ended(two: list[tuple[str, Recording]], boot: Boot) -> None:
    settings = EdgeSettings.load({"start": "1970-01-01T00:00:00Z", "one_after_another": True})
    plan = plan_recordings(two, settings, boot=boot)
    assert [(item.start_ms, item.lag_s) for item in plan.items] == [(0, 0.0), (12_340, 12.34)]


@pytest.mark.parametrize(("speed", "lead_s"), [("1", 0.0), ("0.5", 0.0), ("20", 12.34 * 0.95), ("max", 12.34)])
def test_start_now_keeps_every_sample_behind_the_clock(
    speed: str, lead_s: float, two: list[tuple[str, Recording]], boot: Boot
) -> None:
    plan = plan_recordings(two, EdgeSettings.load({"speed": speed, "start": "now"}), boot=boot)
    assert plan.items[0].start_ms == boot.now_ms - round(lead_s * 1_000)


def _series(start_s: float, samples: int, *, dated: bool = True, sensor_type: str = "TEMP") -> Recording:
    unit = {"TEMP": "degC", "HUMID": "%", "EMED": "kPa"}[sensor_type]
    values = np.arange(float(samples))[:, None]
    return Recording("room", sensor_type, ("value",), unit, 1 / 60, values, start_s, dated=dated)


HOUR_S = 3_600.0


def test_sensors_and_parts_of_a_series_share_device_and_session(boot: Boot) -> None:
    parts = [_series(0.0, 5), _series(HOUR_S, 5), _series(0.0, 65, sensor_type="HUMID")]
    plan = plan_recordings([("room.csv", part) for part in parts], EdgeSettings.load({"session_id": "s"}), boot=boot)
    assert _names(plan) == [("room", "s")] * 3
    assert plan.bad == ()


@pytest.mark.parametrize(
    ("addresses", "starts_s", "dated", "clash"),
    [
        (("a", "a"), (0.0, 0.0), True, True),
        (("a", "a"), (0.0, HOUR_S), False, False),
        (("a", "b"), (0.0, HOUR_S), True, False),
        (("a", "b"), (HOUR_S, 0.0), True, False),
        (("a", "b"), (0.0, 240.0), True, True),
        (("a", "b"), (0.0, HOUR_S), False, True),
    ],
    ids=[
        "one file, same time",
        "one file, later",
        "two files, later",
        "two files, earlier",
        "two files that overlap",
        "two files without dates",
    ],
)
def test_true_clashes_are_refused(
    addresses: tuple[str, str], starts_s: tuple[float, float], dated: bool, clash: bool, boot: Boot
) -> None:
    recordings = [
        (address, _series(start_s, 5, dated=dated)) for address, start_s in zip(addresses, starts_s, strict=True)
    ]
    plan = plan_recordings(recordings, EdgeSettings.load({}), boot=boot)
    assert [str(bad) for bad in plan.bad] == [
        f"{addresses[1]}: device 'room', session 'room' already has another recording of TEMP at that time"
    ] * clash
    assert len(plan.items) == 2 - clash


UNFIT = {
    "sensor type": ({"sensor_type": "SONAR"}, "sensor_type 'SONAR' is not in the catalogue"),
    "unit": ({"unit": "K"}, "room, TEMP: unit 'K', the catalogue has 'degC'"),
    "channel": ({"channels": ("values",)}, "room, TEMP: no channels of the catalogue: values"),
    "channel twice": ({"channels": ("value",) * 2, "samples": np.zeros((5, 2))}, "room, TEMP: a channel twice"),
    "rate": ({"sample_rate_hz": 1e6}, "room, TEMP: 1e+06 Hz, at most 100000"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_the_catalogue_does_not_have_is_reported_once_for_all_parts(what: str, boot: Boot) -> None:
    changes, message = UNFIT[what]
    parts = [replace(_series(start_s, 5), **changes) for start_s in (0.0, HOUR_S)]  # type: ignore[arg-type]
    plan = plan_recordings([("room.csv", part) for part in parts], EdgeSettings.load({}), boot=boot)
    assert plan.items == ()
    assert [str(bad) for bad in plan.bad] == [f"room.csv: {message}"]


def test_limit_counts_from_the_beginning_of_the_measurement(boot: Boot) -> None:
    parts = [_series(100.0, 5), _series(100.0 + HOUR_S, 5), _series(400.0, 5, sensor_type="HUMID")]
    recordings = [("room.csv", part) for part in parts] + [("b.csv", replace(_series(9e9, 15), name="b"))]
    plan = plan_recordings(recordings, EdgeSettings.load({"limit_s": 480.0}), boot=boot)
    kept = [(item.identity.device_id, item.recording.sensor_type, len(item.recording.samples)) for item in plan.items]
    assert kept == [("room", "TEMP", 5), ("room", "HUMID", 3), ("b", "TEMP", 8)]


def test_limit_keeps_the_first_seconds(two: list[tuple[str, Recording]], walk: Recording, boot: Boot) -> None:
    plan = plan_recordings(two, EdgeSettings.load({"limit_s": "2.5"}), boot=boot)
    assert [len(item.recording.samples) for item in plan.items] == [250, 250]
    assert (plan.items[0].recording.samples == walk.samples[:250]).all()
    short = plan_recordings(two, EdgeSettings.load({"limit_s": "0.001"}), boot=boot)
    assert len(short.items[0].recording.samples) == 1


def test_nothing_to_send_is_a_plan_of_nothing(boot: Boot) -> None:
    assert plan_recordings([], EdgeSettings.load({}), boot=boot) == ReplayPlan((), ())
