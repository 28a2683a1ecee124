"""Frames that the agent timed while its clock was wrong: timed again from the monotonic clock, or quarantined.

A small board has no battery for its clock: it starts in 1970 and jumps once a time service answers. The monotonic clock
says how long before the jump a frame was taken, so its true time is known afterwards. And a clock that leaves its time
service and jumps is contradicted by the monotonic clock, counted from the last moment at which it was held.
What a device timed itself passes untouched.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from edge.instant import Instant
from edge.sources.source import Taken
from schemas.errors import InvalidMessage, Reason

UNSET_BEFORE_MS = 1_577_836_800_000
"""2020-01-01: a clock that shows less was never set."""


@dataclass(frozen=True, slots=True)
class RetimingLimits:
    """What counts as wrong, and how much is held until it is right.

    Attributes:
        unset_before_ms: a wall clock before this was never set.
        jump_ms: wall and monotonic clock may drift apart by this between two moments before it is called a jump.
        drift_ppm: and by this share of the time between them: quartz clocks differ.
        held: frames held at most; the oldest makes room.
    """

    unset_before_ms: int = UNSET_BEFORE_MS
    jump_ms: int = 1_000
    drift_ppm: int = 500
    held: int = 10_000


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A frame whose time will never be known."""

    taken: Taken
    error: InvalidMessage


@dataclass(slots=True)
class Verdict:
    """What became of frames.

    Attributes:
        ready: in the order in which they were taken.
        quarantined: to be stored as rejected, with the reason.
        jump_ms: by how much the wall clock has just jumped; 0 as a rule.
    """

    ready: list[Taken] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    jump_ms: int = 0


class Retimer:
    """Judges frames in the order in which they were taken; one for all sources of an agent, used by one thread.

    It trusts, in this order: a synchronised clock; the monotonic clock counted from the last synchronised moment; any
    clock that is set. Two clocks that nobody holds cannot judge each other: a jump between them is told, and the new
    one believed, because people set clocks to be right.
    """

    def __init__(self, limits: RetimingLimits | None = None) -> None:
        self._limits = limits or RetimingLimits()
        self._anchor: Instant | None = None
        self._last: Instant | None = None
        self._held: deque[Taken] = deque()

    @property
    def held(self) -> int:
        """Frames that wait for a clock."""
        return len(self._held)

    def take(self, taken: Taken) -> Verdict:
        """Judge a frame, and those that waited if the clock is right now."""
        verdict = self.tick(taken.taken)
        if taken.timed_by_device:
            verdict.ready.append(taken)
        elif self._anchor is None:
            self._hold(taken, verdict)
        else:
            verdict.ready.append(self._timed(taken, self._anchor))
        return verdict

    def tick(self, now: Instant) -> Verdict:
        """Look at the clocks; a heartbeat does so too, so that held frames need no new one to go."""
        if self._last is not None and now.monotonic_ms < self._last.monotonic_ms:
            # From a slower queue: later moments have been judged already.
            return Verdict()
        verdict = Verdict(jump_ms=self._jump_ms(self._last, now))
        self._last = now
        if self._is_trusted(now):
            self._anchor = now
            while self._held:
                verdict.ready.append(self._timed(self._held.popleft(), now))
        return verdict

    def close(self) -> Verdict:
        """The agent stops: what is still held is quarantined."""
        verdict = Verdict()
        while self._held:
            self._quarantine(verdict, "the agent stopped before the clock was set")
        return verdict

    def _is_trusted(self, now: Instant) -> bool:
        """Whether a moment's wall clock is better than what is known from before."""
        if now.synchronised:
            return now.wall_ms >= self._limits.unset_before_ms
        if now.wall_ms < self._limits.unset_before_ms:
            return False
        return self._anchor is None or not self._anchor.synchronised

    def _timed(self, taken: Taken, anchor: Instant) -> Taken:
        """A frame with its true time; as it is if its clock agrees with the anchor."""
        off_ms = self._jump_ms(anchor, taken.taken)
        if off_ms == 0:
            return taken
        start_us = taken.measurement.start_us - off_ms * 1_000
        return replace(
            taken, measurement=replace(taken.measurement, start_us=start_us), retimed_ms=taken.retimed_ms - off_ms
        )

    def _jump_ms(self, earlier: Instant | None, later: Instant) -> int:
        """By how much the wall clock moved more than the monotonic one; 0 within the tolerance."""
        if earlier is None:
            return 0
        passed_ms = later.monotonic_ms - earlier.monotonic_ms
        off_ms = later.wall_ms - earlier.wall_ms - passed_ms
        tolerance_ms = self._limits.jump_ms + abs(passed_ms) * self._limits.drift_ppm // 1_000_000
        return off_ms if abs(off_ms) > tolerance_ms else 0

    def _hold(self, taken: Taken, verdict: Verdict) -> None:
        while len(self._held) >= self._limits.held:
            self._quarantine(verdict, f"more than {self._limits.held} frames waited for the clock to be set")
        self._held.append(taken)

    def _quarantine(self, verdict: Verdict, why: str) -> None:
        taken = self._held.popleft()
        detail = f"wall clock {taken.taken.wall_ms} ms at monotonic {taken.taken.monotonic_ms} ms: {why}"
        verdict.quarantined.append(Quarantined(taken, InvalidMessage(Reason.BAD_TIMESTAMP, detail)))
