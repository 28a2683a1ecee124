"""The intake: makes records of what is in the inlets, puts them on disk, and only then tells the sources."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from edge.agent.devices import Devices, Silence
from edge.agent.inlet import Arrival, Inlet
from edge.agent.settings import AgentSettings
from edge.agent.statements import Statement, status_record
from edge.agent.unreadable import Unreadable, UnreadableFile
from edge.framer import Stamp, frame
from edge.identity import Identity
from edge.instant import InstantClock
from edge.retiming import Retimer, Verdict
from edge.sources.source import Acknowledge, Rejected, Taken
from edge.spool.errors import RecordRefused, SpoolFailed, SpoolFull
from edge.spool.spool import Spool
from schemas.envelope import IDENTIFIER, Record
from schemas.errors import InvalidMessage, Reason

LOG = logging.getLogger(__name__)

_WAIT_S = 0.2
"""Between tries to find room on the disk."""
_SAY_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class _Item:
    """A record on its way to the disk, whose it is, and whom to tell when it is there."""

    record: Record
    device_id: str
    acknowledge: Acknowledge | None


class Intake:
    """One thread drives it.

    Args:
        spool: open; this is its one writer.
        inlets: of all sources.
        devices: what is known of them.
        boot_id: of this start of the agent.
        settings: names and limits.
        clock: tells the time.
        unreadable: takes what is no reading.
        arrival: told when something is in an inlet.
    """

    def __init__(  # noqa: PLR0913 - the one place where all of these meet
        self,
        spool: Spool,
        inlets: Sequence[Inlet],
        devices: Devices,
        *,
        boot_id: str,
        settings: AgentSettings,
        clock: InstantClock,
        unreadable: UnreadableFile,
        arrival: Arrival,
    ) -> None:
        self._spool = spool
        self._inlets = inlets
        self._devices = devices
        self._boot_id = boot_id
        self._settings = settings
        self._clock = clock
        self._unreadable_file = unreadable
        self._arrival = arrival
        self._retimer = Retimer()
        self._items: list[_Item] = []
        self._unreadable: list[Unreadable] = []
        self._uncommitted: list[_Item] = []
        self._say_at_s = 0.0
        self.may_wait: Callable[[], bool] = lambda: True
        """Asked before each wait for room on the disk; False gives up what is not on disk."""

    @property
    def held(self) -> int:
        """Measurements that wait for the clock to be set."""
        return self._retimer.held

    def step(self, timeout_s: float) -> None:
        """Take what is there, waiting at most `timeout_s` for something, and commit what is due."""
        if not self._take() and not self._uncommitted:
            self._arrival.wait(timeout_s)
            self._take()
        self._store()
        if self._uncommitted and (self._spool.commit_is_due or not self._waiting()):
            self._commit()

    def close(self) -> None:
        """The sources have ended: put everything on disk that is still here."""
        while self._take():
            self._store()
        self._judge(self._retimer.close())
        self._store()
        if self._uncommitted:
            self._commit()

    def tick(self) -> None:
        """Look at the clocks and at who has fallen silent; call it about once a second."""
        now = self._clock.now()
        self._judge(self._retimer.tick(now))
        for silence in self._devices.fallen_silent(now.monotonic_ms):
            self._say(silence)

    def state(self, device_id: str, statement: Statement) -> None:
        """Put a status event of a device on its way."""
        device = self._devices.device(device_id, statement.source)
        identity = self._identity(device_id, None)
        record = status_record(identity, device.sequence, statement, self._clock.now(), device)
        device.sequence += 1
        self._items.append(_Item(record, device_id, None))

    def _waiting(self) -> bool:
        return any(inlet.waiting for inlet in self._inlets)

    def _take(self) -> bool:
        """One round over all inlets, a fair share of a group from each."""
        share = max(1, self._settings.spool.group_records // len(self._inlets))
        took = False
        for inlet in self._inlets:
            for one in inlet.take(share):
                took = True
                if isinstance(one, Rejected):
                    self._refuse(inlet.name, one)
                elif IDENTIFIER.fullmatch(one.device_id) is None:
                    error = InvalidMessage(Reason.BAD_IDENTIFIER, f"device_id={one.device_id[:200]!r}")
                    self._refuse(inlet.name, _as_rejected(one, error))
                else:
                    self._devices.device(one.device_id, inlet.name)
                    self._judge(self._retimer.take(one))
        return took

    def _judge(self, verdict: Verdict) -> None:
        for taken in verdict.ready:
            self._frame(taken)
        for quarantined in verdict.quarantined:
            source = self._devices.known[quarantined.taken.device_id].source
            self._refuse(source, _as_rejected(quarantined.taken, quarantined.error))

    def _frame(self, taken: Taken) -> None:
        """A record of a measurement; its sequence is taken here, so that events are numbered as they are stored."""
        device = self._devices.known[taken.device_id]
        ended = self._devices.heard(taken.device_id, taken.measurement.sensor_type, taken.taken.monotonic_ms)
        if ended is not None:
            self._say(ended)
        stamp = Stamp(
            sequence=device.sequence,
            taken_ms=max(0, taken.taken.wall_ms + taken.retimed_ms),
            session_start_ms=taken.session_start_ms,
        )
        try:
            identity = self._identity(taken.device_id, taken.session_id)
            record = frame(taken.measurement, identity, stamp, self._settings.framing())
        except InvalidMessage as error:
            self._refuse(device.source, _as_rejected(taken, error))
            return
        device.sequence += 1
        self._items.append(_Item(record, taken.device_id, taken.acknowledge))

    def _identity(self, device_id: str, session_id: str | None) -> Identity:
        settings = self._settings
        return Identity(
            settings.tenant_id, settings.site_id, device_id, session_id or settings.session_id, self._boot_id
        )

    def _say(self, silence: Silence) -> None:
        device = self._devices.known[silence.device_id]
        LOG.warning("%s %s: %s", silence.device_id, silence.sensor_type, silence.detail)
        state = "silent" if silence.silent else "online"
        self.state(silence.device_id, Statement(state, device.source, f"{silence.sensor_type}: {silence.detail}"))

    def _refuse(self, source: str, rejected: Rejected) -> None:
        known = IDENTIFIER.fullmatch(rejected.device_id) is not None
        self._devices.device(rejected.device_id if known else source, source).rejected += 1
        self._unreadable.append(Unreadable(source, rejected))

    def _store(self) -> None:
        """Append what was framed, and write down what was not readable; both wait for room."""
        while self._items:
            self._append(self._next_batch())
        if self._unreadable:
            unreadable, self._unreadable = self._unreadable, []
            if self._until_done(lambda: self._unreadable_file.write(unreadable)):
                _acknowledge(one.rejected.acknowledge for one in unreadable)

    def _next_batch(self) -> list[_Item]:
        """As many of the framed items as make a batch that fits well into the spool; at least one."""
        spool = self._settings.spool
        room = min(_MOST_BYTES, (spool.max_bytes - spool.segment_bytes) // 2)
        count, size = 0, 0
        for item in self._items[:_MOST_AT_ONCE]:
            size += len(item.record.value) + len(item.record.key)
            if count and size > room:
                break
            count += 1
        batch, self._items = self._items[:count], self._items[count:]
        return batch

    def _append(self, batch: list[_Item]) -> None:
        while batch:
            try:
                done = self._until_done(partial(self._spool.append, [item.record for item in batch]))
            except InvalidMessage as error:
                refused = batch.pop(error.index if isinstance(error, RecordRefused) else 0)
                LOG.error("spool: %s", error)
                rejected = Rejected(
                    refused.device_id, refused.record.value, error, self._clock.now(), refused.acknowledge
                )
                self._refuse(self._devices.known[refused.device_id].source, rejected)
                continue
            if done:
                self._uncommitted += batch
            return

    def _commit(self) -> None:
        if self._until_done(self._spool.commit):
            self._tell_stored()

    def _tell_stored(self) -> None:
        stored, self._uncommitted = self._uncommitted, []
        for item in stored:
            self._devices.known[item.device_id].spooled += 1
        _acknowledge(item.acknowledge for item in stored)

    def _until_done(self, work: Callable[[], object]) -> bool:
        """Do it again until the disk takes it; meanwhile the sources wait. False if nobody wants to wait longer."""
        while True:
            try:
                work()
            except (SpoolFull, SpoolFailed) as error:
                self._say_once_in_a_while(str(error))
            else:
                return True
            if not self.may_wait():
                return False
            self._clock.clock.sleep(_WAIT_S)
            self._try_commit()

    def _try_commit(self) -> None:
        """What is in the group can be sent once it is committed, and makes room."""
        if self._uncommitted:
            with suppress(SpoolFull, SpoolFailed):
                self._spool.commit()
                self._tell_stored()

    def _say_once_in_a_while(self, text: str) -> None:
        now_s = self._clock.clock.monotonic_s()
        if now_s >= self._say_at_s:
            LOG.error("the sources wait: %s", text)
            self._say_at_s = now_s + _SAY_EVERY_S


_MOST_AT_ONCE = 1_000
_MOST_BYTES = 4 * 1024 * 1024


def _acknowledge(receipts: Iterable[Acknowledge | None]) -> None:
    for acknowledge in receipts:
        if acknowledge is not None:
            acknowledge()


def _as_rejected(taken: Taken, error: InvalidMessage) -> Rejected:
    """A measurement that cannot be framed, with its values as they stand in the payload."""
    return Rejected(taken.device_id, repr(taken.measurement).encode(), error, taken.taken, taken.acknowledge)
