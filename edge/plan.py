"""The plan of a replay: which recordings are sent, under which names and from which time on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.identity import Boot, Identity
from edge.recordings.files import expand_address, read_recordings
from edge.recordings.recording import AnyRecording, ScanRecording, check_catalogue
from edge.scan_store import deposit_large
from edge.schedule import Addressed, limit_measurements, place_recordings
from edge.settings import EdgeSettings
from schemas.errors import InvalidMessage, Reason


@dataclass(frozen=True, slots=True)
class PlannedRecording:
    """One recording with its names and its place in time.

    Attributes:
        start_ms: wall clock in ms since the epoch at the recording's own zero.
        lag_s: sensor time from the beginning of the replay to the recording's first sample.
    """

    recording: AnyRecording
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
        addresses: as `edge.recordings.files` takes them; a bare path means all its recordings.
        settings: names, start time, speed and limit.
        boot: this start of the agent; a boot id or a start time in the settings goes before.
    """
    recordings: list[Addressed] = []
    bad: list[BadRecording] = []
    for address in addresses:
        try:
            expanded = expand_address(address)
        except InvalidMessage as error:
            bad.append(BadRecording(address, error))
            continue
        for one in expanded:
            try:
                recordings += [(one, recording) for recording in read_recordings(one)]
            except InvalidMessage as error:
                bad.append(BadRecording(one, error))
    plan = plan_recordings(recordings, settings, boot=boot)
    return replace(plan, bad=(*bad, *plan.bad))


def plan_recordings(recordings: Sequence[Addressed], settings: EdgeSettings, *, boot: Boot) -> ReplayPlan:
    """Name recordings that are already in memory, each given with its address; see `plan_replay`."""
    kept = list(recordings) if settings.limit_s is None else list(limit_measurements(recordings, settings.limit_s))
    alone = len({recording.name for _, recording in kept}) == 1
    named: list[tuple[Addressed, Identity]] = []
    # The parts of one series may all have one fault: it is told once.
    bad: dict[tuple[str, str], BadRecording] = {}
    taken: defaultdict[tuple[str, str, str], list[Addressed]] = defaultdict(list)
    for address, recording in kept:
        try:
            check_catalogue(recording)
            if isinstance(recording, ScanRecording):
                recording = deposit_large(recording, settings.scan_store)  # noqa: PLW2901
            identity = _identify(recording, settings, boot_id=boot.boot_id, alone=alone)
            _claim(identity, (address, recording), taken)
        except InvalidMessage as error:
            bad.setdefault((address, error.detail), BadRecording(address, error))
        else:
            named.append(((address, recording), identity))
    places = place_recordings([addressed for addressed, _ in named], settings, now_ms=boot.now_ms)
    items = [
        PlannedRecording(recording, identity, place.start_ms, place.lag_s)
        for ((_, recording), identity), place in zip(named, places, strict=True)
    ]
    return ReplayPlan(tuple(items), tuple(bad.values()))


def _identify(recording: AnyRecording, settings: EdgeSettings, *, boot_id: str, alone: bool) -> Identity:
    """The names of a recording: where recordings of several names share one device, the session tells them apart."""
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


def _claim(identity: Identity, addressed: Addressed, taken: defaultdict[tuple[str, str, str], list[Addressed]]) -> None:
    """Sensors of a device share its session, and so do the parts of a series; nothing else does."""
    sensor_type = addressed[1].sensor_type
    others = taken[identity.device_id, identity.session_id, sensor_type]
    if any(_clash(addressed, other) for other in others):
        raise InvalidMessage(
            Reason.BAD_IDENTIFIER,
            f"device {identity.device_id!r}, session {identity.session_id!r} already has another recording of "
            f"{sensor_type} at that time",
        )
    others.append(addressed)


def _clash(one: Addressed, other: Addressed) -> bool:
    """Whether two recordings cannot be parts of one series.

    Of one address they are what a reader found one after the other, by times that may be coarser than its samples.
    Of two addresses only dates say that one is later. Scans of a session are of both feet, or were taken again.
    """
    (address, recording), (other_address, earlier) = one, other
    if isinstance(recording, ScanRecording) and isinstance(earlier, ScanRecording):
        return recording.mesh.sha256 == earlier.mesh.sha256
    if address == other_address:
        return recording.start_s == earlier.start_s
    overlap = recording.start_s <= earlier.last_sample_s and earlier.start_s <= recording.last_sample_s
    return overlap or not (recording.dated and earlier.dated)
