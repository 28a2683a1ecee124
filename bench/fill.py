"""Filling rawframes: two processes send the frames of a workload, wave after wave, and say what was sent."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message, Producer

from bench.errors import BenchError
from bench.frames import frame_record, mean_sum, session_values
from bench.workloads import FRAMES_PER_SESSION, Workload
from schemas.envelope import Record
from schemas.kafka import SAFE_PRODUCER
from schemas.topics import Topic

PROCESSES = 2
_FLUSH_TIMEOUT_S = 120.0
_FULL_QUEUE_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Truth:
    """What every contender must find.

    Attributes:
        sessions, frames: how many.
        mean_sum: the mean of every channel of every session, added up.
    """

    sessions: int
    frames: int
    mean_sum: float

    def __add__(self, other: Truth) -> Truth:
        return Truth(self.sessions + other.sessions, self.frames + other.frames, self.mean_sum + other.mean_sum)


NOTHING = Truth(0, 0, 0.0)


def fill(bootstrap: str, workload: Workload, sessions: range, *, seed: int) -> Truth:
    """Sends the frames of these sessions and returns when the broker has them.

    Raises:
        BenchError: if a frame was not delivered.
    """
    # Not forked: a forked Kafka client has no threads.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        shares = [
            pool.submit(send_share, bootstrap, workload, list(sessions[share::PROCESSES]), seed)
            for share in range(PROCESSES)
        ]
        return sum((share.result() for share in shares), NOTHING)


def send_share(bootstrap: str, workload: Workload, sessions: Sequence[int], seed: int) -> Truth:
    """One process's share of `fill`; frames of the sessions of a wave take turns, as those of live devices do."""
    sender = _Sender(bootstrap)
    total = 0.0
    width = max(1, workload.concurrent_sessions // PROCESSES)
    for first in range(0, len(sessions), width):
        wave = [(session, session_values(workload, seed, session)) for session in sessions[first : first + width]]
        for frame in range(FRAMES_PER_SESSION):
            for session, values in wave:
                sender.send(frame_record(workload, session, frame, values[frame]))
        total += sum(mean_sum(values) for _, values in wave)
    sender.close()
    return Truth(len(sessions), len(sessions) * FRAMES_PER_SESSION, total)


class _Sender:
    def __init__(self, bootstrap: str) -> None:
        self._failed: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                **SAFE_PRODUCER,
                "linger.ms": 20,
                "batch.size": 1_000_000,
                "queue.buffering.max.kbytes": 131_072,
            }
        )

    def send(self, record: Record) -> None:
        headers: dict[str, str | bytes | None] = dict(record.headers)
        while True:
            try:
                self._producer.produce(
                    Topic.RAWFRAMES, key=record.key, value=record.value, headers=headers, on_delivery=self._delivered
                )
                break
            except BufferError:
                self._producer.poll(_FULL_QUEUE_POLL_S)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(f"{message.key()!r}: {error}")

    def close(self) -> None:
        left = self._producer.flush(_FLUSH_TIMEOUT_S)
        if left or self._failed:
            raise BenchError(f"{left} frames not sent, {len(self._failed)} refused: {self._failed[:1]}")
