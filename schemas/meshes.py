"""Foot scans: the mesh in a `Mesh` payload, its size, and where a large one is kept.

None of the mesh formats says its unit, so the payload does. A mesh of up to `INLINE_BYTES` travels in the frame; a
larger one waits in the scan store under the name that its SHA-256 gives it, and the payload refers to it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import Mesh, SampleBlock
from schemas.samples import encode_float64

if TYPE_CHECKING:
    import trimesh

Side = Literal["left", "right"]
Unit = Literal["mm", "cm", "m"]
FetchScan = Callable[[str], bytes]
"""Gives the bytes behind a reference."""

MESH_FORMATS = ("ply", "stl", "obj")
MM_PER_UNIT: dict[str, float] = {"mm": 1.0, "cm": 10.0, "m": 1_000.0}
MAX_FACES = 5_000_000
"""A dense foot scan has a few hundred thousand."""
INLINE_BYTES = 512 * 1024
SCAN_CHANNELS = ("x", "y", "z")
"""The mesh's length along each axis, mm: what a scan is in the statistics of its session."""
_SIDES = ("", "left", "right")


@dataclass(frozen=True, slots=True, eq=False)
class FootMesh:
    """A scan of one foot.

    Attributes:
        vertices_mm: shape [v, 3], finite.
        faces: shape [f, 3], each three existing vertices.
        side: which foot; None where nobody says.
        sha256: of the file's content.
    """

    vertices_mm: NDArray[np.float64]
    faces: NDArray[np.int64]
    side: Side | None
    sha256: bytes

    @property
    def extent_mm(self) -> NDArray[np.float64]:
        """Length along x, y and z, shape [3]."""
        return np.asarray(np.ptp(self.vertices_mm, axis=0))


def mesh_payload(content: bytes, kind: str, *, unit: str = "mm", side: Side | None = None) -> Mesh:
    """The inline payload of a mesh file; `refer` makes a reference of it.

    Args:
        content: of the file, unpacked.
        kind: one of `MESH_FORMATS`.
        unit: of its coordinates.
        side: which foot it is.

    Raises:
        InvalidMessage: if it is no mesh.
    """
    payload = Mesh(format=kind, unit=unit, side=side or "", sha256=hashlib.sha256(content).digest(), inline=content)
    payload.extent_mm.extend(open_mesh(payload).extent_mm.tolist())
    return payload


def refer(payload: Mesh) -> Mesh:
    """The payload with a reference in place of the mesh."""
    reference = Mesh()
    reference.CopyFrom(payload)
    reference.reference = scan_name(payload)
    return reference


def scan_name(payload: Mesh) -> str:
    """The name of a mesh in the scan store, a function of its content."""
    return f"{payload.sha256.hex()}.{payload.format}"


def check_mesh_payload(payload: Mesh) -> None:
    """Check what a payload says of its mesh; the mesh itself is not looked at.

    Raises:
        InvalidMessage: naming what is wrong.
    """
    body = payload.WhichOneof("body")
    if body is None:
        raise _malformed("neither a mesh nor a reference")
    if payload.format not in MESH_FORMATS:
        raise _malformed(f"format {payload.format[:20]!r}, expected one of {', '.join(MESH_FORMATS)}")
    if payload.unit not in MM_PER_UNIT:
        raise InvalidMessage(
            Reason.UNIT_MISMATCH, f"mesh: unit {payload.unit[:20]!r}, expected one of {', '.join(MM_PER_UNIT)}"
        )
    if payload.side not in _SIDES:
        raise _malformed(f"side {payload.side[:20]!r}, expected left, right or nothing")
    if len(payload.sha256) != hashlib.sha256().digest_size:
        raise _malformed(f"sha256 has {len(payload.sha256)} bytes")
    if body == "reference" and payload.reference != scan_name(payload):
        raise _malformed(f"reference {payload.reference[:100]!r}, expected {scan_name(payload)}")
    if body == "reference" and len(payload.extent_mm) != len(SCAN_CHANNELS):
        raise _malformed(f"a reference with {len(payload.extent_mm)} of 3 extents")


