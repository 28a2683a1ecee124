from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.identity import Boot, new_boot_id
from edge.plan import ReplayPlan, plan_recordings, plan_replay
from edge.settings import EdgeSettings
from edge.sources.source import Recording
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
            f"{broken}: line 4, column 1 (time): 'heel' is not a number",
            f"{archive}: has no record 'Nobody'; it holds WalkCo01_01",
            next(message for message in messages if message.startswith(f"{missing}: cannot be read")),
            next(message for message in messages if message.startswith(f"{blank}: device_id='two words'")),
            f"{good}: device 'good', session 'good' is already the name of another recording",
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


def test_limit_keeps_the_first_seconds(two: list[tuple[str, Recording]], walk: Recording, boot: Boot) -> None:
    plan = plan_recordings(two, EdgeSettings.load({"limit_s": "2.5"}), boot=boot)
    assert [len(item.recording.samples) for item in plan.items] == [250, 250]
    assert (plan.items[0].recording.samples == walk.samples[:250]).all()
    short = plan_recordings(two, EdgeSettings.load({"limit_s": "0.001"}), boot=boot)
    assert len(short.items[0].recording.samples) == 1


def test_nothing_to_send_is_a_plan_of_nothing(boot: Boot) -> None:
    assert plan_recordings([], EdgeSettings.load({}), boot=boot) == ReplayPlan((), ())
