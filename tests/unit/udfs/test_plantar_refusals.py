"""What is no step gives missing values and the reason, never an exception or a plausible number."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.plantar import PLANTAR_FEATURE_NAMES, PLANTAR_FEATURES, PlantarGroup, PlantarReason
from tests.builders_plantar import FOREFOOT, HEEL, Block, insole_session, layout, peak_picture, platform_session
from udfs.plantar import PlantarResult, PlantarSession, extract_plantar, extract_plantar_batch, pedar_layout
from udfs.plantar.layout import SensorLayout, unplaced_layout

Array = np.ndarray
COUNTS = {"stance_count", "stance_count_left", "stance_count_right"}


def quiet(session: PlantarSession) -> PlantarResult:
    """The result, every warning being an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return extract_plantar(session)


def named(result: PlantarResult) -> dict[str, float]:
    return dict(zip(PLANTAR_FEATURE_NAMES, result.values.tolist(), strict=True))


def changed(rows: slice | int, column: slice | int, value: float) -> PlantarSession:
    session = platform_session()
    pressure = session.pressure_kpa.copy()
    pressure[rows, column] = value
    return replace(session, pressure_kpa=pressure)


def of(pressure: Array, rate_hz: float = 100.0) -> PlantarSession:
    return PlantarSession(pressure, layout("right"), rate_hz)


SIZE = layout().size
REFUSED = {
    "empty": (of(np.zeros((0, SIZE))), "too_short"),
    "one frame": (of(np.full((1, SIZE), 50.0)), "too_short"),
    "one sensor less": (of(np.zeros((50, SIZE - 1))), "wrong_shape"),
    "one dimension": (of(np.zeros(50)), "wrong_shape"),
    "no sensors": (PlantarSession(np.zeros((50, 0)), unplaced_layout(0, "left", insole=True), 100.0), "wrong_shape"),
    "rate of zero": (replace(platform_session(), frame_rate_hz=0.0), "wrong_rate"),
    "rate of NaN": (replace(platform_session(), frame_rate_hz=float("nan")), "wrong_rate"),
    "rate negative": (replace(platform_session(), frame_rate_hz=-100.0), "wrong_rate"),
    "all missing": (of(np.full((50, SIZE), np.nan)), "dead_sensor"),
    "all infinite": (of(np.full((50, SIZE), np.inf)), "dead_sensor"),
    "a sensor missing": (changed(slice(None), 700, np.nan), "dead_sensor"),
    "a frame missing in the only step": (changed(30, 700, np.nan), "gaps"),
    "all zero": (of(np.zeros((50, SIZE))), "no_contact"),
    "never 10 kPa": (of(9.0 * np.random.default_rng(1).random((50, SIZE))), "no_contact"),
    "constant": (of(np.full((50, SIZE), 40.0)), "constant"),
    "pascal": (
        replace(platform_session(), pressure_kpa=1_000.0 * platform_session().pressure_kpa),
        "implausible_pressure",
    ),
}


