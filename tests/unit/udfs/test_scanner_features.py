"""Scanner features against solids with known measures, a public foot, and everything that is no scan."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.scanner import (
    FOOT_FEATURE_NAMES,
    FOOT_FEATURES,
    SCANNER_FEATURE_NAMES,
    SCANNER_FEATURES,
    ScanGroup,
    ScanReason,
)
from udfs.scanner import FootScan, ScanSession, extract_scanner, extract_scanner_batch, measure_foot

Array = np.ndarray
TURN_FREE = [name for name in FOOT_FEATURE_NAMES if name != "toe_out_deg"]


def wedge(*, seed: int = 4, rows: int = 60, columns: int = 24) -> tuple[Array, Array]:
    """A closed right "foot": high over the heel, broad and low at the ball, its medial bulge left of the axis at 70 %.

    A tube of rings along y, each a half ellipse on the floor; slightly rough, so no two places tie.
    """
    share = np.linspace(0.0, 1.0, rows)
    half = 30.0 + 18.0 * np.exp(-(((share - 0.7) / 0.18) ** 2))
    half *= np.sqrt(np.clip(1.0 - (2.0 * share - 1.0) ** 10, 0.0, None)) + 0.02
    height = (85.0 - 62.0 * share) * np.sqrt(np.clip(1.0 - (2.0 * share - 1.0) ** 10, 0.0, None)) + 1.0
    bulge = -6.0 * np.exp(-(((share - 0.72) / 0.08) ** 2))
    angle = np.linspace(0.0, np.pi, columns)
    across = half[:, None] * np.cos(angle) + np.minimum(np.cos(angle), 0.0) * -bulge[:, None]
    up = height[:, None] * np.sin(angle)
    along = np.broadcast_to(250.0 * share[:, None], across.shape)
    vertices = np.stack([across, along, up], axis=2).reshape(-1, 3)
    vertices[:, 0] += np.random.default_rng(seed).uniform(-0.01, 0.01, len(vertices))
    ring = np.arange(rows * columns).reshape(rows, columns)
    a, b = ring[:-1], ring[1:]
    nxt = np.roll(np.arange(columns), -1)
    quads = np.stack([a, b, b[:, nxt], a[:, nxt]], axis=2).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    caps = [[ring[0, 0], ring[0, k], ring[0, k + 1]] for k in range(1, columns - 1)]
    caps += [[ring[-1, 0], ring[-1, k + 1], ring[-1, k]] for k in range(1, columns - 1)]
    return vertices, np.concatenate([faces, np.array(caps)])


def named(vertices: Array, faces: Array, **options: object) -> dict[str, float]:
    result = measure_foot(vertices, faces, **options)  # type: ignore[arg-type]
    return dict(zip(FOOT_FEATURE_NAMES, result.values.tolist(), strict=True))


def reasons_of(vertices: Array, faces: Array, **options: object) -> set[str]:
    return set(measure_foot(vertices, faces, **options).reasons)  # type: ignore[arg-type]


def turned(vertices: Array, degrees: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Array:
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return vertices @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) + np.array(shift)


def test_a_box_has_the_measures_of_a_box() -> None:
    box = trimesh.creation.box((100.0, 250.0, 60.0))
    found = named(box.vertices, box.faces, side="right")
    assert found["foot_length_mm"] == pytest.approx(250.0, rel=1e-12)
    assert found["ball_width_mm"] == found["heel_width_mm"] == pytest.approx(100.0, rel=1e-12)
    assert found["ball_girth_mm"] == pytest.approx(2 * (100.0 + 60.0), rel=1e-9)
    assert found["instep_height_mm"] == pytest.approx(60.0, rel=1e-12)
    assert found["truncated_length_mm"] == pytest.approx(0.7 * 250.0, rel=1e-9)
    assert found["arch_height_index"] == pytest.approx(60.0 / 175.0, rel=1e-9)
    assert found["surface_cm2"] == pytest.approx(2 * (10 * 25 + 10 * 6 + 25 * 6), rel=1e-12)
    assert found["volume_cm3"] == pytest.approx(1_500.0, rel=1e-12)
    assert np.isnan(found["toe_out_deg"])


@given(st.integers(8, 64), st.floats(36.0, 55.0), st.floats(200.0, 240.0))
def test_a_lying_cylinder_has_the_volume_and_surface_of_its_polygon(sides: int, radius: float, length: float) -> None:
    cylinder = trimesh.creation.cylinder(radius, length, sections=sides)
    # Upright along z as it comes; laid down along y.
    vertices = cylinder.vertices[:, [1, 2, 0]]
    found = named(vertices, cylinder.faces)
    polygon = 0.5 * sides * radius**2 * np.sin(2 * np.pi / sides)
    mantle = 2 * sides * radius * np.sin(np.pi / sides) * length
    assert found["foot_length_mm"] == pytest.approx(length, rel=1e-9)
    assert found["volume_cm3"] == pytest.approx(polygon * length / 1e3, rel=1e-9)
    assert found["surface_cm2"] == pytest.approx((2 * polygon + mantle) / 100.0, rel=1e-9)


def dome(a: float, b: float, c: float, *, closed: bool, steps: int = 120) -> trimesh.Trimesh:
    """Half an ellipsoid on the floor, semi-axes a, b (along y) and c, with or without its floor."""
    turn = np.linspace(0.0, 2 * np.pi, 2 * steps, endpoint=False)
    rise = np.linspace(0.0, np.pi / 2, steps, endpoint=False)[:, None]
    rings = np.stack(
        [a * np.cos(turn) * np.cos(rise), b * np.sin(turn) * np.cos(rise), c * np.sin(rise) + 0.0 * turn], axis=2
    )
    ring = np.arange(rings.shape[0] * rings.shape[1]).reshape(rings.shape[:2])
    nxt = np.roll(np.arange(len(turn)), -1)
    low, high = ring[:-1], ring[1:]
    quads = np.stack([low, low[:, nxt], high[:, nxt], high], axis=2).reshape(-1, 4)
    top, floor = ring.size, ring.size + 1
    faces = [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], _fan(ring[-1], ring[-1][nxt], top)]
    faces += [_fan(ring[0][nxt], ring[0], floor)] if closed else []
    vertices = np.vstack([rings.reshape(-1, 3), [[0.0, 0.0, c], [0.0, 0.0, 0.0]]])
    return trimesh.Trimesh(vertices, np.concatenate(faces), process=False)


def _fan(one: Array, other: Array, middle: int) -> Array:
    return np.column_stack([one, other, np.full(len(one), middle)])


def test_a_half_ellipsoid_has_its_closed_form_measures() -> None:
    solid = dome(50.0, 120.0, 70.0, closed=True)
    assert solid.is_watertight
    found = named(solid.vertices, solid.faces, side="right")
    assert found["foot_length_mm"] == pytest.approx(240.0, rel=1e-3)
    # At 60 % of the length the ellipse is sqrt(1 - 0.2^2) of its full breadth, at 15 % sqrt(1 - 0.7^2).
    assert found["ball_width_mm"] == pytest.approx(100.0 * np.sqrt(1 - 0.2**2), rel=1e-3)
    assert found["heel_width_mm"] == pytest.approx(100.0 * np.sqrt(1 - 0.7**2), rel=1e-3)
    assert found["instep_height_mm"] == pytest.approx(70.0, rel=1e-3)
    assert found["volume_cm3"] == pytest.approx(2 / 3 * np.pi * 5.0 * 12.0 * 7.0, rel=1e-3)
    assert found["volume_cm3"] == pytest.approx(solid.volume / 1e3, rel=1e-9)
    # The section is half an ellipse with its floor; Ramanujan's perimeter at 60 %. The joint counts as the middle of
    # all places within 0.5 mm of the outermost one, so it lies a little in front.
    p, q = 50.0 * np.sqrt(0.96), 70.0 * np.sqrt(0.96)
    half = 0.5 * np.pi * (3 * (p + q) - np.sqrt((3 * p + q) * (p + 3 * q)))
    assert found["ball_girth_mm"] == pytest.approx(half + 2 * p, rel=5e-3)


def test_a_solid_without_floor_has_no_volume_and_no_height_at_its_top() -> None:
    shell = dome(50.0, 120.0, 70.0, closed=False)
    found = named(shell.vertices, shell.faces, side="right")
    assert np.isnan(found["volume_cm3"]) and np.isnan(found["instep_height_mm"])
    assert {"height:cut_off", "volume:not_watertight"} <= reasons_of(shell.vertices, shell.faces, side="right")
    assert found["ball_width_mm"] == pytest.approx(100.0 * np.sqrt(1 - 0.2**2), rel=1e-3)


def test_a_closed_foot_has_every_quantity() -> None:
    vertices, faces = wedge()
    result = measure_foot(vertices, faces, side="right")
    assert result.reasons == ()
    for feature, value in zip(FOOT_FEATURES, result.values, strict=True):
        assert feature.lowest <= value <= feature.highest, feature.name
    found = named(vertices, faces, side="right")
    assert found["truncated_length_mm"] / found["foot_length_mm"] == pytest.approx(0.71, abs=0.03)
    oracle = trimesh.Trimesh(vertices, faces, process=True)
    assert found["volume_cm3"] == pytest.approx(abs(oracle.volume) / 1e3, rel=1e-9)
    assert found["surface_cm2"] == pytest.approx(oracle.area / 100.0, rel=1e-9)


@given(st.floats(-180.0, 180.0), st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), st.floats(-50.0, 50.0))
def test_how_the_foot_lies_changes_nothing_but_the_toe_out(angle: float, dx: float, dy: float, dz: float) -> None:
    vertices, faces = wedge()
    still = named(vertices, faces, side="right")
    moved = named(turned(vertices, -angle, (dx, dy, dz)), faces, side="right")
    for name in TURN_FREE:
        assert moved[name] == pytest.approx(still[name], rel=1e-7), name
    expected = still["toe_out_deg"] + angle
    if abs(expected) < 44.9:
        assert moved["toe_out_deg"] == pytest.approx(expected, abs=1e-7)
    elif 45.1 < abs(expected) < 314.9:
        assert np.isnan(moved["toe_out_deg"])


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_vertices_and_faces_changes_nothing_at_all(seed: int) -> None:
    vertices, faces = wedge()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(vertices))
    place = np.argsort(order)
    shuffled = np.roll(place[faces][rng.permutation(len(faces))], int(rng.integers(3)), axis=1)
    one = measure_foot(vertices, faces, side="left")
    other = measure_foot(vertices[order], shuffled, side="left")
    assert np.array_equal(one.values, other.values)


def test_repeated_and_unused_vertices_change_nothing_at_all() -> None:
    vertices, faces = wedge()
    soup = vertices[faces].reshape(-1, 3)
    stray = np.vstack([soup, [[9_999.0, 9_999.0, 9_999.0]]])
    one = measure_foot(vertices, faces, side="right")
    assert np.array_equal(one.values, measure_foot(stray, np.arange(len(soup)).reshape(-1, 3), side="right").values)


def test_a_mirrored_foot_of_the_other_side_is_the_same_to_the_last_bit() -> None:
    vertices, faces = wedge()
    right = measure_foot(vertices, faces, side="right")
    left = measure_foot(vertices * [-1.0, 1.0, 1.0], faces[:, ::-1], side="left")
    assert np.array_equal(right.values, left.values)


def test_the_marked_second_toe_sets_axis_and_direction() -> None:
    vertices, faces = wedge()
    straight = named(vertices, faces, side="right", second_toe_mm=np.array([0.0, 250.0, 10.0]))
    aside = named(vertices, faces, side="right", second_toe_mm=np.array([20.0, 250.0, 10.0]))
    backward = named(vertices, faces, side="right", second_toe_mm=np.array([0.0, 0.0, 10.0]))
    assert straight["toe_out_deg"] == pytest.approx(0.0, abs=0.2)
    assert aside["toe_out_deg"] == pytest.approx(np.degrees(np.arctan2(20.0, 225.0)), abs=0.3)
    assert np.isnan(backward["toe_out_deg"])
    assert backward["heel_width_mm"] != pytest.approx(straight["heel_width_mm"], rel=0.01)


def test_without_a_side_what_needs_one_is_missing() -> None:
    vertices, faces = wedge()
    found = named(vertices, faces)
    known = named(vertices, faces, side="right")
    assert reasons_of(vertices, faces) == {"arch:unknown_side", "toe_out:unknown_side"}
    assert np.isnan(found["toe_out_deg"]) and np.isnan(found["arch_height_index"])
    assert found["ball_girth_mm"] == known["ball_girth_mm"]


def test_an_open_or_inside_out_mesh_has_no_volume() -> None:
    vertices, faces = wedge()
    assert "volume:not_watertight" in reasons_of(vertices, faces[1:], side="right")
    flipped = faces.copy()
    flipped[7] = flipped[7, ::-1]
    assert "volume:inconsistent_winding" in reasons_of(vertices, flipped, side="right")
    assert "volume:not_watertight" in reasons_of(vertices, np.vstack([faces, faces[:1]]), side="right")
    assert np.isnan(named(vertices, faces[1:], side="right")["volume_cm3"])
    assert (
        named(vertices, faces[:, ::-1], side="right")["volume_cm3"]
        == named(vertices, faces, side="right")["volume_cm3"]
    )


VERTICES, FACES = wedge()
REFUSED = {
    "no vertices": (np.zeros((0, 3)), FACES, "wrong_shape"),
    "no faces": (VERTICES, FACES[:0], "wrong_shape"),
    "flat vertices": (VERTICES[:, :2], FACES, "wrong_shape"),
    "quads": (VERTICES, np.zeros((5, 4), dtype=np.int64), "wrong_shape"),
    "faces of floats": (VERTICES, FACES.astype(float), "wrong_shape"),
    "NaN": (np.where(np.arange(len(VERTICES))[:, None] == 3, np.nan, VERTICES), FACES, "not_finite"),
    "infinite": (np.where(np.arange(len(VERTICES))[:, None] == 3, np.inf, VERTICES), FACES, "not_finite"),
    "face of nothing": (VERTICES, FACES + 1, "bad_faces"),
    "face of -1": (VERTICES, FACES - 1, "bad_faces"),
    "collapsed faces": (VERTICES, np.zeros((4, 3), dtype=np.int64), "bad_faces"),
    "metres": (VERTICES / 1_000.0, FACES, "not_a_foot"),
    "centimetres": (VERTICES / 10.0, FACES, "not_a_foot"),
    "a giant's": (VERTICES * 2.0, FACES, "not_a_foot"),
    "as broad as long": (VERTICES * [3.0, 1.0, 1.0], FACES, "not_a_foot"),
    "a stick": (VERTICES * [0.3, 1.0, 1.0], FACES, "not_a_foot"),
    "all one point": (np.zeros((9, 3)), np.array([[0, 1, 2]]), "bad_faces"),
}


@pytest.mark.parametrize(("vertices", "faces", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_foot_has_no_features_but_a_reason(vertices: Array, faces: Array, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = measure_foot(vertices, faces, side="left")
    assert np.isnan(result.values).all()
    assert set(result.reasons) == {f"{group}:{reason}" for group in ScanGroup if group != "difference"}


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.floats(width=64)),
    hnp.arrays(np.int64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.integers(-2, 13)),
)
def test_no_numbers_whatever_raise_or_give_an_infinite_feature(vertices: Array, faces: Array) -> None:
    with np.errstate(all="ignore"):
        result = measure_foot(vertices, faces, side="right")
    assert not np.isinf(result.values).any()
    assert all(reason.split(":")[1] in set(ScanReason) for reason in result.reasons)


def session(scale: float, *, left: bool = True, right: bool = True) -> ScanSession:
    scans = []
    if left:
        scans.append(FootScan(VERTICES * [-1.0, 1.0, 1.0] * scale, FACES, "left"))
    if right:
        scans.append(FootScan(VERTICES, FACES, "right"))
    return ScanSession(tuple(scans))


def test_both_feet_give_left_right_mean_and_difference() -> None:
    result = extract_scanner(session(1.02))
    found = dict(zip(SCANNER_FEATURE_NAMES, result.values, strict=True))
    assert result.reasons == ()
    assert found["foot_length_left_mm"] == pytest.approx(1.02 * found["foot_length_right_mm"], rel=1e-6)
    assert found["foot_length_difference_mm"] == pytest.approx(0.02 * found["foot_length_right_mm"], rel=1e-4)
    assert found["volume_mean_cm3"] == pytest.approx(found["volume_right_cm3"] * (1 + 1.02**3) / 2, rel=1e-9)
    # The axis rests on the vertices below 30 mm, which are others in a larger foot.
    assert found["toe_out_difference_deg"] == pytest.approx(0.0, abs=0.1)


def test_one_foot_has_no_difference() -> None:
    result = extract_scanner(session(1.0, right=False))
    found = dict(zip(SCANNER_FEATURE_NAMES, result.values, strict=True))
    assert result.reasons == ("difference:one_foot",)
    assert found["foot_length_mean_mm"] == found["foot_length_left_mm"]
    assert np.isnan(found["foot_length_right_mm"]) and np.isnan(found["foot_length_difference_mm"])


def test_a_batch_is_its_parts_to_the_last_bit_in_any_order() -> None:
    sessions = [session(1.0), session(1.1, right=False), session(0.9, left=False), session(9.0), ScanSession(())]
    values, reasons = extract_scanner_batch(sessions)
    order = [4, 2, 0, 3, 1]
    shuffled, shuffled_reasons = extract_scanner_batch([sessions[place] for place in order])
    assert np.array_equal(values[order], shuffled, equal_nan=True)
    assert [reasons[place] for place in order] == shuffled_reasons
    for row, each in enumerate(sessions):
        assert np.array_equal(extract_scanner_batch([each])[0][0], values[row], equal_nan=True)
    assert extract_scanner_batch([])[0].shape == (0, len(SCANNER_FEATURES))


def test_declarations_are_complete_and_unique() -> None:
    assert len(set(SCANNER_FEATURE_NAMES)) == len(SCANNER_FEATURES) == 4 * len(FOOT_FEATURES)
    assert all(feature.formula and feature.source for feature in SCANNER_FEATURES)


@pytest.fixture(scope="module")
def public_feet(brain_data: Path) -> dict[str, trimesh.Trimesh]:
    folder = brain_data / "health" / "foot3d"
    return {side: trimesh.load_mesh(folder / f"makehuman_foot_{side}.ply", process=False) for side in ("left", "right")}


@pytest.mark.data
def test_the_public_feet_have_their_known_length_width_and_toe_out(public_feet: dict[str, trimesh.Trimesh]) -> None:
    for side, mesh in public_feet.items():
        found = named(mesh.vertices, mesh.faces, side=side)
        assert found["foot_length_mm"] == pytest.approx(244.1, abs=0.05)
        assert found["ball_width_mm"] == pytest.approx(94.6, abs=0.05)
        assert found["toe_out_deg"] == pytest.approx(3.9, abs=0.05)
        assert found["surface_cm2"] == pytest.approx(mesh.area / 100.0, rel=1e-9)
        assert reasons_of(mesh.vertices, mesh.faces, side=side) == {"volume:not_watertight"}


@pytest.mark.data
def test_the_public_feet_mirror_each_other_to_the_last_bit(public_feet: dict[str, trimesh.Trimesh]) -> None:
    scans = tuple(FootScan(mesh.vertices, mesh.faces, side) for side, mesh in public_feet.items())  # type: ignore[arg-type]
    found = dict(zip(SCANNER_FEATURE_NAMES, extract_scanner(ScanSession(scans)).values, strict=True))
    differences = {name: value for name, value in found.items() if "difference" in name and "volume" not in name}
    assert len(differences) == len(FOOT_FEATURES) - 1
    assert set(differences.values()) == {0.0}
