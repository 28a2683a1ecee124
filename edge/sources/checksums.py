"""Checksums of binary frames.

CRC-16/MODBUS is our own because the standard library has only the CCITT polynomial; a dependency for ten lines that one
check value proves would be the greater risk.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from enum import StrEnum
from functools import reduce
from operator import xor

_MODBUS_POLYNOMIAL = 0xA001


class ChecksumKind(StrEnum):
    """How a frame is protected."""

    NONE = "none"
    SUM8 = "sum8"
    """Sum of all bytes modulo 256."""
    XOR = "xor"
    """Exclusive or of all bytes."""
    CRC16_MODBUS = "crc16-modbus"
    CRC32 = "crc32"
    """As in zip and Ethernet."""


def _modbus_entry(index: int) -> int:
    for _ in range(8):
        index = index >> 1 ^ (_MODBUS_POLYNOMIAL if index & 1 else 0)
    return index


_MODBUS_TABLE = tuple(map(_modbus_entry, range(256)))


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS.

    >>> hex(crc16_modbus(b"123456789"))
    '0x4b37'
    """
    return reduce(lambda crc, byte: crc >> 8 ^ _MODBUS_TABLE[(crc ^ byte) & 0xFF], data, 0xFFFF)


_CHECKSUMS: dict[ChecksumKind, tuple[int, Callable[[bytes], int]]] = {
    ChecksumKind.NONE: (0, lambda data: 0),
    ChecksumKind.SUM8: (1, lambda data: sum(data) & 0xFF),
    ChecksumKind.XOR: (1, lambda data: reduce(xor, data, 0)),
    ChecksumKind.CRC16_MODBUS: (2, crc16_modbus),
    ChecksumKind.CRC32: (4, zlib.crc32),
}


def checksum_bytes(kind: ChecksumKind) -> int:
    """How many bytes a checksum takes in the frame."""
    return _CHECKSUMS[kind][0]


def checksum(kind: ChecksumKind, data: bytes) -> int:
    """The checksum of bytes."""
    return _CHECKSUMS[kind][1](data)
