"""The agent: everything that a source gave is on disk before the source is told, and is sent once."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import orjson
import pytest

from edge.agent.snapshot import is_running, read_snapshot
from edge.agent.unreadable import NAME as UNREADABLE
from edge.errors import DeliveryError
from edge.interruption import Interruption
from edge.senders.sender import OnDelivery
from edge.sources.source import Outlet, Rejected, Stopped
from edge.testing import MemorySender
from schemas.envelope import Record, RecordKey, make_event_id
from schemas.errors import InvalidMessage, Reason
from tests.unit.edge.agent.sources_for_tests import (
    FunctionSource,
    ListSource,
    agent_of,
    events,
    reading,
    statuses,
)


def test_an_agent_ends_when_its_sources_have_and_everything_is_sent(tmp_path: Path) -> None:
    sender = MemorySender()
    sources = [ListSource(f"s{n}", [reading(f"room-{n}", i) for i in range(50)]) for n in range(3)]
    agent_of(tmp_path, sources, sender).run(Interruption())
    sent = events(sender.records)
    assert len(sent) == len({event.event_id for event in sent}) == 150
    assert not any(event.resent for event in sent)
    for n in range(3):
        own = [event for event in sent if event.device_id == f"room-{n}"]
        assert [event.sensor_timestamp_ms for event in own] == sorted(event.sensor_timestamp_ms for event in own)
        sequences = [event.sequence for event in own]
        assert sequences == sorted(set(sequences))
        assert own[0].event_id == make_event_id("local", f"room-{n}", "b0", own[0].sequence)
        assert {event.session_id for event in own} == {"live"}


def test_a_source_is_told_only_when_its_reading_is_on_disk(tmp_path: Path) -> None:
    durable: list[int] = []
    told: list[int] = []

    def tell() -> None:
        told.append(len(told))
        durable.append(agent.spool.durable_end)

    agent = agent_of(tmp_path, [ListSource("s", [reading("room", i, tell) for i in range(40)])])
    agent.run(Interruption())
    assert len(told) == 40
    assert all(end > number for number, end in zip(told, durable, strict=True))


class AwaySender(MemorySender):
    """A receiver that is away."""

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        raise DeliveryError("away")


def test_what_was_not_sent_is_sent_after_the_next_start_as_the_same_events(tmp_path: Path) -> None:
    stored = threading.Event()
    remaining = list(range(20))

    def tell() -> None:
        remaining.pop()
        if not remaining:
            stored.set()

    interruption = Interruption()
    first = agent_of(tmp_path, [ListSource("s", [reading("room", i, tell) for i in range(20)])], AwaySender())
    ending = threading.Thread(target=lambda: (stored.wait(30), interruption.request()))
    ending.start()
    first.run(interruption)
    ending.join()
    sender = MemorySender()
    agent_of(tmp_path, [ListSource("s", [])], sender, boot_id="b1").run(Interruption())
    sent = events(sender.records)
    assert [event.sensor_timestamp_ms for event in sent] == sorted(event.sensor_timestamp_ms for event in sent)
    assert {event.event_id for event in sent} == {
        make_event_id("local", "room", "b0", event.sequence) for event in sent
    }
    assert len(sent) == 20


def test_one_broken_and_one_stuck_source_do_not_stop_the_others(tmp_path: Path) -> None:
    def broken(outlet: Outlet, stop: threading.Event) -> None:
        raise RuntimeError("a fault of ours")

    def stuck(outlet: Outlet, stop: threading.Event) -> None:
        stop.wait(60)

    arrived = threading.Event()
    sources = [
        FunctionSource("broken", broken),
        FunctionSource("stuck", stuck),
        ListSource("good", [reading("room", i, arrived.set if i == 99 else None) for i in range(100)]),
    ]
    sender, interruption = MemorySender(), Interruption()
    agent = agent_of(tmp_path, sources, sender)
    ending = threading.Thread(target=lambda: (arrived.wait(30), interruption.request()))
    ending.start()
    agent.run(interruption)
    ending.join()
    assert arrived.is_set()
    assert len(events(sender.records)) == 100
    assert "a fault of ours" in agent.inlets[0].connection.detail


def test_what_cannot_be_read_is_kept_with_its_bytes_and_its_reason_and_is_acknowledged(tmp_path: Path) -> None:
    told: list[str] = []
    error = InvalidMessage(Reason.VALUE_OUT_OF_RANGE, "999 degC at channel value")

    def source(outlet: Outlet, stop: threading.Event) -> None:
        outlet.put(reading("room", 1))
        outlet.reject(Rejected("room", b"\x00T=999\xff", error, reading("room", 2).taken, lambda: told.append("kept")))

    sender = MemorySender()
    agent_of(tmp_path, [FunctionSource("s", source)], sender).run(Interruption())
    (line,) = map(orjson.loads, (tmp_path / UNREADABLE).read_bytes().splitlines())
    assert base64.b64decode(line["raw_base64"]) == b"\x00T=999\xff"
    assert (line["reason"], line["detail"]) == ("value_out_of_range", "999 degC at channel value")
    assert told == ["kept"]
    assert len(events(sender.records)) == 1
    assert read_snapshot(tmp_path)["devices"][-1]["device_id"] in {"room", "agent"}


def test_a_measurement_that_fits_no_frame_is_kept_as_unreadable(tmp_path: Path) -> None:
    told: list[int] = []
    wrong = reading("no identifier", 1, lambda: told.append(1))
    sender = MemorySender()
    agent_of(tmp_path, [ListSource("s", [wrong, reading("room", 2)])], sender).run(Interruption())
    (line,) = map(orjson.loads, (tmp_path / UNREADABLE).read_bytes().splitlines())
    assert line["reason"] == "bad_identifier" and told == [1]
    assert [event.device_id for event in events(sender.records)] == ["room"]


def test_a_full_spool_makes_the_source_wait_and_loses_nothing(tmp_path: Path) -> None:
    sender = MemorySender()
    small = {"segment_bytes": 4_096, "max_bytes": 16_384, "keep_acknowledged_s": 0.0}
    agent_of(tmp_path, [ListSource("s", [reading("room", i) for i in range(1_000)])], sender, spool=small).run(
        Interruption()
    )
    sent = events(sender.records)
    assert len({event.event_id for event in sent}) == 1_000


def test_the_agent_says_what_it_knows_of_itself_and_of_its_devices(tmp_path: Path) -> None:
    sender = MemorySender()
    agent_of(tmp_path, [ListSource("s", [reading("room", i) for i in range(10)])], sender).run(Interruption())
    said = statuses(sender.records)
    own = [status for device, status in said if device == "agent"]
    assert own[0].state == "started" and own[0].source == "agent"
    assert {status.state for _, status in said} >= {"started", "connected"}
    key = RecordKey.from_bytes(sender.records[0].key)
    assert (key.sensor_type, key.session_id) == ("STATUS", "live")
    snapshot = read_snapshot(tmp_path)
    assert snapshot["spool"]["lost"] == snapshot["spool"]["dropped"] == 0
    room = next(device for device in snapshot["devices"] if device["device_id"] == "room")
    assert (room["read"], room["rejected"], room["source"]) == (10, 0, "s")
    assert is_running(snapshot)


def test_a_second_agent_on_the_same_spool_is_refused(tmp_path: Path) -> None:
    from edge.spool.errors import SpoolInUse

    agent = agent_of(tmp_path, [ListSource("s", [])])
    with pytest.raises(SpoolInUse):
        agent_of(tmp_path, [ListSource("s", [])])
    agent.run(Interruption())


def test_a_source_that_is_stopped_gives_back_what_was_not_taken(tmp_path: Path) -> None:
    interruption = Interruption()
    stopped = threading.Event()

    def endless(outlet: Outlet, stop: threading.Event) -> None:
        try:
            for number in range(1_000_000):
                outlet.put(reading("room", number))
                if number == 500:
                    interruption.request()
        except Stopped:
            stopped.set()

    sender = MemorySender()
    agent = agent_of(tmp_path, [FunctionSource("s", endless)], sender)
    agent.run(interruption)
    assert stopped.is_set()
    sent = events(sender.records)
    numbers = sorted(event.sensor_timestamp_ms for event in sent)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 500
