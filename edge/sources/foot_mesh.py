"""Foot scans: triangle meshes in PLY, STL or OBJ files, plain or gzipped.

A mesh is no row of samples, so it is no `Recording`: it travels in the envelope's `Mesh` payload, inline or as a
reference with its SHA-256. None of the formats says its unit, so the unit must be declared.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import trimesh
from numpy.typing import NDArray

from edge.sources.text_files import read_bytes
from schemas.envelope import MAX_FRAME_BYTES
from schemas.errors import RecordingError
from schemas.proto.envelope_pb2 import Mesh

Side = Literal["left", "right"]
Unit = Literal["mm", "cm", "m"]

FORMATS = (".ply", ".stl", ".obj")
MM_PER_UNIT: dict[Unit, float] = {"mm": 1.0, "cm": 10.0, "m": 1_000.0}
MAX_FACES = 5_000_000
"""A dense foot scan has a few hundred thousand."""
INLINE_BYTES = MAX_FRAME_BYTES * 3 // 4
"""A larger file travels as a reference: a frame also holds the envelope."""
_SIDE = re.compile(r"(?:^|[^a-z])(left|right)(?:[^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class FootMesh:
    """A scan of one foot.

    Attributes:
        vertices_mm: shape [v, 3], finite.
        faces: shape [f, 3], each three existing vertices.
        side: as the file name says it; None where it does not.
        sha256: of the file's content, unpacked if it was gzipped.
    """

    vertices_mm: NDArray[np.float64]
    faces: NDArray[np.int64]
    side: Side | None
    sha256: bytes


def recognises(path: Path) -> bool:
    """Whether the name is that of a mesh file."""
    return mesh_format(path) is not None


def mesh_format(path: Path) -> str | None:
    """`ply`, `stl` or `obj` by the file's name, None for any other; `.gz` behind it is ignored."""
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return suffix.removeprefix(".") if suffix in FORMATS else None


def read_mesh(path: Path, *, unit: Unit = "mm") -> FootMesh:
    """Read one scan.

    Args:
        path: of a PLY, STL or OBJ file, plain or gzipped.
        unit: of its coordinates; nothing in the file says it.

    Raises:
        RecordingError: naming the file and what is wrong.
    """
    kind = mesh_format(path)
    if kind is None:
        raise RecordingError(f"{path}: not a mesh file: the name ends with none of {', '.join(FORMATS)}")
    content = read_bytes(path)
    vertices_mm, faces = parse_mesh(content, kind, unit=unit, name=str(path))
    return FootMesh(vertices_mm, faces, side_in_name(path.name), hashlib.sha256(content).digest())


def mesh_payload(path: Path, *, unit: Unit = "mm", side: Side | None = None, reference: str = "") -> Mesh:
    """The payload in which a scan travels: its bytes where they fit into a frame, else a reference to them.

    Args:
        path: of a PLY, STL or OBJ file, plain or gzipped; it is read and checked first.
        unit: of its coordinates.
        side: which foot it is; by default what the file name says.
        reference: where a receiver finds the unpacked file; needed only for one too large for a frame.

    Raises:
        RecordingError: if the file is no mesh, or too large without a reference.
    """
    checked = read_mesh(path, unit=unit)
    content = read_bytes(path)
    payload = Mesh(format=mesh_format(path), unit=unit, side=side or checked.side or "", sha256=checked.sha256)
    if len(content) <= INLINE_BYTES:
        payload.inline = content
    elif reference:
        payload.reference = reference
    else:
        raise RecordingError(f"{path}: {len(content)} bytes do not fit into a frame, and there is no reference")
    return payload


