"""The scan store, as the edge uses it: a mesh too large for a frame is put there, and its frame refers to it."""

from __future__ import annotations

from dataclasses import replace

from fsspec.core import url_to_fs

from edge.recordings.recording import ScanRecording
from schemas.errors import RecordingError
from schemas.meshes import INLINE_BYTES, refer, scan_name


def deposit_large(scan: ScanRecording, store: str | None) -> ScanRecording:
    """The scan as it can travel: as it is where it fits into a frame, else put into the store and referred to.

    Args:
        scan: with its mesh inline.
        store: folder or URL, as fsspec takes it; None if there is none.

    Raises:
        RecordingError: if it does not fit and there is no store, or the store cannot be written.
    """
    content = scan.mesh.inline
    if len(content) <= INLINE_BYTES:
        return scan
    if store is None:
        raise RecordingError(
            f"{scan.name}: a mesh of {len(content)} bytes does not fit into a frame (limit {INLINE_BYTES}); "
            "set scan_store to a folder or URL"
        )
    files, folder = url_to_fs(store)
    path = f"{folder.rstrip('/')}/{scan_name(scan.mesh)}"
    try:
        files.makedirs(folder, exist_ok=True)
        # The name is the content's: a mesh that is there is this one.
        if not files.exists(path) or files.size(path) != len(content):
            files.pipe_file(path, content)
    except OSError as error:
        raise RecordingError(f"{scan.name}: scan store {store}: {error}") from error
    return replace(scan, mesh=refer(scan.mesh))
