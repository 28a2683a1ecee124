"""The scan store: where meshes lie that are too large for a frame."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from fsspec.core import url_to_fs

from schemas.errors import InvalidMessage, Reason, RecoverableError
from schemas.meshes import FetchScan

ATTEMPTS = 5
FIRST_PAUSE_S = 0.5
_log = logging.getLogger(__name__)


def open_scan_store(url: str, *, sleep: Callable[[float], None] = time.sleep) -> FetchScan | None:
    """What fetches a mesh by its name; None for an empty URL.

    Args:
        url: folder or URL as fsspec takes it: a path, `https://...`, `s3://...` (with s3fs installed).
        sleep: lets time pass between attempts.
    """
    if not url:
        return None
    files, folder = url_to_fs(url)

    def fetch(name: str) -> bytes:
        """The mesh of this name.

        Raises:
            InvalidMessage: if the store has no such mesh.
            RecoverableError: if the store is away after all attempts.
        """
        path = f"{folder.rstrip('/')}/{name}"
        for attempt in range(ATTEMPTS):
            if attempt:
                sleep(FIRST_PAUSE_S * 2.0 ** (attempt - 1))
            try:
                return bytes(files.cat_file(path))
            except FileNotFoundError as error:
                raise InvalidMessage(Reason.SCAN_NOT_FOUND, f"{name} is not in {url}") from error
            except OSError as error:
                failure = error
                _log.warning("scan store %s: %s, attempt %d of %d", url, error, attempt + 1, ATTEMPTS)
        raise RecoverableError(f"scan store {url}: {failure}")

    return fetch
