from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidMessage, Reason
from schemas.meshes import INLINE_BYTES, mesh_block, mesh_payload, open_mesh, parse_mesh, refer
from schemas.proto.envelope_pb2 import Mesh
from schemas.samples import decode_samples
from tests.builders_scans import OBJ, a_solid, exported


@pytest.mark.parametrize("kind", ["ply", "stl", "obj"])
def test_a_payload_is_its_vertices_faces_and_size(kind: str) -> None:
    content = exported(kind)
    payload = mesh_payload(content, kind, side="left")
    mesh = open_mesh(payload)
    assert (mesh.side, mesh.sha256) == ("left", hashlib.sha256(content).digest())
    assert mesh.faces.shape == (12, 3)
    assert trimesh.Trimesh(mesh.vertices_mm, mesh.faces).volume == pytest.approx(1_500_000.0, rel=1e-6)
    assert list(payload.extent_mm) == pytest.approx([100.0, 250.0, 60.0])


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1.0), ("cm", 10.0), ("m", 1_000.0)])
def test_the_unit_is_the_declared_one(unit: str, factor: float) -> None:
    vertices, _ = parse_mesh(exported("ply"), "ply", unit=unit)
    assert vertices.max() == pytest.approx(125.0 * factor)


BAD_MESHES = {
    "empty": ("ply", b"", "the file is empty"),
    "words as PLY": ("ply", b"hello world", "cannot be read as PLY"),
    "words as STL": ("stl", b"hello world", "no surface"),
    "words as OBJ": ("obj", b"hello world", "no surface"),
    "PLY cut off": ("ply", exported("ply")[:-20], "cannot be read as PLY"),
    "STL cut off": ("stl", exported("stl")[:-20], ""),
    "points only": ("obj", OBJ, "no surface"),
    "NaN": ("obj", OBJ.replace(b"0 1 0", b"0 nan 0") + b"f 1 2 3\n", "vertex 2 (from 0) is not finite"),
    "infinite": ("obj", OBJ.replace(b"0 1 0", b"0 inf 0") + b"f 1 2 3\n", "vertex 2 (from 0) is not finite"),
    "vertex that does not exist": ("obj", OBJ + b"f 1 2 9\n", "cannot be read as OBJ"),
    "another format": ("step", OBJ, "format 'step'"),
}


@pytest.mark.parametrize("name", BAD_MESHES)
def test_bad_meshes_are_refused_by_name(name: str) -> None:
    kind, content, expected = BAD_MESHES[name]
    with pytest.raises(InvalidMessage) as caught:
        parse_mesh(content, kind)
    assert caught.value.reason is Reason.MALFORMED_PAYLOAD
    assert caught.value.detail.startswith("mesh: ")
    assert expected in caught.value.detail


@given(content=st.binary(max_size=300), kind=st.sampled_from(["ply", "stl", "obj"]))
def test_any_bytes_are_a_mesh_or_refused(content: bytes, kind: str) -> None:
    try:
        vertices, faces = parse_mesh(content, kind)
    except InvalidMessage:
        return
    assert np.isfinite(vertices).all() and faces.max() < len(vertices)


@given(position=st.integers(0, len(exported("ply")) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_mesh_is_found_by_its_hash(position: int, bit: int) -> None:
    payload = mesh_payload(exported("ply"), "ply")
    content = bytearray(payload.inline)
    content[position] ^= 1 << bit
    payload.inline = bytes(content)
    with pytest.raises(InvalidMessage, match="SHA-256 is"):
        open_mesh(payload)


def test_a_mesh_never_opens_the_files_it_refers_to(tmp_path: Path) -> None:
    trap = tmp_path / "trap.mtl"
    trap.write_text("newmtl skin\nmap_Kd /dev/zero\n")
    vertices, faces = parse_mesh(f"mtllib {trap}\nusemtl skin\n".encode() + OBJ + b"f 1 2 3\n", "obj")
    assert vertices.shape == (3, 3) and faces.tolist() == [[0, 1, 2]]


def test_a_reference_is_named_by_its_content_and_checked_when_it_is_fetched() -> None:
    content = exported("stl", trimesh.creation.icosphere(subdivisions=6, radius=100.0))
    assert len(content) > INLINE_BYTES
    payload = refer(mesh_payload(content, "stl", side="left"))
    assert len(payload.SerializeToString()) < 250
    assert payload.reference == f"{hashlib.sha256(content).hexdigest()}.stl"
    assert open_mesh(payload, {payload.reference: content}.__getitem__).side == "left"
    with pytest.raises(InvalidMessage, match="SHA-256 is"):
        open_mesh(payload, lambda reference: content[:-1] + b"x")
    with pytest.raises(InvalidMessage, match="there is no scan store"):
        open_mesh(payload)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("inline", b"other bytes", "SHA-256 is"),
        ("sha256", b"", "sha256 has 0 bytes"),
        ("side", "both", "side 'both'"),
        ("unit", "inch", "unit 'inch'"),
        ("format", "step", "format 'step'"),
        ("reference", "../../etc/passwd", "reference '../../etc/passwd'"),
    ],
)
def test_a_payload_that_contradicts_itself_is_refused(field: str, value: str | bytes, expected: str) -> None:
    payload = mesh_payload(exported("ply"), "ply")
    setattr(payload, field, value)
    with pytest.raises(InvalidMessage, match=expected):
        open_mesh(payload, lambda reference: b"")


def test_a_payload_without_a_mesh_or_a_reference_without_a_size_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="neither a mesh nor a reference"):
        mesh_block(Mesh(format="ply", unit="mm"), 0)
    payload = refer(mesh_payload(exported("ply"), "ply"))
    del payload.extent_mm[:]
    with pytest.raises(InvalidMessage, match="0 of 3 extents"):
        mesh_block(payload, 0)


def test_a_scan_counts_as_one_sample_of_its_size() -> None:
    payload = mesh_payload(exported("ply"), "ply", unit="cm")
    payload.extent_mm[0] = 1.0
    block = mesh_block(payload, 1_234)
    assert (block.start_us, block.unit, list(block.channels)) == (1_234_000, "mm", ["x", "y", "z"])
    # Of an inline mesh the size is measured, whatever the payload says.
    assert decode_samples(block).tolist() == [pytest.approx((a_solid().extents * 10.0).tolist())]
    assert decode_samples(mesh_block(refer(payload), 0))[0, 0] == 1.0