@pytest.mark.parametrize(("session", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_step_has_no_features_but_a_reason(session: PlantarSession, reason: str) -> None:
    result = quiet(session)
    assert {each.split(":")[1] for each in result.reasons} <= {reason, "one_foot"}
    assert {each.split(":")[0].split("_")[0] for each in result.reasons} >= {"timing", "pressure", "force", "cop"}
    for name, value in named(result).items():
        assert np.isnan(value) or (name in COUNTS and value == 0.0), name


def test_a_clipped_step_keeps_its_timing_alone() -> None:
    session = platform_session(scale=4.0)
    result = quiet(replace(session, pressure_kpa=np.minimum(session.pressure_kpa, 600.0)))
    found = {name: value for name, value in named(result).items() if np.isfinite(value)}
    assert found.keys() == {
        "stance_count",
        "stance_count_right",
        "contact_time_right_s",
        "contact_time_mean_s",
    }
    assert "pressure_right:saturated" in result.reasons and "cop_right:saturated" in result.reasons


FEATHER = np.where(np.arange(SIZE).reshape(60, 26) % 9 == 0, peak_picture((Block(0.0, 250.0, 8, 8, 12.0),)), 0.0)
ELEPHANT = peak_picture((Block(0.0, 250.0, 13, 13, 590.0),))


@pytest.mark.parametrize("picture", [FEATHER, ELEPHANT], ids=["feather", "elephant"])
def test_a_force_that_no_person_has_keeps_timing_and_pressure(picture: Array) -> None:
    result = quiet(platform_session(picture))
    found = named(result)
    assert "force_right:implausible_force" in result.reasons
    assert np.isfinite(found["peak_pressure_right_kpa"]) and np.isfinite(found["contact_time_right_s"])
    assert np.isnan(found["peak_force_right_newton"]) and np.isnan(found["arch_index_right"])


def test_standing_on_an_insole_gives_what_needs_no_stance() -> None:
    picture = peak_picture().reshape(-1)
    wave = 0.4 + 0.01 * np.sin(np.arange(300) / 20.0)
    result = quiet(PlantarSession(wave[:, None] * picture, layout("left", insole=True), 100.0))
    found = named(result)
    assert {"timing_left:no_stance", "cop_left:no_stance", "cpei_left:no_stance"} <= set(result.reasons)
    assert found["stance_count_left"] == 0
    assert np.isfinite(found["peak_pressure_left_kpa"]) and np.isfinite(found["arch_index_left"])
    for name in ("contact_time_left_s", "pti_novel_left_kpa_s", "pti_melai_left_kpa_s", "cop_path_left_mm"):
        assert np.isnan(found[name]), name
    assert np.isnan(found["force_time_integral_left_newton_s"])


def test_a_lost_frame_in_one_step_drops_that_step_only() -> None:
    session = insole_session(steps=4)
    pressure = session.pressure_kpa.copy()
    pressure[200] = np.nan
    found = named(quiet(replace(session, pressure_kpa=pressure)))
    assert found["stance_count_right"] == 3
    assert found["peak_force_right_newton"] == pytest.approx(named(extract_plantar(session))["peak_force_right_newton"])


def test_a_dead_sensor_takes_its_own_foot_only() -> None:
    left, right = insole_session(side="left"), insole_session(side="right")
    both = SensorLayout(
        np.concatenate([left.layout.x_mm, right.layout.x_mm]),
        np.concatenate([left.layout.y_mm, right.layout.y_mm]),
        np.concatenate([left.layout.area_cm2, right.layout.area_cm2]),
        left.layout.side + right.layout.side,
        insole=True,
        pitch_mm=left.layout.pitch_mm,
    )
    pressure = np.hstack([left.pressure_kpa, right.pressure_kpa])
    pressure[:, 700] = np.nan
    result = quiet(PlantarSession(pressure, both, 100.0))
    found = named(result)
    assert "force_left:dead_sensor" in result.reasons and "asymmetry:one_foot" in result.reasons
    assert np.isnan(found["peak_pressure_left_kpa"])
    assert found["peak_pressure_right_kpa"] == named(extract_plantar(right))["peak_pressure_right_kpa"]


def test_half_a_print_is_refused_as_no_foot() -> None:
    result = quiet(platform_session(peak_picture((HEEL,))))
    found = named(result)
    assert "print_right:implausible_print" in result.reasons
    assert np.isfinite(found["peak_force_right_newton"])
    assert np.isnan(found["print_length_right_mm"]) and np.isnan(found["rearfoot_load_right_pct"])


def test_a_stamp_with_the_whole_sole_has_no_direction() -> None:
    picture = peak_picture().reshape(-1)
    wave = np.sin(np.pi * (np.arange(60) + 1.0) / 62.0)
    result = quiet(PlantarSession(wave[:, None] * picture, layout("right"), 100.0))
    assert "print_right:unknown_direction" in result.reasons
    assert np.isfinite(named(result)["peak_pressure_right_kpa"])


def test_without_a_valley_behind_the_toes_there_is_no_arch_index() -> None:
    result = quiet(platform_session(peak_picture((Block(0.0, 250.0, 8, 8, 100.0),))))
    assert "arch_right:no_toe_line" in result.reasons
    assert np.isnan(named(result)["arch_index_right"]) and np.isnan(named(result)["toe_load_right_pct"])


def test_without_areas_only_the_highest_pressure_is_told() -> None:
    pressure = np.random.default_rng(2).uniform(0.0, 200.0, (300, 198))
    result = quiet(PlantarSession(pressure, pedar_layout("no such type"), 100.0))
    found = {name: value for name, value in named(result).items() if np.isfinite(value)}
    assert set(found) - COUNTS == {
        "peak_pressure_left_kpa",
        "peak_pressure_right_kpa",
        "peak_pressure_mean_kpa",
        "peak_pressure_si_pct",
    }
    assert {"force_left:no_areas", "timing_right:no_areas"} <= set(result.reasons)


def test_raw_units_tell_timing_alone() -> None:
    session = insole_session(steps=5)
    raw = PlantarSession(
        300.0 + 2.0 * session.pressure_kpa[:, 400:1200:67],
        unplaced_layout(12, "unknown", insole=True),
        100.0,
        calibrated=False,
    )
    result = quiet(raw)
    found = {name: value for name, value in named(result).items() if np.isfinite(value)}
    assert set(found) == {"stance_count", "contact_time_mean_s"}
    assert found["stance_count"] == 5
    assert 0.4 < found["contact_time_mean_s"] < 0.7
    still = quiet(replace(raw, pressure_kpa=np.full((100, 12), 300.0)))
    assert "timing:no_stance" in still.reasons


def test_a_layout_must_fit_its_own_parts() -> None:
    three = np.zeros(3)
    with pytest.raises(ValueError, match="2 sides"):
        SensorLayout(three, three, three, ("left", "left"), insole=True)


def test_a_batch_is_its_parts_to_the_last_bit_in_any_order() -> None:
    sessions = [
        platform_session(),
        insole_session(steps=3),
        platform_session(peak_picture((HEEL, FOREFOOT))),
        of(np.zeros((3, SIZE))),
        insole_session(steps=2, side="left"),
    ]
    values, reasons = extract_plantar_batch(sessions)
    order = [3, 0, 4, 2, 1]
    shuffled, shuffled_reasons = extract_plantar_batch([sessions[place] for place in order])
    assert np.array_equal(values[order], shuffled, equal_nan=True)
    assert [reasons[place] for place in order] == shuffled_reasons
    for row, session in enumerate(sessions):
        assert np.array_equal(extract_plantar_batch([session])[0][0], values[row], equal_nan=True)


def test_an_empty_batch_is_an_empty_table() -> None:
    values, reasons = extract_plantar_batch([])
    assert values.shape == (0, len(PLANTAR_FEATURES))
    assert reasons == []


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(0, 80), st.just(24)),
        elements=st.floats(width=64, allow_nan=True, allow_infinity=True),
        fill=st.sampled_from([0.0, 30.0, 400.0, -5.0, np.nan]),
    ),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=80)
def test_no_numbers_whatever_raise_or_give_an_infinite_feature(pressure: Array, insole: bool, calibrated: bool) -> None:
    part = layout("left", insole=insole)
    places = np.arange(600, 624)
    small = SensorLayout(
        part.x_mm[places],
        part.y_mm[places],
        part.area_cm2[places],
        ("left",) * 12 + ("right",) * 12,
        insole,
        (5.0, 5.0),
    )
    with np.errstate(all="ignore"):
        result = extract_plantar(PlantarSession(pressure, small, 50.0, calibrated))
    assert not np.isinf(result.values).any()
    for each in result.reasons:
        group, reason = each.split(":")
        assert reason in set(PlantarReason)
        assert group.removesuffix("_left").removesuffix("_right") in set(PlantarGroup)
