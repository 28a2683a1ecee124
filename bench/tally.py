"""What a contender has answered: its session rows, counted and compared with the truth."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from typing import Protocol

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from bench.fill import Truth
from bench.topics import end_offsets, partitions_of

_BATCH = 10_000
_RELATIVE_TOLERANCE = 1e-9
_COUNT_S = 0.1


class Watch(Protocol):
    """Looks at a contender's results while it works."""

    def poll(self, timeout_s: float) -> bool:
        """Looks for at most so long; returns whether everything has arrived."""

    def count(self) -> int:
        """How much has arrived so far, to tell a slow contender from a stuck one."""

    def problem(self) -> str | None:
        """What is wrong with the results once they are complete, None if they are right."""

    def close(self) -> None:
        """Lets go of connections."""


class Tally:
    """Counts session rows: JSON with at least session_id, frames and channel_mean."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._sessions: set[str] = set()
        self.rows = 0
        self.frames = 0
        self.mean_sum = 0.0

    def add(self, value: bytes) -> None:
        """Counts one row."""
        row = orjson.loads(value)
        self._sessions.add(row["session_id"])
        self.rows += 1
        self.frames += row["frames"]
        self.mean_sum += math.fsum(row["channel_mean"])

    def complete(self) -> bool:
        """Whether every frame has been accounted for in some session."""
        return self.frames >= self._truth.frames

    def problem(self) -> str | None:
        """The first thing in which the rows differ from the truth, None if nothing does."""
        truth = self._truth
        for name, found, wanted in (
            ("rows", self.rows, truth.sessions),
            ("sessions", len(self._sessions), truth.sessions),
            ("frames", self.frames, truth.frames),
        ):
            if found != wanted:
                return f"{found:,} {name}, not {wanted:,}"
        if not math.isclose(self.mean_sum, truth.mean_sum, rel_tol=_RELATIVE_TOLERANCE):
            return f"means add up to {self.mean_sum!r}, not {truth.mean_sum!r}"
        return None


class SessionRows:
    """The watch over a topic of session rows."""

    def __init__(self, bootstrap: str, topic: str, truth: Truth) -> None:
        self._tally = Tally(truth)
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "bench-watch", "enable.auto.commit": False}
        )
        partitions = partitions_of(self._consumer, topic)
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])

    def poll(self, timeout_s: float) -> bool:
        """See Watch.

        Raises:
            KafkaException: if the topic can't be read.
        """
        # consume() waits for a full batch or the whole timeout; short waits keep the finishing time exact.
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self._tally.complete():
            for message in self._consumer.consume(_BATCH, timeout=0.02):
                if message.error():
                    raise KafkaException(message.error())
                self._tally.add(message.value() or b"")
        return self._tally.complete()

    def count(self) -> int:
        """See Watch."""
        return self._tally.frames

    def problem(self) -> str | None:
        """See Watch; reads on for a moment to see rows that should not be there."""
        for message in self._consumer.consume(_BATCH, timeout=1.0):
            self._tally.add(message.value() or b"")
        return self._tally.problem()

    def close(self) -> None:
        """See Watch."""
        self._consumer.close()


class CountedRows(ABC):
    """The watch over a place where only the number of rows tells how far a contender has come."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self._rows = 0

    @abstractmethod
    def rows_now(self) -> int:
        """How many rows are there."""

    def poll(self, timeout_s: float) -> bool:
        """See Watch."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._rows = self.rows_now()
            if self._rows >= self.expected:
                return True
            time.sleep(_COUNT_S)
        return False

    def count(self) -> int:
        """See Watch."""
        return self._rows


class CopiedFrames(CountedRows):
    """The watch over a topic of copies: complete when it holds as many records as there were originals."""

    def __init__(self, bootstrap: str, topic: str, expected: int) -> None:
        super().__init__(expected)
        self._bootstrap = bootstrap
        self._topic = topic

    def rows_now(self) -> int:
        """See CountedRows."""
        return sum(end_offsets(self._bootstrap, self._topic).values())

    def problem(self) -> str | None:
        """None: what is in the copies is checked when they are stored, see (c)."""
        return None

    def close(self) -> None:
        """See Watch: it holds nothing open."""
