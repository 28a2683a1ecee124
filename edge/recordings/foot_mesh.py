"""Foot scans: triangle meshes in PLY, STL or OBJ files, plain or gzipped.

None of the formats says its unit: an address ends with `#cm` or `#m` where it is not mm. Which foot it is stands in the
file's name as a word of its own, `anna_left.ply`; the rest of the name is the recording's, so that both feet make one
session.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge.recordings.archives import split_address
from edge.recordings.recording import ScanRecording
from edge.recordings.text_files import read_bytes, whole_file
from schemas.errors import InvalidMessage, RecordingError
from schemas.meshes import MESH_FORMATS, MM_PER_UNIT, Side, mesh_payload

_SIDE = re.compile(r"(?:^|[^a-z])(left|right)(?=[^a-z]|$)", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._:-]")


def recognises(path: Path) -> bool:
    """Whether the name is that of a mesh file."""
    return mesh_format(path) is not None


def mesh_format(path: Path) -> str | None:
    """`ply`, `stl` or `obj` by the file's name, None for any other; `.gz` behind it is ignored."""
    suffix = _unpacked(path).suffix.removeprefix(".").lower()
    return suffix if suffix in MESH_FORMATS else None


expand_address = whole_file


def read_recordings(address: str) -> list[ScanRecording]:
    """The scan in a file such as `anna_left.ply` or `anna_left.stl.gz#cm`.

    Raises:
        RecordingError: naming the file and what is wrong.
    """
    path, unit = split_address(address)
    kind = mesh_format(path)
    if kind is None:
        raise RecordingError(f"{path}: not a mesh file: the name ends with none of .{', .'.join(MESH_FORMATS)}")
    if unit is not None and unit not in MM_PER_UNIT:
        raise RecordingError(f"{address}: unit {unit[:20]!r}, expected one of {', '.join(MM_PER_UNIT)}")
    try:
        payload = mesh_payload(read_bytes(path), kind, unit=unit or "mm", side=side_in_name(path.name))
    except RecordingError:
        raise
    except InvalidMessage as error:
        raise RecordingError(f"{path}: {error.detail}") from error
    return [ScanRecording(scan_subject(path), payload)]


def side_in_name(name: str) -> Side | None:
    """The side that a file name spells out as a word of its own: `foot_left.ply`."""
    found = {word.lower() for word in _SIDE.findall(name)}
    if found == {"left"}:
        return "left"
    return "right" if found == {"right"} else None


def scan_subject(path: Path) -> str:
    """The name without the side, as an identifier; `scan` if nothing is left."""
    stem = _unpacked(path).stem
    bare = _SIDE.sub("", stem) if side_in_name(path.name) else stem
    return _NOT_IN_NAMES.sub("-", bare).strip("._:-")[:128] or "scan"


def _unpacked(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path
