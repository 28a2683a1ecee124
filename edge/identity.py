"""Who measures: the names under which one device sends one session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from schemas.envelope import IDENTIFIER
from schemas.errors import InvalidMessage, Reason

BOOT_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Identity:
    """The names that every frame of one session carries.

    Attributes:
        boot_id: new at every start of the agent, so that a sequence counted from 0 never names two events.

    Raises:
        InvalidMessage: naming every field that is not an identifier.
    """

    tenant_id: str
    site_id: str
    device_id: str
    session_id: str
    boot_id: str

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        bad = [f"{name}={value!r}" for name, value in values.items() if IDENTIFIER.fullmatch(value) is None]
        if bad:
            raise InvalidMessage(Reason.BAD_IDENTIFIER, f"{', '.join(bad)} does not match {IDENTIFIER.pattern}")


def new_boot_id(entropy: Callable[[int], bytes]) -> str:
    """A boot id of 16 hexadecimal digits from `entropy` (`os.urandom` at a program's entry)."""
    return entropy(BOOT_ID_BYTES).hex()


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of the agent: its id and the wall clock at that moment in ms since the epoch."""

    boot_id: str
    now_ms: int
