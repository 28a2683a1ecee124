"""Settings that differ from device to device: what is true of most, and of those whose names match a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from schemas.envelope import RecordKey

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PerDevice(Generic[T]):
    """Settings by device.

    Attributes:
        default: of a device that no pattern matches.
        devices: by pattern of `tenant/device` (`*`, `?`, `[...]`); of several that match the first counts.
    """

    default: T
    devices: Mapping[str, T] = field(default_factory=dict)

    def of(self, key: RecordKey) -> T:
        """The settings of the device behind a record key."""
        name = f"{key.tenant_id}/{key.device_id}"
        return next((value for pattern, value in self.devices.items() if fnmatchcase(name, pattern)), self.default)
