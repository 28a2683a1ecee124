"""What can go wrong with the spool; a record that is invalid is a `schemas.errors.InvalidMessage` instead."""

from __future__ import annotations

import errno

from schemas.errors import BrainError, InvalidMessage, Reason, RecoverableError


class SpoolFull(RecoverableError):  # noqa: N818 (a state of the spool, as InvalidMessage is one of a message)
    """No room: nothing was lost and nothing is acknowledged. The caller stops reading its source and tries again."""


class SpoolFailed(RecoverableError):  # noqa: N818
    """The disk refused to write or to sync: what was appended is not durable, and must not be acknowledged."""


class SpoolInUse(BrainError):  # noqa: N818
    """Another process has the spool open."""


class SpoolFormatError(BrainError):
    """The directory holds a spool of a newer version; nothing was changed in it."""


class RecordRefused(InvalidMessage):
    """One record of a batch can never be spooled; nothing of the batch was appended.

    Attributes:
        index: its place in the batch.
    """

    def __init__(self, reason: Reason, detail: str, *, index: int) -> None:
        super().__init__(reason, f"record {index} of the batch: {detail}")
        self.index = index


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_error(doing: str, error: OSError) -> SpoolFull | SpoolFailed:
    """The typed error of a system call that failed."""
    kind = SpoolFull if error.errno in _NO_ROOM else SpoolFailed
    return kind(f"{doing}: {error.strerror or error}")