def open_payload(payload: Mesh, fetch: Callable[[str], bytes]) -> FootMesh:
    """The scan in a payload; the inverse of `mesh_payload`.

    Args:
        payload: as it came.
        fetch: gives the bytes behind a reference; not called for an inline mesh.

    Raises:
        RecordingError: if the bytes are not those whose SHA-256 the payload names, or no mesh.
    """
    body = payload.WhichOneof("body")
    if body is None:
        raise RecordingError("mesh: the payload holds neither bytes nor a reference")
    content = payload.inline if body == "inline" else fetch(payload.reference)
    digest = hashlib.sha256(content).digest()
    if digest != payload.sha256:
        raise RecordingError(f"mesh: SHA-256 is {digest.hex()}, the payload says {payload.sha256.hex() or 'nothing'}")
    if payload.side not in ("", "left", "right"):
        raise RecordingError(f"mesh: side {payload.side[:20]!r}, expected left, right or nothing")
    if payload.unit not in MM_PER_UNIT:
        raise RecordingError(f"mesh: unit {payload.unit[:20]!r}, expected one of {', '.join(MM_PER_UNIT)}")
    unit: Unit = "mm" if payload.unit == "mm" else "cm" if payload.unit == "cm" else "m"
    side: Side | None = "left" if payload.side == "left" else "right" if payload.side == "right" else None
    vertices_mm, faces = parse_mesh(content, payload.format, unit=unit)
    return FootMesh(vertices_mm, faces, side, digest)


def parse_mesh(
    content: bytes, kind: str, *, unit: Unit = "mm", name: str = "mesh"
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices in mm, shape [v, 3], and triangles, shape [f, 3], of the bytes of a mesh file.

    Vertices come as they stand in the file: none merged, none dropped. Files that a mesh refers to are never opened.

    Args:
        content: of the file.
        kind: `ply`, `stl` or `obj`.
        unit: of the coordinates.
        name: for the message.

    Raises:
        RecordingError: if it is no mesh of triangles with finite coordinates.
    """
    if f".{kind}" not in FORMATS:
        raise RecordingError(f"{name}: format {kind[:20]!r}, expected one of {', '.join(FORMATS)}")
    if unit not in MM_PER_UNIT:
        raise RecordingError(f"{name}: unit {unit[:20]!r}, expected one of {', '.join(MM_PER_UNIT)}")
    if not content.strip():
        raise RecordingError(f"{name}: the file is empty")
    loaded = _load(content, kind, name)
    vertices = np.array(loaded.vertices, dtype=np.float64) * MM_PER_UNIT[unit]
    faces = np.array(loaded.faces, dtype=np.int64)
    _check(vertices, faces, name)
    return vertices, faces


def side_in_name(name: str) -> Side | None:
    """The side that a file name spells out as a word of its own: `foot_left.ply`."""
    found = {word.lower() for word in _SIDE.findall(name)}
    if found == {"left"}:
        return "left"
    return "right" if found == {"right"} else None


def _load(content: bytes, kind: str, name: str) -> trimesh.Trimesh:
    try:
        loaded = trimesh.load_mesh(
            io.BytesIO(content), file_type=kind, process=False, maintain_order=True, skip_materials=True
        )
    except Exception as error:  # the parsers of trimesh promise no type of error for a malformed file
        raise RecordingError(f"{name}: cannot be read as {kind.upper()}: {_one_line(error)}") from error
    if not isinstance(loaded, trimesh.Trimesh):
        raise RecordingError(f"{name}: holds {type(loaded).__name__}, not one mesh of triangles")
    return loaded


def _check(vertices: NDArray[np.float64], faces: NDArray[np.int64], name: str) -> None:
    if vertices.ndim != 2 or vertices.shape[1:] != (3,) or faces.ndim != 2 or faces.shape[1:] != (3,):
        raise RecordingError(f"{name}: vertices {vertices.shape}, faces {faces.shape}: not triangles in space")
    if len(faces) == 0 or len(vertices) == 0:
        raise RecordingError(f"{name}: {len(vertices)} vertices and {len(faces)} faces: no surface")
    if len(faces) > MAX_FACES:
        raise RecordingError(f"{name}: {len(faces)} faces, limit {MAX_FACES}")
    wrong = np.flatnonzero(~np.all(np.isfinite(vertices), axis=1))
    if len(wrong):
        raise RecordingError(f"{name}: vertex {int(wrong[0])} (from 0) is not finite")
    wrong = np.flatnonzero(np.any((faces < 0) | (faces >= len(vertices)), axis=1))
    if len(wrong):
        face = int(wrong[0])
        raise RecordingError(f"{name}: face {face} (from 0) names a vertex that does not exist: {faces[face].tolist()}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
