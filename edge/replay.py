"""Replay: the records of a plan are sent at a chosen pace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.errors import DeliveryError
from edge.framing import Framing
from edge.interruption import Interruption
from edge.pace import Clock, Pacer
from edge.plan import BadRecording, PlannedRecording, ReplayPlan
from edge.records import DueMeasurement, PlanFramer
from edge.senders.kafka import KafkaSender
from edge.senders.sender import DeliveryReport, Sender
from edge.settings import EdgeSettings
from schemas.errors import InvalidMessage

LOG = logging.getLogger(__name__)

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: frames in the plan, cut so far, and what the sender reports."""

    frames: int
    frames_read: int
    delivery: DeliveryReport


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """The end of a replay.

    Attributes:
        recordings: sent completely.
        bad: recordings that were not sent, or not completely.
        failure: why the sender refused records, empty if it refused none.
        interrupted: stopped before the end by an interruption; what was sent until then is acknowledged.
    """

    recordings: tuple[PlannedRecording, ...]
    bad: tuple[BadRecording, ...]
    frames_read: int
    delivery: DeliveryReport
    duration_s: float
    failure: str = ""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether every recording was good and every frame is acknowledged."""
        complete = self.delivery.acknowledged == self.delivery.sent == self.frames_read
        return complete and not self.bad and not self.failure and not self.interrupted


OnProgress = Callable[[Progress], object]


def replay(
    plan: ReplayPlan,
    settings: EdgeSettings,
    *,
    clock: Clock,
    on_progress: OnProgress = lambda progress: None,
    interruption: Interruption | None = None,
) -> ReplaySummary:
    """Send a plan to Kafka and wait until every frame is acknowledged.

    Args:
        plan: from `edge.plan`.
        settings: connection, framing and speed.
        clock: paces the replay and stamps the frames.
        on_progress: called at least every 100 ms while waiting for time, and after each frame.
        interruption: ends the replay early.

    Raises:
        DeliveryError: if the topic does not exist or the connection settings are unusable; nothing was sent.
        GivenUpError: if the interruption was insisted on before everything was acknowledged.
    """
    wish = interruption or Interruption()
    sender = KafkaSender(settings.kafka_config(), topic=settings.topic, clock=clock, interruption=wish)
    sender.check_topic()
    run = ReplayRun(
        plan=plan,
        sender=sender,
        framing=settings.framing(),
        clock=clock,
        # A boot id that was given may name events of an earlier replay: marked, the store looks before it adds them.
        resent=settings.boot_id is not None,
        on_progress=on_progress,
        interruption=wish,
    )
    return send_plan(run, speed=settings.speed)


def send_plan(run: ReplayRun, *, speed: float) -> ReplaySummary:
    """Send a plan through any sender at `speed` x real time, and close the sender.

    A recording that cannot be framed is dropped and reported. A refused record or an interruption ends the replay,
    after everything that was sent before is acknowledged.
    """
    begin_s = run.clock.monotonic_s()
    failure = ""
    try:
        run.send_all(Pacer(run.clock, speed))
        delivery = run.sender.close()
    except DeliveryError as error:
        delivery, failure = _close_failed(run.sender, error)
    return ReplaySummary(
        recordings=tuple(item for index, item in enumerate(run.plan.items) if index not in run.dropped),
        bad=(*run.plan.bad, *run.dropped.values()),
        frames_read=run.frames_read,
        delivery=delivery,
        duration_s=run.clock.monotonic_s() - begin_s,
        failure=failure,
        interrupted=run.stopped_early,
    )


def _close_failed(sender: Sender, error: DeliveryError) -> tuple[DeliveryReport, str]:
    """Wait for what is still under way; the counts of the last error are the final ones."""
    try:
        sender.close()
    except DeliveryError as last:
        error = last
    return DeliveryReport(error.sent, error.acknowledged, error.failed), str(error)


@dataclass(kw_only=True)
class ReplayRun:
    """One replay: what it sends, through what, and how far it is; `resent` marks frames that may have gone before."""

    plan: ReplayPlan
    sender: Sender
    framing: Framing
    clock: Clock
    resent: bool = False
    on_progress: OnProgress = lambda progress: None
    interruption: Interruption = field(default_factory=Interruption)
    frames_read: int = 0
    dropped: dict[int, BadRecording] = field(default_factory=dict)
    stopped_early: bool = False

    def __post_init__(self) -> None:
        """Prepare the recordings for cutting."""
        self._framer = PlanFramer(self.plan.items, self.framing)
        self._frames = self._framer.count()

    def send_all(self, pacer: Pacer) -> None:
        """Send all measurements, then tell the progress until everything is acknowledged."""
        self._send_measurements(pacer)
        if self.stopped_early:
            LOG.warning("stopping; frames sent are still waited for, a second interruption gives them up")
        while self.sender.poll(_POLL_S).pending > 0:
            self._tell()
        self._tell()

    def _send_measurements(self, pacer: Pacer) -> None:
        """Each measurement is sent when it is due: the moment at which its last sample has been taken."""
        for due in self._framer.measurements():
            if due.item in self.dropped:
                continue
            pacer.wait_until(due.due_s, keep_waiting=self._keep_waiting)
            if self.interruption.asked:
                self.stopped_early = True
                return
            self.frames_read += 1
            self._send(due)
            self._tell()

    def _keep_waiting(self) -> bool:
        self._tell()
        return not self.interruption.asked

    def _send(self, due: DueMeasurement) -> None:
        try:
            record = self._framer.record(due, taken_ms=self.clock.now_ms(), resent=self.resent)
        except InvalidMessage as error:
            self.dropped[due.item] = BadRecording(self.plan.items[due.item].recording.name, error)
            return
        self.sender.send(record)

    def _tell(self) -> None:
        self.on_progress(Progress(self._frames, self.frames_read, self.sender.poll()))
