"""The plan of a replay: which recordings are sent, under which names and from which time on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge.identity import Boot, Identity
from edge.pace import AS_FAST_AS_POSSIBLE
from edge.settings import EdgeSettings
from edge.sources.gaitpdb import expand_address, read_recording
from edge.sources.source import Recording
from schemas.errors import InvalidMessage, Reason


@dataclass(frozen=True, slots=True)
class PlannedRecording:
    """One recording with its names and its place in time.

    Attributes:
        start_ms: wall clock in ms since the epoch at the recording's own zero.
        lag_s: sensor time from the beginning of the replay to the beginning of this recording.
    """

    recording: Recording
    identity: Identity
    start_ms: int
    lag_s: float


@dataclass(frozen=True, slots=True)
class BadRecording:
    """A recording that cannot be sent, by the address under which it was named, and why."""

    address: str
    error: InvalidMessage

    def __str__(self) -> str:
        """Address and reason; a reader's error already begins with its file."""
        detail = self.error.detail
        return detail if detail.startswith(self.address.partition("#")[0]) else f"{self.address}: {detail}"


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What will be sent and what cannot be."""

    items: tuple[PlannedRecording, ...]
    bad: tuple[BadRecording, ...]


def plan_replay(addresses: Sequence[str], settings: EdgeSettings, *, boot: Boot) -> ReplayPlan:
    """Read all recordings and name them; a bad one is left out and reported, the others stay.

    Args:
        addresses: as `edge.sources.gaitpdb` takes them; a bare npz path means all its records.
        settings: names, start time, speed and limit.
        boot: this start of the agent; a boot id or a start time in the settings goes before.
    """
    recordings: list[tuple[str, Recording]] = []
    bad: list[BadRecording] = []
    for address in _expand(addresses, bad):
        try:
            recordings.append((address, read_recording(address)))
        except InvalidMessage as error:
            bad.append(BadRecording(address, error))
    plan = plan_recordings(recordings, settings, boot=boot)
    return replace(plan, bad=(*bad, *plan.bad))


def plan_recordings(recordings: Sequence[tuple[str, Recording]], settings: EdgeSettings, *, boot: Boot) -> ReplayPlan:
    """Name recordings that are already in memory, each given with its address; see `plan_replay`."""
    named: list[tuple[Recording, Identity]] = []
    bad: list[BadRecording] = []
    taken: set[tuple[str, str]] = set()
    for address, whole in recordings:
        recording = whole if settings.limit_s is None else whole.first_seconds(settings.limit_s)
        try:
            identity = _identify(recording, settings, boot_id=boot.boot_id, alone=len(recordings) == 1)
            _claim(identity, taken)
        except InvalidMessage as error:
            bad.append(BadRecording(address, error))
        else:
            named.append((recording, identity))
    return ReplayPlan(tuple(_schedule(named, settings, boot.now_ms)), tuple(bad))


def _expand(addresses: Iterable[str], bad: list[BadRecording]) -> Iterator[str]:
    for address in addresses:
        try:
            yield from expand_address(address)
        except InvalidMessage as error:
            bad.append(BadRecording(address, error))


def _identify(recording: Recording, settings: EdgeSettings, *, boot_id: str, alone: bool) -> Identity:
    """The names of a recording: where several share one device, the session tells them apart."""
    session_id = settings.session_id or recording.name
    if settings.session_id and settings.device_id and not alone:
        session_id = f"{settings.session_id}.{recording.name}"
    return Identity(
        tenant_id=settings.tenant_id,
        site_id=settings.site_id,
        device_id=settings.device_id or recording.name,
        session_id=session_id,
        boot_id=settings.boot_id or boot_id,
    )


def _claim(identity: Identity, taken: set[tuple[str, str]]) -> None:
    names = (identity.device_id, identity.session_id)
    if names in taken:
        raise InvalidMessage(
            Reason.BAD_IDENTIFIER, f"device {names[0]!r}, session {names[1]!r} is already the name of another recording"
        )
    taken.add(names)


def _schedule(
    named: Sequence[tuple[Recording, Identity]], settings: EdgeSettings, now_ms: int
) -> Iterator[PlannedRecording]:
    lags_s = _lags_s([recording for recording, _ in named], one_after_another=settings.one_after_another)
    end_s = max((lag_s + recording.duration_s for lag_s, (recording, _) in zip(lags_s, named, strict=True)), default=0)
    start_ms = _start_ms(settings, now_ms=now_ms, length_s=end_s)
    for lag_s, (recording, identity) in zip(lags_s, named, strict=True):
        yield PlannedRecording(recording, identity, start_ms + round(lag_s * 1_000), lag_s)


def _lags_s(recordings: Iterable[Recording], *, one_after_another: bool) -> list[float]:
    """When each recording begins: all together, or each when the one before has ended."""
    lags_s: list[float] = []
    lag_s = 0.0
    for recording in recordings:
        lags_s.append(lag_s)
        if one_after_another:
            lag_s += recording.duration_s
    return lags_s


def _start_ms(settings: EdgeSettings, *, now_ms: int, length_s: float) -> int:
    """The start that was asked for, else one that keeps every sample behind the clock.

    At `speed` x real time the sensors gain `1 - 1 / speed` s in every second of sensor time. Beginning that much
    before now, the last sample is taken when it is sent; a device whose clock runs ahead would be flagged.
    """
    if settings.start is not None:
        return round(settings.start.timestamp() * 1_000)
    gain = 1.0 if settings.speed == AS_FAST_AS_POSSIBLE else max(0.0, 1.0 - 1.0 / settings.speed)
    return now_ms - round(gain * length_s * 1_000)