def open_mesh(payload: Mesh, fetch: FetchScan | None = None) -> FootMesh:
    """The mesh of a payload.

    Args:
        payload: as it came.
        fetch: gives the bytes behind a reference; not called for an inline mesh.

    Raises:
        InvalidMessage: if the bytes are not those whose SHA-256 the payload names, or no mesh, or there is no `fetch`
            for a reference.
    """
    check_mesh_payload(payload)
    if payload.WhichOneof("body") == "inline":
        content = payload.inline
    elif fetch is not None:
        content = fetch(payload.reference)
    else:
        raise _malformed(f"{payload.reference} is a reference, and there is no scan store")
    digest = hashlib.sha256(content).digest()
    if digest != payload.sha256:
        raise InvalidMessage(
            Reason.CHECKSUM_MISMATCH, f"mesh: SHA-256 is {digest.hex()}, the payload says {payload.sha256.hex()}"
        )
    vertices_mm, faces = parse_mesh(content, payload.format, unit=payload.unit)
    return FootMesh(vertices_mm, faces, cast(Side, payload.side) if payload.side else None, digest)


def open_inline(payload: Mesh) -> FootMesh | Mesh:
    """The mesh of a payload that holds it; else the payload itself, checked, whose mesh is in the scan store.

    Raises:
        InvalidMessage: if the payload holds no mesh and no reference to one.
    """
    if payload.WhichOneof("body") == "inline":
        return open_mesh(payload)
    check_mesh_payload(payload)
    return payload


def mesh_block(scan: FootMesh | Mesh, taken_ms: int) -> SampleBlock:
    """A scan as a block of one sample without a rate: its length along each axis.

    Raises:
        InvalidMessage: if the payload holds no mesh and no reference to one.
    """
    known = open_inline(scan) if isinstance(scan, Mesh) else scan
    block = encode_float64(np.array(known.extent_mm)[None, :])
    block.start_us, block.unit = taken_ms * 1_000, "mm"
    block.channels.extend(SCAN_CHANNELS)
    return block


def parse_mesh(content: bytes, kind: str, *, unit: str = "mm") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices in mm, shape [v, 3], and triangles, shape [f, 3], of the bytes of a mesh file.

    Vertices come as they stand in the file: none merged, none dropped. Files that a mesh refers to are never opened.

    Args:
        content: of the file.
        kind: `ply`, `stl` or `obj`.
        unit: of the coordinates.

    Raises:
        InvalidMessage: if it is no mesh of triangles with finite coordinates.
    """
    if kind not in MESH_FORMATS:
        raise _malformed(f"format {kind[:20]!r}, expected one of {', '.join(MESH_FORMATS)}")
    if unit not in MM_PER_UNIT:
        raise InvalidMessage(
            Reason.UNIT_MISMATCH, f"mesh: unit {unit[:20]!r}, expected one of {', '.join(MM_PER_UNIT)}"
        )
    if not content.strip():
        raise _malformed("the file is empty")
    loaded = _load(content, kind)
    vertices = np.array(loaded.vertices, dtype=np.float64) * MM_PER_UNIT[unit]
    faces = np.array(loaded.faces, dtype=np.int64)
    _check(vertices, faces)
    return vertices, faces


def _load(content: bytes, kind: str) -> trimesh.Trimesh:
    # 50 MB of memory, with what it draws in: only for who opens a mesh.
    import trimesh  # noqa: PLC0415

    try:
        loaded = trimesh.load_mesh(
            io.BytesIO(content), file_type=kind, process=False, maintain_order=True, skip_materials=True
        )
    except Exception as error:  # the parsers of trimesh promise no type of error for a malformed file
        raise _malformed(f"cannot be read as {kind.upper()}: {_one_line(error)}") from error
    if not isinstance(loaded, trimesh.Trimesh):
        raise _malformed(f"holds {type(loaded).__name__}, not one mesh of triangles")
    return loaded


def _check(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> None:
    if vertices.ndim != 2 or vertices.shape[1:] != (3,) or faces.ndim != 2 or faces.shape[1:] != (3,):
        raise _malformed(f"vertices {vertices.shape}, faces {faces.shape}: not triangles in space")
    if len(faces) == 0 or len(vertices) == 0:
        raise _malformed(f"{len(vertices)} vertices and {len(faces)} faces: no surface")
    if len(faces) > MAX_FACES:
        raise _malformed(f"{len(faces)} faces, limit {MAX_FACES}")
    wrong = np.flatnonzero(~np.all(np.isfinite(vertices), axis=1))
    if len(wrong):
        raise _malformed(f"vertex {int(wrong[0])} (from 0) is not finite")
    wrong = np.flatnonzero(np.any((faces < 0) | (faces >= len(vertices)), axis=1))
    if len(wrong):
        face = int(wrong[0])
        raise _malformed(f"face {face} (from 0) names a vertex that does not exist: {faces[face].tolist()}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _malformed(detail: str) -> InvalidMessage:
    return InvalidMessage(Reason.MALFORMED_PAYLOAD, f"mesh: {detail}")
