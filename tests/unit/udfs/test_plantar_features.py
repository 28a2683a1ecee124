"""Plantar features against prints with a known truth, plain re-computation, and the public recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recordings import emed, fscan, pedar, stappone
from edge.recordings.recording import Recording
from schemas.plantar import PLANTAR_FEATURE_NAMES, PLANTAR_FEATURES
from schemas.pressure_devices import PEDAR_TYPES, PRESSURE_DEVICES, grid_channel, grid_place
from tests.builders_plantar import (
    COLUMNS,
    FOREFOOT,
    HEEL,
    MIDFOOT,
    PITCH_MM,
    RIGHT_FOOT,
    TOES,
    Block,
    insole_session,
    layout,
    peak_picture,
    platform_session,
    roll_over,
)
from udfs.plantar import PlantarSession, SensorLayout, extract_plantar
from udfs.plantar.devices import device_layout, device_session
from udfs.plantar.layout import grid_layout
from udfs.plantar.measures import masked_load
from udfs.plantar.pedar_areas import PEDAR_AREAS_MM2

Array = np.ndarray


def named(session: PlantarSession) -> dict[str, float]:
    return dict(zip(PLANTAR_FEATURE_NAMES, extract_plantar(session).values.tolist(), strict=True))


def area_of(blocks: tuple[Block, ...]) -> float:
    """Contact area in cm2, from the blocks' own measures."""
    return sum((block.high - block.low) * (block.left + block.right) * PITCH_MM / 100.0 for block in blocks)


def area_between(low: float, high: float, blocks: tuple[Block, ...]) -> float:
    """Contact area between two distances from the heel, cm2."""
    return sum(
        max(0.0, min(high, block.high) - max(low, block.low)) * (block.left + block.right) * PITCH_MM / 100.0
        for block in blocks
    )


def test_a_step_has_the_values_of_a_plain_recomputation() -> None:
    session = platform_session()
    found, pressure = named(session), session.pressure_kpa
    force = [sum(0.025 * p for p in frame) for frame in pressure]
    mean_pressure = [10.0 * f / (0.25 * sum(p > 10.0 for p in frame)) for f, frame in zip(force, pressure, strict=True)]
    area = area_of(RIGHT_FOOT)
    assert found["stance_count"] == found["stance_count_right"] == 1
    assert found["contact_time_right_s"] == pytest.approx(0.69)
    assert found["peak_pressure_right_kpa"] == max(max(frame) for frame in pressure)
    assert found["pti_novel_right_kpa_s"] == pytest.approx(sum(max(frame) for frame in pressure) * 0.01, rel=1e-12)
    assert found["peak_force_right_newton"] == pytest.approx(max(force), rel=1e-12)
    assert found["force_time_integral_right_newton_s"] == pytest.approx(sum(force) * 0.01, rel=1e-12)
    assert found["contact_area_right_cm2"] == pytest.approx(area, rel=1e-12)
    assert found["pti_melai_right_kpa_s"] == pytest.approx(10.0 * sum(force) * 0.01 / area, rel=1e-12)
    assert found["mean_pressure_right_kpa"] == pytest.approx(sum(mean_pressure) / len(pressure), rel=1e-12)
    # The steepest neighbours: forefoot of 250 kPa beside an unloaded sensor 5 mm away.
    top = found["peak_pressure_right_kpa"]
    assert found["peak_pressure_gradient_right_kpa_per_mm"] == pytest.approx(top / PITCH_MM, rel=1e-12)


def test_print_and_arch_index_are_those_of_the_blocks() -> None:
    found = named(PlantarSession(insole_session().pressure_kpa, layout("right", insole=True), 100.0))
    assert found["print_length_right_mm"] == pytest.approx(250.0, abs=1.5)
    assert found["print_width_right_mm"] == pytest.approx(80.0, abs=6.0)
    # The toe line lies somewhere in the gap between 205 and 220 mm.
    body = (HEEL, MIDFOOT, FOREFOOT)
    low, high = sorted(area_between(line / 3.0, 2.0 * line / 3.0, body) / area_of(body) for line in (205.0, 220.0))
    assert low - 0.01 <= found["arch_index_right"] <= high + 0.01


