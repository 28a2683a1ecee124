from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import trimesh

from edge.framing import Framing
from edge.identity import Boot
from edge.plan import plan_replay
from edge.recordings import foot_mesh
from edge.records import plan_records
from edge.settings import EdgeSettings
from schemas.envelope import unseal
from schemas.errors import RecordingError
from schemas.meshes import INLINE_BYTES, open_mesh
from schemas.proto.envelope_pb2 import MESH, EventEnvelope, Mesh
from tests.builders_scans import exported

BOOT = Boot("b0", 1_700_000_000_000)


@pytest.mark.parametrize("kind", ["ply", "stl", "obj"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_one_scan(kind: str, packed: bool, tmp_path: Path) -> None:
    content = exported(kind)
    path = tmp_path / f"anna_Left.{kind}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert foot_mesh.recognises(path)
    (scan,) = foot_mesh.read_recordings(str(path))
    assert (scan.name, scan.sensor_type, scan.mesh.side, scan.mesh.format) == ("anna", "SCANNER", "left", kind)
    assert scan.mesh.inline == content


@pytest.mark.parametrize(
    ("name", "side", "subject"),
    [
        ("foot_left.ply", "left", "foot"),
        ("RIGHT-2.stl", "right", "2"),
        ("left.ply", "left", "scan"),
        ("12 May right foot.obj", "right", "12-May-foot"),
        ("leftover.ply", None, "leftover"),
        ("bright.obj", None, "bright"),
        ("left_and_right.ply", None, "left_and_right"),
        ("scan.ply", None, "scan"),
    ],
)
def test_only_a_whole_word_names_the_side_and_the_rest_the_subject(name: str, side: str | None, subject: str) -> None:
    assert foot_mesh.side_in_name(name) == side
    assert foot_mesh.scan_subject(Path(name)) == subject


def test_the_unit_stands_behind_the_address(tmp_path: Path) -> None:
    path = tmp_path / "foot_right.stl"
    path.write_bytes(exported("stl"))
    (in_cm,) = foot_mesh.read_recordings(f"{path}#cm")
    (in_mm,) = foot_mesh.read_recordings(str(path))
    assert np.array_equal(open_mesh(in_cm.mesh).vertices_mm, open_mesh(in_mm.mesh).vertices_mm * 10.0)
    with pytest.raises(RecordingError, match="unit 'inch'"):
        foot_mesh.read_recordings(f"{path}#inch")


def test_what_is_no_mesh_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "scan.txt"
    path.write_bytes(exported("ply"))
    assert not foot_mesh.recognises(path)
    with pytest.raises(RecordingError, match="not a mesh file"):
        foot_mesh.read_recordings(str(path))
    bad = tmp_path / "bad.ply"
    bad.write_bytes(b"hello")
    with pytest.raises(RecordingError, match=r"bad\.ply: mesh: cannot be read as PLY"):
        foot_mesh.read_recordings(str(bad))
    with pytest.raises(RecordingError, match=r"nowhere\.ply: cannot be read"):
        foot_mesh.read_recordings(str(tmp_path / "nowhere.ply"))


def _envelopes(paths: list[str], settings: EdgeSettings) -> list[EventEnvelope]:
    plan = plan_replay(paths, settings, boot=BOOT)
    assert not plan.bad, plan.bad
    return [unseal(record.value) for record in plan_records(plan.items, Framing())]


def test_both_feet_make_one_session_of_one_device(tmp_path: Path) -> None:
    paths = []
    for side, length in (("left", 250.0), ("right", 251.0)):
        path = tmp_path / f"anna_{side}.ply"
        path.write_bytes(exported("ply", trimesh.creation.box((100.0, length, 60.0))))
        paths.append(str(path))
    frames = _envelopes(paths, EdgeSettings())
    assert {(frame.device_id, frame.session_id, frame.sensor_type) for frame in frames} == {("anna", "anna", "SCANNER")}
    assert [frame.sequence for frame in frames] == [0, 1]
    assert {frame.payload_type for frame in frames} == {MESH}
    assert {Mesh.FromString(frame.payload).side for frame in frames} == {"left", "right"}
    twice = plan_replay([paths[0], paths[0]], EdgeSettings(), boot=BOOT)
    assert len(twice.items) == 1 and "already has another recording" in str(twice.bad[0])


def test_a_large_scan_goes_into_the_store_and_its_frame_refers_to_it(tmp_path: Path) -> None:
    content = exported("stl", trimesh.creation.icosphere(subdivisions=6, radius=100.0))
    assert len(content) > INLINE_BYTES
    path, store = tmp_path / "scan.stl", tmp_path / "store"
    path.write_bytes(content)
    without = plan_replay([str(path)], EdgeSettings(), boot=BOOT)
    assert not without.items and "set scan_store" in str(without.bad[0])
    (frame,) = _envelopes([str(path)], EdgeSettings(scan_store=str(store)))
    mesh = Mesh.FromString(frame.payload)
    assert (store / mesh.reference).read_bytes() == content
    assert open_mesh(mesh, lambda reference: (store / reference).read_bytes()).faces.shape[1] == 3


@pytest.mark.data
def test_the_public_feet_are_read_as_they_stand(brain_data: Path) -> None:
    for side in ("left", "right"):
        path = brain_data / "health" / "foot3d" / f"makehuman_foot_{side}.ply"
        (scan,) = foot_mesh.read_recordings(str(path))
        mesh = open_mesh(scan.mesh)
        assert (scan.name, mesh.side) == ("makehuman_foot", side)
        assert mesh.vertices_mm.shape == (1_079, 3) and mesh.faces.shape == (2_135, 3)
