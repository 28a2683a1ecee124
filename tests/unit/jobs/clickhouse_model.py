"""A model of a table whose INSERT can stop between its own partitions, and a writer for it."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jobs.runtime.clickhouse.backoff import Backoff
from jobs.runtime.clickhouse.errors import RowsRefusedError, StoreAwayError
from jobs.runtime.clickhouse.offsets import Source
from jobs.runtime.clickhouse.repeats import RepeatedEvents
from jobs.runtime.clickhouse.writer import BlockWriter
from udfs.table_blocks import Block, object_array

TOPIC = "topic-1"
BAD_EVENT = b"bad"


@dataclass(frozen=True)
class Frame:
    """A Kafka record of the model: where it stands, which event it is, which table partition takes it."""

    partition: int
    offset: int
    event: bytes
    month: int = 0
    resent: bool = False


@dataclass(frozen=True)
class Fault:
    """An INSERT that ends after some of its table partitions are stored: the connection is lost, or the writer."""

    stored_parts: int
    kills: bool = False


class KilledError(Exception):
    """The writer's process ends here."""


@dataclass
class ModelTable:
    """A table in memory; `faults` says what happens to one INSERT after another (None: it succeeds)."""

    stored: list[Frame] = field(default_factory=list)
    topic_ids: list[str] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    running: list[bool] = field(default_factory=list)
    inserts: int = 0
    largest: int = 10**9

    def insert(self, block: Block) -> None:
        self.inserts += 1
        frames: list[Frame] = block.columns["frame"].tolist()
        if len(frames) > self.largest:
            raise StoreAwayError("memory limit", too_large=True)
        if any(frame.event.startswith(BAD_EVENT) for frame in frames):
            raise RowsRefusedError("Code: 469. constraint violated")
        fault = self.faults.pop(0) if self.faults else None
        months = sorted({frame.month for frame in frames})
        for month in months if fault is None else months[: fault.stored_parts]:
            part = [frame for frame in frames if frame.month == month]
            self.stored += part
            self.topic_ids += [block.topic_id] * len(part)
        if fault is not None:
            raise KilledError if fault.kills else StoreAwayError("connection reset")

    def _offsets(self, source: Source) -> list[int]:
        rows = zip(self.stored, self.topic_ids, strict=True)
        return [row.offset for row, topic in rows if (topic, row.partition) == (source.topic_id, source.partition)]

    def highest_offset(self, source: Source) -> int:
        return max(self._offsets(source), default=-1)

    def stored_offsets(self, source: Source, first: int, last: int) -> NDArray[np.int64]:
        return np.array([offset for offset in self._offsets(source) if first <= offset <= last], dtype=np.int64)

    def is_inserting(self, sources: Collection[Source]) -> bool:
        assert sources
        return self.running.pop(0) if self.running else False

    def known_events(self, block: Block) -> set[bytes]:
        return {frame.event for frame in self.stored} & set(block.columns["event_id"].tolist())

    def recent_resent_events(self, count: int) -> list[bytes]:
        return [frame.event for frame in self.stored if frame.resent][-count:]


def block_of(frames: list[Frame], topic_id: str = TOPIC) -> Block:
    columns = {
        "frame": object_array(frames),
        "event_id": object_array([frame.event for frame in frames]),
        "resent": np.array([frame.resent for frame in frames], dtype=np.bool_),
        "kafka_partition": np.array([frame.partition for frame in frames], dtype=np.int32),
        "kafka_offset": np.array([frame.offset for frame in frames], dtype=np.int64),
    }
    return Block(topic_id, columns, np.arange(len(frames)), len(frames), {})


def writer_of(table: ModelTable, *, insert_rows: int = 1_000, pauses_s: list[float] | None = None) -> BlockWriter:
    slept = [] if pauses_s is None else pauses_s
    backoff = Backoff(0.1, 5.0, sleep=slept.append, clock=lambda: 0.0, rng=random.Random(1))
    return BlockWriter(table, backoff=backoff, insert_rows=insert_rows, repeats=RepeatedEvents(table))
