"""Files that hold many recordings: the address of one of them, and the npz archives of numpy."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from schemas.errors import RecordingError
from schemas.meshes import MESH_FORMATS

NPZ_SUFFIX = ".npz"
MAX_ARRAY_BYTES = 1024**3
"""A small archive may claim far more than there is memory."""
_MESHES = tuple(f".{kind}{packed}" for kind in MESH_FORMATS for packed in ("", ".gz"))
_DIVISIBLE = (NPZ_SUFFIX, ".csv", ".csv.gz", *_MESHES)
# A damaged header makes numpy's own parser fail in many ways, and zipfile has a few more.
_ARCHIVE_ERRORS = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def split_address(address: str) -> tuple[Path, str | None]:
    """Path and part of `path#part`.

    A `#` counts only behind a file that may hold many recordings (npz, csv) or be in several
    units (meshes); elsewhere it is part of the file name.
    """
    path, separator, part = address.rpartition("#")
    if separator and path.lower().endswith(_DIVISIBLE):
        return Path(path), part
    return Path(address), None


def open_archive(path: Path) -> NpzFile:
    """Open an npz archive; pickled objects in it are refused when they are read.

    Raises:
        RecordingError: naming the file.
    """
    try:
        archive = np.load(path, allow_pickle=False)
    except _ARCHIVE_ERRORS as error:
        raise RecordingError(f"{path}: cannot be read as an npz archive: {error}") from error
    if not isinstance(archive, NpzFile):
        raise RecordingError(f"{path}: holds a single array, not an npz archive")
    return archive


def read_array(archive: NpzFile, name: str, where: str) -> NDArray[Any]:
    """One array of an archive that has it.

    Args:
        archive: of `open_archive`.
        name: of the array.
        where: what the message begins with: file and array.

    Raises:
        RecordingError: if it is damaged or larger than `MAX_ARRAY_BYTES`.
    """
    try:
        size = archive.zip.getinfo(f"{name}.npy").file_size if archive.zip is not None else 0
        if size > MAX_ARRAY_BYTES:
            raise RecordingError(f"{where} takes {size} bytes, over {MAX_ARRAY_BYTES // 1024**2} MiB")
        return np.asarray(archive[name])
    except _ARCHIVE_ERRORS as error:
        raise RecordingError(f"{where} cannot be read: {error}") from error