@given(st.floats(40.0, 300.0), st.floats(40.0, 300.0), st.integers(2, 8))
@settings(max_examples=25)
def test_a_symmetric_print_has_its_exact_arch_index(heel_kpa: float, ball_kpa: float, half_width: int) -> None:
    blocks = (
        Block(0.0, 70.0, 6, 6, heel_kpa),
        Block(70.0, 140.0, half_width, half_width, 40.0),
        Block(140.0, 210.0, 8, 8, ball_kpa),
        Block(220.0, 250.0, 5, 5, 0.6 * ball_kpa + 20.0),
    )
    found = named(platform_session(peak_picture(blocks)))
    # The first unloaded bin in front of the forefoot is centred at 212.5 mm.
    third = 212.5 / 3.0
    body = blocks[:3]
    assert found["print_length_right_mm"] == pytest.approx(250.0, rel=1e-9)
    assert found["print_width_right_mm"] == pytest.approx(80.0, rel=1e-9)
    assert found["arch_index_right"] == pytest.approx(area_between(third, 2 * third, body) / area_of(body), rel=1e-9)
    assert found["medial_load_right_pct"] == pytest.approx(50.0, abs=1e-9)


def test_loads_of_regions_add_up_and_lie_where_the_blocks_are() -> None:
    found = named(platform_session())
    loads = [found[f"{region}_load_right_pct"] for region in ("rearfoot", "midfoot", "forefoot")]
    areas = [found[f"{region}_contact_area_right_cm2"] for region in ("rearfoot", "midfoot", "forefoot")]
    assert sum(loads) == pytest.approx(100.0, rel=1e-12)
    assert sum(areas) == pytest.approx(area_of(RIGHT_FOOT), rel=1e-9)
    assert found["midfoot_load_right_pct"] == min(loads)
    assert found["rearfoot_peak_pressure_right_kpa"] == pytest.approx(HEEL.kpa, rel=1e-3)
    assert found["forefoot_peak_pressure_right_kpa"] == pytest.approx(FOREFOOT.kpa, rel=1e-3)
    share = TOES.kpa * area_of((TOES,)) / sum(block.kpa * area_of((block,)) for block in RIGHT_FOOT)
    assert found["toe_load_right_pct"] == pytest.approx(100.0 * share, rel=0.02)


def test_any_mask_may_be_used_for_regional_loads() -> None:
    peaks = np.array([[100.0, 200.0, 5.0]])
    load, peak, area = masked_load(peaks, np.array([[1.0, 2.0, 1.0]]), np.full(3, 0.25), np.array([1.0, 0.25, 1.0]))
    assert load[0] == pytest.approx(100.0 * (1.0 + 0.5 + 1.0) / 4.0)
    assert peak[0] == 100.0
    assert area[0] == pytest.approx(0.25 + 0.0625)


def turned(session: PlantarSession, degrees: float) -> PlantarSession:
    """The same step, the grid turned about a corner; neighbours are lost with the grid, so it has none."""
    angle = np.radians(degrees)
    old = session.layout
    return PlantarSession(
        session.pressure_kpa,
        SensorLayout(
            np.cos(angle) * old.x_mm - np.sin(angle) * old.y_mm + 40.0,
            np.sin(angle) * old.x_mm + np.cos(angle) * old.y_mm - 7.0,
            old.area_cm2,
            old.side,
            insole=False,
        ),
        session.frame_rate_hz,
    )


@given(st.floats(-180.0, 180.0))
@settings(max_examples=30)
def test_how_the_foot_lies_on_a_platform_changes_nothing(degrees: float) -> None:
    still, moved = named(turned(platform_session(), 0.0)), named(turned(platform_session(), degrees))
    for name, value in still.items():
        # Sensors on the very edge of a region may fall to either side.
        assert moved[name] == pytest.approx(value, rel=0.05, abs=1e-6, nan_ok=True), name


