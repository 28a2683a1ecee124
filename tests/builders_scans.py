"""Meshes and records of foot scans for tests."""

from __future__ import annotations

import trimesh

OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"
"""Three vertices and no face."""


def a_solid() -> trimesh.Trimesh:
    """A box of 100 x 250 x 60."""
    return trimesh.creation.box((100.0, 250.0, 60.0))


def exported(kind: str, mesh: trimesh.Trimesh | None = None) -> bytes:
    """The bytes of a mesh file; by default of `a_solid`."""
    content = (mesh or a_solid()).export(file_type=kind)
    return content.encode() if isinstance(content, str) else bytes(content)
