"""features-scanner: one row for both feet of a session; a mesh that cannot be had is missing with a reason."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import trimesh

from edge.recordings.foot_mesh import read_recordings
from schemas.envelope import Record, RecordKey, unseal
from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from schemas.meshes import FetchScan, mesh_payload, refer
from schemas.proto.envelope_pb2 import Mesh
from schemas.row_codec import decode_row, encode_row
from schemas.rows import FEATURES_SCANNER, RowValues
from tests.builders import APPEND_MS, FrameBuilder, scan_record
from tests.builders_scans import exported
from udfs.frames import validate_frames
from udfs.line import LineSettings, run_line
from udfs.scanner_rows import extract_scanner_features
from udfs.session_rows import RecordGroup

KEY = RecordKey("lab", "walker-1", "s-1", "SCANNER")
BOX = trimesh.creation.box((95.0, 250.0, 60.0))


def rows_of(records: list[Record], fetch: FetchScan | None = None) -> list[RowValues]:
    """The rows as they would be read from the topic."""
    (rows,) = extract_scanner_features([RecordGroup(KEY, 1, [record.value for record in records])], fetch)
    return [decode_row(FEATURES_SCANNER, encode_row(FEATURES_SCANNER, row)) for row in rows]


def a_scan(side: str = "left", **place: int) -> Record:
    return scan_record(mesh_payload(exported("ply", BOX), "ply", side="left" if side == "left" else "right"), **place)


def test_scans_that_arrive_in_any_order_and_twice_give_the_same_row() -> None:
    records = [a_scan("left"), a_scan("right", sequence=1, at_s=200)]
    (expected,) = rows_of(records)
    assert (expected["frames"], expected["revision"]) == (2, 2)
    assert expected["foot_length_left_mm"] == expected["foot_length_right_mm"] == pytest.approx(250.0)
    assert expected["foot_length_difference_mm"] == 0.0
    for order in itertools.permutations([*records, records[0]]):
        assert rows_of(list(order)) == [expected]


def test_the_reasons_do_not_depend_on_which_foot_was_first() -> None:
    scans = [refer(mesh_payload(exported("ply", BOX), "ply", side=side)) for side in ("left", "right")]
    (expected,) = rows_of([scan_record(scans[0]), scan_record(scans[1], sequence=1)])
    (other,) = rows_of([scan_record(scans[1]), scan_record(scans[0], sequence=1)])
    assert len(expected["missing"]) > 2
    assert other["missing"] == expected["missing"]


def test_a_pause_of_over_ten_minutes_begins_another_session() -> None:
    first, second = rows_of([a_scan("left"), a_scan("right", sequence=1, at_s=601)])
    assert math.isnan(first["foot_length_right_mm"]) and math.isnan(second["foot_length_left_mm"])
    assert "difference:one_foot" in first["missing"]


def test_a_mesh_in_the_store_is_fetched() -> None:
    payload = mesh_payload(exported("ply", BOX), "ply", side="left")
    reference = refer(payload)
    (inline,), (fetched,) = (
        rows_of([scan_record(payload)]),
        rows_of([scan_record(reference)], {reference.reference: payload.inline}.__getitem__),
    )
    assert fetched == inline


def not_there(name: str) -> bytes:
    raise InvalidMessage(Reason.SCAN_NOT_FOUND, name)


@pytest.mark.parametrize("fetch", [None, not_there, lambda name: b"other bytes"])
def test_a_mesh_that_cannot_be_had_is_missing_with_a_reason(fetch: FetchScan | None) -> None:
    (row,) = rows_of([scan_record(refer(mesh_payload(exported("ply", BOX), "ply", side="left")))], fetch)
    assert math.isnan(row["foot_length_left_mm"])
    assert "length_left:not_available" in row["missing"]


def test_a_store_that_is_away_is_no_missing_mesh() -> None:
    def away(name: str) -> bytes:
        raise ConnectionError(name)

    with pytest.raises(ConnectionError):
        rows_of([scan_record(refer(mesh_payload(exported("ply", BOX), "ply")))], away)


def verdict_of(record: Record) -> tuple[str | None, str | None]:
    verdicts = validate_frames([record.key], [record.value], [record.headers[SENSOR_MS]], [APPEND_MS])
    return verdicts.reason[0], verdicts.detail[0]


def test_a_good_scan_passes_validation_and_a_bad_one_is_refused_by_name() -> None:
    assert verdict_of(a_scan()) == (None, None)
    good = mesh_payload(exported("ply", BOX), "ply")
    cut, flat, wrong_side, too_large = Mesh(), Mesh(), Mesh(), Mesh()
    for payload in (cut, flat, wrong_side, too_large):
        payload.CopyFrom(good)
    cut.inline = good.inline[:-20]
    flat.ClearField("inline")
    wrong_side.side = "both"
    too_large.CopyFrom(mesh_payload(exported("ply", BOX), "ply", unit="m"))
    expected = {
        "checksum_mismatch": scan_record(cut),
        "malformed_payload": scan_record(flat),
        "value_out_of_range": scan_record(too_large),
        "unit_mismatch": scan_record(good, sensor_type="GRF"),
    }
    assert {reason: verdict_of(record)[0] for reason, record in expected.items()} == {name: name for name in expected}
    assert "side 'both'" in (verdict_of(scan_record(wrong_side))[1] or "")
    blob = FrameBuilder(sensor_type="SCANNER").envelope()
    assert unseal(a_scan().value).payload_type != blob.payload_type


def test_the_line_describes_a_session_of_scans() -> None:
    lines = run_line([a_scan("left"), a_scan("right", sequence=1, at_s=1)], LineSettings([], 0.7, APPEND_MS))
    (session,) = lines.sessions
    assert not lines.dead_letters
    assert (session.session["samples"], session.session["channels"]) == (2, ["x", "y", "z"])
    assert session.session["channel_mean"] == pytest.approx([95.0, 250.0, 60.0])
    assert session.scanner_features is not None
    assert session.scanner_features["foot_length_mean_mm"] == pytest.approx(250.0)


@pytest.mark.data
def test_the_public_feet_mirror_each_other_through_the_line(brain_data: Path) -> None:
    scans = [
        read_recordings(str(brain_data / "health" / "foot3d" / f"makehuman_foot_{side}.ply"))[0]
        for side in ("left", "right")
    ]
    records = [scan_record(scan.mesh, sequence=number) for number, scan in enumerate(scans)]
    (row,) = rows_of(records)
    assert row["foot_length_mean_mm"] == pytest.approx(244.1, abs=0.1)
    assert row["ball_width_mean_mm"] == pytest.approx(94.6, abs=0.5)
    assert row["foot_length_difference_mm"] == 0.0
    assert "volume_left:not_watertight" in row["missing"]