def test_a_step_in_the_other_direction_is_turned_by_the_travel_of_the_centre_of_pressure() -> None:
    session = platform_session()
    other = PlantarSession(
        session.pressure_kpa.reshape(-1, 60, COLUMNS)[:, ::-1, ::-1].reshape(len(session.pressure_kpa), -1),
        session.layout,
        100.0,
    )
    forward, backward = named(session), named(other)
    for name, value in forward.items():
        assert backward[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name


def test_a_mirrored_step_is_the_other_foot_s() -> None:
    session = platform_session()
    mirrored = PlantarSession(
        session.pressure_kpa.reshape(-1, 60, COLUMNS)[:, :, ::-1].reshape(len(session.pressure_kpa), -1),
        layout("left"),
        100.0,
    )
    right, left = named(session), named(mirrored)
    for name in PLANTAR_FEATURE_NAMES:
        if "_right" in name:
            assert left[name.replace("_right", "_left")] == pytest.approx(right[name], rel=1e-9, nan_ok=True), name


def test_of_an_unknown_foot_the_arch_tells_the_medial_side() -> None:
    known, unknown = named(platform_session(side="right")), named(platform_session(side="unknown"))
    assert unknown["medial_load_mean_pct"] == known["medial_load_right_pct"]
    assert unknown["cpei_mean_pct"] == known["cpei_right_pct"]
    assert np.isnan(unknown["medial_load_right_pct"])
    flat = (HEEL, Block(70.0, 140.0, 5, 5, 60.0), FOREFOOT, Block(220.0, 250.0, 4, 4, 150.0))
    result = extract_plantar(platform_session(peak_picture(flat), side="unknown"))
    assert {"cpei:unknown_side", "medial:unknown_side"} <= set(result.reasons)


def test_cpei_is_the_lateral_bow_of_the_centre_of_pressure_over_the_width() -> None:
    """A single loaded spot runs along a known bow over a print that is pressed all the time by very little."""
    grid = layout("right")
    picture = peak_picture((Block(0.0, 250.0, 8, 8, 11.0),))
    frames = np.repeat(picture.reshape(1, -1), 51, axis=0)
    heel_y = -(60 - 3.5) * PITCH_MM
    for frame in range(51):
        share = frame / 50.0
        bow_mm = 20.0 * np.sin(np.pi * share)
        spot = np.exp(
            -((grid.x_mm - (13.5 * PITCH_MM + bow_mm)) ** 2 + (grid.y_mm - (heel_y + 250.0 * share)) ** 2) / 60.0
        )
        frames[frame] += 20_000.0 * spot / spot.sum() * (picture.reshape(-1) > 0.0)
    found = named(PlantarSession(frames, grid, 50.0))
    # The even print pulls every CoP to its centre: at two thirds of the length, the spot itself is further in front.
    pull = 20_000.0 / (20_000.0 + 11.0 * 50 * 16)
    share = 0.5 + (2.0 / 3.0 - 0.5) / pull
    bow_mm = 20.0 * np.sin(np.pi * share) * pull
    assert found["cpei_right_pct"] == pytest.approx(100.0 * bow_mm / 80.0, rel=0.01)
    assert found["cpei_right_pct"] > 0.0


def test_walking_on_insoles_is_the_mean_of_whole_steps() -> None:
    one, many = named(insole_session(steps=1)), named(insole_session(steps=5))
    for name, value in one.items():
        if not name.startswith("stance_count"):
            assert many[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name
    assert many["stance_count_right"] == 5
    assert named(insole_session(steps=5, cut_first=True))["stance_count_right"] == 4


def test_both_feet_have_a_symmetry_index() -> None:
    right, left = insole_session(side="right"), insole_session(side="left")
    both = SensorLayout(
        np.concatenate([left.layout.x_mm, right.layout.x_mm]),
        np.concatenate([left.layout.y_mm, right.layout.y_mm]),
        np.concatenate([left.layout.area_cm2, right.layout.area_cm2]),
        left.layout.side + right.layout.side,
        insole=True,
        pitch_mm=(PITCH_MM, PITCH_MM),
    )
    found = named(PlantarSession(np.hstack([0.9 * left.pressure_kpa, right.pressure_kpa]), both, 100.0))
    assert found["peak_pressure_si_pct"] == pytest.approx(100.0 * (0.9 - 1.0) / 0.95, rel=1e-9)
    assert found["force_time_integral_si_pct"] == pytest.approx(100.0 * (0.9 - 1.0) / 0.95, rel=0.01)
    assert found["peak_pressure_mean_kpa"] == pytest.approx(
        0.5 * (found["peak_pressure_left_kpa"] + found["peak_pressure_right_kpa"])
    )
    assert (
        extract_plantar(PlantarSession(np.hstack([left.pressure_kpa, right.pressure_kpa]), both, 100.0)).reasons == ()
    )


def test_every_value_lies_in_its_declared_range() -> None:
    assert len(set(PLANTAR_FEATURE_NAMES)) == len(PLANTAR_FEATURES)
    found = named(platform_session())
    for feature in PLANTAR_FEATURES:
        assert feature.formula and feature.source, feature.name
        value = found[feature.name]
        assert np.isnan(value) or feature.lowest <= value <= feature.highest, feature.name


def test_grid_neighbours_are_those_one_step_apart() -> None:
    grid = grid_layout(np.array([1, 1, 2, 2, 4]), np.array([1, 2, 2, 3, 3]), pitch_mm=(5.0, 7.0))
    pairs = {tuple(sorted(pair)) for pair in grid.neighbours.tolist()}
    assert pairs == {(0, 1), (1, 2), (2, 3)}


def test_devices_give_places_areas_and_sides() -> None:
    assert grid_place(grid_channel(95, 64)) == (95, 64)
    plate = device_layout("EMED", ("r30c26", "r31c26", "r30c27"))
    assert np.ptp(plate.x_mm) == np.ptp(plate.y_mm) == 5.0
    assert plate.y_mm[0] > plate.y_mm[1]
    assert plate.area_cm2.tolist() == [0.25] * 3
    sole = device_layout("FSCAN_LEFT", ("r01c10",))
    assert sole.side == ("left",) and sole.insole and sole.area_cm2[0] == pytest.approx(0.258064)
    insole = device_layout("PEDAR_Y", ("R99", "L01"))
    assert insole.side == ("right", "left") and insole.area_cm2.tolist() == [1.92, 1.92]
    assert not device_layout("PEDAR", ("L01",)).has_areas
    assert set(PEDAR_AREAS_MM2) == set(PEDAR_TYPES)
    assert all(len(areas) == 99 for areas in PEDAR_AREAS_MM2.values())
    assert all(len(set(device.channels)) == len(device.channels) for device in PRESSURE_DEVICES.values())


@pytest.fixture(scope="module")
def recordings(brain_data: Path) -> dict[str, Recording]:
    folder = brain_data / "health" / "plantar"
    return {
        "emed": emed.read_recordings(str(folder / "emed_test.lst.gz"))[0],
        "pedar": pedar.read_recordings(str(folder / "pedar_example.asc.gz"))[0],
        "fscan": fscan.read_recordings(str(folder / "fscan_testL.asf.gz"))[0],
        "stappone": stappone.read_recordings(str(folder / "stappone_example.csv.gz"))[0],
    }


def session_of(recording: Recording) -> PlantarSession:
    return device_session(recording.sensor_type, recording.channels, recording.samples, recording.sample_rate_hz)


@pytest.mark.data
def test_the_public_emed_step_has_its_printed_values(recordings: dict[str, Recording]) -> None:
    recording = recordings["emed"]
    result = extract_plantar(session_of(recording))
    found = dict(zip(PLANTAR_FEATURE_NAMES, result.values, strict=True))
    assert len(recording.samples) == 106
    assert found["peak_force_mean_newton"] == pytest.approx(818.6, abs=0.05)
    assert found["peak_pressure_mean_kpa"] == 370.0
    assert found["contact_time_mean_s"] == pytest.approx(1.05)
    assert found["force_time_integral_mean_newton_s"] == pytest.approx(675.8, abs=0.05)
    assert found["pti_novel_mean_kpa_s"] == pytest.approx(291.1, abs=0.01)
    assert 0.15 < found["arch_index_mean"] < 0.30
    assert 220.0 < found["print_length_mean_mm"] < 290.0
    assert 0.0 < found["cpei_mean_pct"] < 50.0
    assert result.reasons == ("asymmetry:one_foot",)


@pytest.mark.data
def test_the_public_pedar_walk_has_forces_by_type_and_no_places(recordings: dict[str, Recording]) -> None:
    result = extract_plantar(session_of(recordings["pedar"]))
    found = dict(zip(PLANTAR_FEATURE_NAMES, result.values, strict=True))
    assert recordings["pedar"].sensor_type == "PEDAR_Y"
    assert found["stance_count_left"] >= 5 and found["stance_count_right"] >= 5
    assert 600.0 < found["peak_force_mean_newton"] < 1_200.0
    assert np.isnan(found["arch_index_left"]) and np.isnan(found["cop_path_left_mm"])
    assert {"cop_left:no_positions", "arch_right:no_positions", "gradient_left:no_grid"} <= set(result.reasons)


@pytest.mark.data
def test_the_public_fscan_walk_is_a_left_foot_s(recordings: dict[str, Recording]) -> None:
    result = extract_plantar(session_of(recordings["fscan"]))
    found = dict(zip(PLANTAR_FEATURE_NAMES, result.values, strict=True))
    assert found["stance_count_left"] == 5
    assert 700.0 < found["peak_force_left_newton"] < 1_000.0
    assert 200.0 < found["print_length_left_mm"] < 280.0
    assert np.isnan(found["peak_force_right_newton"])
    assert result.reasons == ("asymmetry:one_foot",)


@pytest.mark.data
def test_the_public_stappone_walk_tells_timing_alone(recordings: dict[str, Recording]) -> None:
    result = extract_plantar(session_of(recordings["stappone"]))
    values = dict(zip(PLANTAR_FEATURE_NAMES, result.values, strict=True))
    found = {name: value for name, value in values.items() if np.isfinite(value)}
    assert set(found) == {"stance_count", "contact_time_mean_s"}
    assert found["stance_count"] > 20
    assert 0.4 < found["contact_time_mean_s"] < 1.2
    assert {"pressure:raw_units", "force:raw_units", "cop:raw_units"} <= set(result.reasons)


def test_roll_over_begins_at_the_heel_and_ends_at_the_toes() -> None:
    """The builder's own promise, on which the tests above rest."""
    frames = roll_over(peak_picture())
    rows = [np.flatnonzero(frame.any(axis=1)) for frame in (frames[0], frames[-1])]
    assert rows[0].min() > rows[1].max()
