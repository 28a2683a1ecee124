from __future__ import annotations

import os
import threading
import zlib

import pytest

from schemas.envelope import STATUS_SENSOR, Record, RecordKey, make_event_id, unseal
from schemas.errors import SettingsError
from schemas.headers import SENSOR_MS
from services.settings import TickerSettings
from services.ticker import Ticker, run

NOW_MS = 1_700_000_000_000


class ListSink:
    """A topic in memory that puts a key into the partition of its CRC."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.away = False
        self.asked = 0
        self.sent: list[tuple[int, Record]] = []

    def partition_count(self) -> int:
        self.asked += 1
        return 0 if self.away else self.partitions

    def send(self, record: Record) -> None:
        self.sent.append((zlib.crc32(record.key) % self.partitions, record))

    def place(self, record: Record) -> int | None:
        if self.away:
            return None
        self.send(record)
        return self.sent[-1][0]

    def reached(self, begin: int) -> list[int]:
        return sorted(partition for partition, _ in self.sent[begin:])


def ticker(sink: ListSink) -> Ticker:
    return Ticker(sink, boot_id="boot", now_ms=lambda: NOW_MS)


def test_each_round_writes_one_heartbeat_into_every_partition() -> None:
    sink = ListSink(4)
    beat = ticker(sink)
    assert beat.tick() == 4
    begin = len(sink.sent)
    assert beat.tick() == 4
    assert sink.reached(begin) == [0, 1, 2, 3]


def test_a_partition_always_gets_the_same_key() -> None:
    sink = ListSink(8)
    beat = ticker(sink)
    beat.tick()
    begin = len(sink.sent)
    for _ in range(5):
        beat.tick()
    keys = {(partition, record.key) for partition, record in sink.sent[begin:]}
    assert len(keys) == 8


def test_heartbeat_is_a_valid_status_frame_whose_key_and_header_agree() -> None:
    sink = ListSink(2)
    ticker(sink).tick()
    for _, record in sink.sent:
        envelope = unseal(record.value)
        assert RecordKey.from_bytes(record.key) == (
            envelope.tenant_id,
            envelope.device_id,
            envelope.session_id,
            envelope.sensor_type,
        )
        assert envelope.sensor_type == STATUS_SENSOR
        assert envelope.sensor_timestamp_ms == NOW_MS
        assert record.headers == {SENSOR_MS: str(NOW_MS).encode()}


def test_sequence_of_each_device_counts_without_gaps_and_ids_never_repeat() -> None:
    sink = ListSink(3)
    beat = ticker(sink)
    for _ in range(5):
        beat.tick()
    envelopes = [unseal(record.value) for _, record in sink.sent]
    for device in {envelope.device_id for envelope in envelopes}:
        sequences = [e.sequence for e in envelopes if e.device_id == device]
        assert sequences == list(range(len(sequences)))
    assert len({e.event_id for e in envelopes}) == len(envelopes)
    first = envelopes[0]
    assert first.event_id == make_event_id(first.tenant_id, "ticker-0", "boot", 0)


def test_topic_that_does_not_exist_yet_is_asked_for_until_it_does() -> None:
    sink = ListSink(0)
    beat = ticker(sink)
    assert [beat.tick(), beat.tick()] == [0, 0]
    sink.partitions = 2
    assert beat.tick() == 2


def test_new_partitions_get_heartbeats_and_an_absent_broker_loses_none() -> None:
    sink = ListSink(2)
    beat = ticker(sink)
    beat.tick()
    sink.away = True
    assert {beat.tick() for _ in range(40)} == {2}
    sink.away, sink.partitions = False, 3
    for _ in range(40):
        beat.tick()
    begin = len(sink.sent)
    assert beat.tick() == 3
    assert sink.reached(begin) == [0, 1, 2]


def test_metadata_is_asked_for_now_and_then_not_each_round() -> None:
    sink = ListSink(1)
    beat = ticker(sink)
    for _ in range(61):
        beat.tick()
    assert sink.asked == 3


def test_run_ends_when_it_is_told_to() -> None:
    stop = threading.Event()
    sink = ListSink(1)

    class Stopping(Ticker):
        def tick(self) -> int:
            if len(sink.sent) == 2:
                stop.set()
            return super().tick()

    run(Stopping(sink, boot_id="boot", now_ms=lambda: NOW_MS), interval_s=0.001, stop=stop)
    assert stop.is_set()
    assert len(sink.sent) == 3


def test_every_wrong_setting_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "TICKER_")):
            monkeypatch.delenv(name)
    assert TickerSettings.load({}).interval_ms == 1_000
    monkeypatch.setenv("TICKER_INTERVAL_MS", "soon")
    with pytest.raises(SettingsError) as raised:
        TickerSettings.load({"kafka_bootstrap_servers": "nowhere"})
    assert "KAFKA_BOOTSTRAP_SERVERS" in str(raised.value)
    assert "'nowhere'" in str(raised.value)
    assert "TICKER_INTERVAL_MS" in str(raised.value)
    assert "'soon'" in str(raised.value)
