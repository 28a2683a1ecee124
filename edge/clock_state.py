"""Whether the kernel's clock is held by a time service: `adjtimex`, which Python's `time` does not offer."""

from __future__ import annotations

import ctypes
import logging
from functools import cache

LOG = logging.getLogger(__name__)

STA_UNSYNC = 0x0040
"""Status bit of the kernel's clock: nothing has set it, or not for long."""

_RESERVED_BYTES = 256


class _Timex(ctypes.Structure):
    """The head of `struct timex` (linux/timex.h) as far as the status; the kernel writes 208 bytes at most."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * _RESERVED_BYTES),
    )


def kernel_clock_is_synchronised() -> bool:
    """Whether a time service holds the clock; False where that cannot be known, which is said once."""
    status = _kernel_status()
    return status is not None and not status & STA_UNSYNC


def _kernel_status() -> int | None:
    # Modes 0 only reads, which needs no privilege.
    timex = _Timex()
    try:
        failed = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0
    except (AttributeError, OSError):
        failed = True
    if failed:
        _say_once()
        return None
    return int(timex.status)


@cache
def _say_once() -> None:
    LOG.warning("adjtimex is not to be had: whether the clock is synchronised is unknown, and counts as not")
