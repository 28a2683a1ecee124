"""The sending loop: everything arrives, once where nothing crashes, and flagged where it may come again."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest

from edge.errors import DeliveryError
from edge.senders.sender import OnDelivery, Refusal
from edge.spool.drain import Drain
from edge.spool.settings import DrainSettings
from edge.spool.spool import Spool
from edge.testing import ManualClock, MemorySender
from schemas.envelope import Record, unseal
from tests.builders import scalar_records
from tests.unit.edge.spool.builders import HOME, open_spool
from tests.unit.edge.spool.crash_files import CrashFiles
from tests.unit.edge.spool.receivers import Receiver, ReceiverSender

SETTINGS = {"window_records": 100, "cursor_ms": 0, "retry_first_s": 0.1, "retry_most_s": 1.0}


def make_drain(spool: Spool, receiver: Receiver, **changes: object) -> Drain:
    settings = DrainSettings(**{**SETTINGS, **changes})  # type: ignore[arg-type]
    return Drain(spool, receiver.make_sender, settings, clock=receiver.clock, random=lambda: 0.5)


def spool_records(spool: Spool, records: list[Record]) -> None:
    for first in range(0, len(records), 50):
        spool.append(records[first : first + 50])
        spool.commit()


def drain_all(drain: Drain, spool: Spool, steps: int = 1_000) -> None:
    for _ in range(steps):
        if not spool.stats().depth_records:
            return
        drain.step(0.02)
    raise AssertionError(f"{spool.stats().depth_records} records are left: {drain.stats()}")


def test_all_arrives_once_with_its_bytes() -> None:
    receiver = Receiver()
    spool = open_spool(CrashFiles(), receiver.clock)
    records = scalar_records(500)
    spool_records(spool, records)
    drain = make_drain(spool, receiver)
    spool_records(spool, scalar_records(100, boot_id="boot-2"))
    drain_all(drain, spool)
    assert sorted(record.value for record in receiver.stored) == sorted(
        record.value for record in [*records, *scalar_records(100, boot_id="boot-2")]
    )
    assert {record.value: record for record in records}.items() <= {r.value: r for r in receiver.stored}.items()
    stats = drain.stats()
    assert (stats.sent, stats.acknowledged, stats.resent, stats.in_flight, stats.backlog) == (600, 600, 0, 0, 0)


def test_after_a_crash_what_was_in_flight_comes_again_flagged_and_the_rest_unflagged() -> None:
    files, receiver = CrashFiles(), Receiver()
    receiver.per_poll = 30
    spool = open_spool(files, receiver.clock)
    records = scalar_records(200)
    spool_records(spool, records)
    drain = make_drain(spool, receiver)
    drain.step(0.02)
    assert (len(receiver.stored), drain.stats().in_flight) == (30, 45)
    spool_records(spool, scalar_records(100, boot_id="boot-2"))
    drain.step(0.02)
    before = list(receiver.stored)
    files.kill()
    receiver.per_poll = None
    spool = open_spool(files, receiver.clock)
    drain = make_drain(spool, receiver)
    late = scalar_records(50, boot_id="boot-3")
    spool_records(spool, late)
    drain_all(drain, spool)
    again = receiver.stored[len(before) :]
    assert set(receiver.event_ids()) == {unseal(record.value).event_id for record in [*records, *late]} | {
        unseal(record.value).event_id for record in scalar_records(100, boot_id="boot-2")
    }
    flagged = {unseal(record.value).event_id for record in again if unseal(record.value).resent}
    seen_before = {unseal(record.value).event_id for record in before}
    twice = {event_id for event_id in receiver.event_ids() if receiver.event_ids().count(event_id) > 1}
    assert twice <= seen_before & flagged
    assert not any(unseal(record.value).resent for record in receiver.stored if record in late)
    assert {record.value for record in late} <= {record.value for record in again}


def test_what_no_sender_ever_got_is_not_flagged_after_a_restart() -> None:
    files, receiver = CrashFiles(), Receiver()
    receiver.away = True
    spool = open_spool(files, receiver.clock)
    spool_records(spool, scalar_records(100))
    drain = make_drain(spool, receiver)
    for _ in range(20):
        drain.step(0.5)
    spool.close()
    receiver.away = False
    spool = open_spool(files, receiver.clock)
    drain_all(make_drain(spool, receiver), spool)
    assert [record.value for record in receiver.stored] == [record.value for record in scalar_records(100)]


def test_a_sender_at_its_end_is_replaced_and_its_flight_sent_again_flagged() -> None:
    receiver = Receiver()
    spool = open_spool(CrashFiles(), receiver.clock)
    records = scalar_records(300)
    spool_records(spool, records)
    drain = make_drain(spool, receiver)
    receiver.per_poll = 20
    drain.step(0.02)
    receiver.fail_next_poll = True
    drain.step(0.02)
    unreported = receiver.stored[20:]
    receiver.per_poll = None
    drain_all(drain, spool)
    assert (receiver.senders, drain.stats().sender_failures) == (2, 1)
    ids = receiver.event_ids()
    twice = {event_id for event_id in ids if ids.count(event_id) == 2}
    assert twice == {unseal(record.value).event_id for record in unreported}
    for record in receiver.stored[40:]:
        envelope = unseal(record.value)
        assert envelope.resent or envelope.event_id not in twice
    assert len(set(ids)) == 300


def test_no_sender_is_asked_for_again_and_again_without_a_pause() -> None:
    asked_at_s: list[float] = []
    clock = ManualClock()

    def make_sender() -> ReceiverSender:
        asked_at_s.append(clock.monotonic_s())
        raise DeliveryError("nobody there")

    spool = open_spool(CrashFiles(), clock)
    spool_records(spool, scalar_records(10))
    drain = Drain(spool, make_sender, DrainSettings(**SETTINGS), clock=clock, random=lambda: 0.5)
    for _ in range(500):
        drain.step(0.02)
    waits_s = [later - sooner for sooner, later in pairwise(asked_at_s)]
    # Steps of 0.02 s after 0.75 of the wait, which doubles up to 1 s.
    assert waits_s[:5] == pytest.approx([0.08, 0.16, 0.3, 0.6, 0.76], abs=0.021)
    assert waits_s[5:] == pytest.approx([0.76] * len(waits_s[5:]), abs=0.021)
    assert spool.stats().depth_records == 10


def test_a_record_refused_for_good_is_put_aside_and_the_others_of_its_batch_arrive() -> None:
    files, receiver = CrashFiles(), Receiver()
    receiver.batch_records = 10
    records = scalar_records(100)
    bad = [records[17], records[64]]
    receiver.refuses = lambda record: "Broker: Message size too large" if record in bad else ""
    spool = open_spool(files, receiver.clock)
    spool_records(spool, records)
    drain = make_drain(spool, receiver)
    drain_all(drain, spool)
    assert sorted(r.value for r in receiver.stored) == sorted(r.value for r in records if r not in bad)
    lines = [json.loads(line) for line in files.names[HOME / "rejected.jsonl"].content.splitlines()]
    lines.sort(key=lambda line: line["position"])
    assert [line["position"] for line in lines] == [17, 64]
    assert [base64.b64decode(line["value_base64"]) for line in lines] == [record.value for record in bad]
    assert {line["reason"] for line in lines} == {"Broker: Message size too large"}
    assert (spool.stats().rejected, drain.stats().rejected, spool.stats().lost) == (2, 2, 0)


def test_where_the_rejected_cannot_be_kept_they_stay_in_the_spool() -> None:
    receiver = Receiver()
    records = scalar_records(20)
    receiver.refuses = lambda record: "too large" if record == records[3] else ""
    spool = open_spool(CrashFiles(), receiver.clock)
    spool_records(spool, records)
    drain = make_drain(spool, receiver, max_rejected_bytes=10)
    for _ in range(200):
        drain.step(0.1)
    assert len(receiver.stored) == 19
    assert list(spool.unsettled()) == [(3, 4)]
    assert drain.stats().rejected == 0
    receiver.refuses = lambda record: ""
    drain_all(drain, spool)
    assert len(receiver.stored) == 20


def test_a_failure_that_may_pass_rejects_nothing() -> None:
    clock = ManualClock()
    missing = [True]

    class TopicAway(MemorySender):
        def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
            if missing[0] and on_delivery is not None:
                on_delivery(Refusal("Local: Unknown topic", for_good=False))
            else:
                super().send(record, on_delivery)

    sender = TopicAway()
    spool = open_spool(CrashFiles(), clock)
    spool_records(spool, scalar_records(50))
    drain = Drain(spool, lambda: sender, DrainSettings(**SETTINGS), clock=clock, random=lambda: 0.5)
    for _ in range(20):
        drain.step(0.1)
    assert (drain.stats().rejected, spool.stats().depth_records) == (0, 50)
    missing[0] = False
    drain_all(drain, spool)
    assert len({unseal(record.value).event_id for record in sender.records}) == 50


def test_resend_sends_kept_records_again_flagged() -> None:
    receiver = Receiver(ManualClock(now_ms=1_000_000))
    spool = open_spool(CrashFiles(), receiver.clock, keep_acknowledged_s=3_600.0)
    drain = make_drain(spool, receiver)
    for index in range(5):
        spool_records(spool, scalar_records(10, boot_id=f"boot-{index}"))
        receiver.clock.sleep(1.0)
    drain_all(drain, spool)
    receiver.stored.clear()
    assert drain.resend(1_001_000, 1_003_000) == 20
    drain_all(drain, spool)
    envelopes = [unseal(record.value) for record in receiver.stored]
    assert {envelope.boot_id for envelope in envelopes} == {"boot-1", "boot-2"}
    assert len(envelopes) == 20
    assert all(envelope.resent for envelope in envelopes)


def test_close_waits_for_reports_no_longer_than_it_may() -> None:
    files, receiver = CrashFiles(), Receiver()
    receiver.per_poll = 0
    spool = open_spool(files, receiver.clock)
    spool_records(spool, scalar_records(50))
    drain = make_drain(spool, receiver)
    drain.step()
    begin_s = receiver.clock.monotonic_s()
    assert drain.close(1.0) == 50
    assert receiver.clock.monotonic_s() - begin_s == pytest.approx(1.0, abs=0.05)
    receiver.per_poll = 30
    assert drain.close(0.02) == 20
    spool.close()
    assert open_spool(files, receiver.clock).unsettled().count() == 20
