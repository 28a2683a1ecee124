"""Peer (d): Bytewax session windows. Run in its own virtual environment, which `bench.bytewax_contender` makes.

Usage: python -m bytewax.run "bench.peers.bytewax_flow:build_flow('BOOTSTRAP', 'SOURCE', 'RESULTS')"
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import bytewax.operators as op  # type: ignore[import-not-found]
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage  # type: ignore[import-not-found]
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.operators.windowing import EventClock, SessionWindower, collect_window  # type: ignore[import-not-found]

from bench.peers.session_work import GAP_US, Frame, decode, describe_session

# The connector's default is as good as any from 500 to 10,000.
BATCH = 1_000
WAIT = timedelta(seconds=10)
"""How much sooner than its neighbours a frame may be read; none is late within it."""

Message: TypeAlias = KafkaSourceMessage[bytes | None, bytes | None]


def decode_batch(messages: list[Message]) -> Iterable[tuple[str, Frame]]:
    """Frames under their record's key."""
    for message in messages:
        frame = decode(message.value or b"")
        if frame is not None:
            yield (message.key or b"").decode(), frame


def sensor_time(frame: Frame) -> datetime:
    """When its first sample was taken."""
    return datetime.fromtimestamp(frame.start_us / 1e6, tz=UTC)


def no_wake_up(_close: datetime) -> None:
    """Sessions of a recording close by later frames or at the end, not by this machine's clock."""


def describe(closed: tuple[str, tuple[int, list[Frame]]]) -> KafkaSinkMessage[bytes, bytes]:
    """The row of a closed window."""
    key, (_, frames) = closed
    return KafkaSinkMessage(key.encode(), describe_session(key, frames))


def build_flow(bootstrap: str, source: str, results: str) -> Dataflow:
    """Source to the topic's present end, decode, session windows on sensor time, describe, sink."""
    flow = Dataflow("sessions")
    messages = op.input("read", flow, KafkaSource([bootstrap], [source], tail=False, batch_size=BATCH))
    frames = op.flat_map_batch("decode", messages, decode_batch)
    clock = EventClock(sensor_time, wait_for_system_duration=WAIT, to_system_utc=no_wake_up)
    windower = SessionWindower(gap=timedelta(microseconds=GAP_US))
    sessions = collect_window("sessions", frames, clock, windower, into=list, ordered=False)
    op.output("write", op.map("describe", sessions.down, describe), KafkaSink([bootstrap], results))
    return flow
