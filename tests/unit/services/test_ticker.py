from __future__ import annotations

import os
import threading

import pytest

from schemas.envelope import SENSOR_MS_HEADER, STATUS_SENSOR, RecordKey, make_event_id, unseal
from schemas.errors import SettingsError
from services.settings import load_ticker_settings
from services.ticker import Ticker, run

NOW_MS = 1_700_000_000_000


class ListSink:
    """A topic in memory."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.asked = 0
        self.sent: list[tuple[int, bytes, bytes, dict[str, bytes]]] = []

    def partition_count(self) -> int:
        self.asked += 1
        return self.partitions

    def send(self, partition: int, *, key: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        self.sent.append((partition, key, value, headers))


def ticker(sink: ListSink) -> Ticker:
    return Ticker(sink, boot_id="boot", now_ms=lambda: NOW_MS)


def test_each_round_writes_one_heartbeat_into_every_partition() -> None:
    sink = ListSink(4)
    beat = ticker(sink)
    assert [beat.tick(), beat.tick()] == [4, 4]
    assert [partition for partition, *_ in sink.sent] == [0, 1, 2, 3, 0, 1, 2, 3]


def test_heartbeat_is_a_valid_status_frame_whose_key_and_header_agree() -> None:
    sink = ListSink(2)
    ticker(sink).tick()
    for partition, key, value, headers in sink.sent:
        envelope = unseal(value)
        assert RecordKey.from_bytes(key) == (
            envelope.tenant_id,
            envelope.device_id,
            envelope.session_id,
            envelope.sensor_type,
        )
        assert envelope.sensor_type == STATUS_SENSOR
        assert envelope.device_id == f"ticker-{partition}"
        assert envelope.sensor_timestamp_ms == NOW_MS
        assert headers == {SENSOR_MS_HEADER: str(NOW_MS).encode()}


def test_sequence_of_each_device_counts_without_gaps_and_ids_never_repeat() -> None:
    sink = ListSink(3)
    beat = ticker(sink)
    for _ in range(5):
        beat.tick()
    envelopes = [unseal(value) for _, _, value, _ in sink.sent]
    for partition in range(3):
        device = f"ticker-{partition}"
        assert [e.sequence for e in envelopes if e.device_id == device] == [0, 1, 2, 3, 4]
    assert len({e.event_id for e in envelopes}) == 15
    assert envelopes[0].event_id == make_event_id(envelopes[0].tenant_id, "ticker-0", "boot", 0)


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
    sink.partitions = 0
    assert {beat.tick() for _ in range(40)} == {2}
    sink.partitions = 3
    assert [beat.tick() for _ in range(40)][-1] == 3


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
    assert len(sink.sent) == 3


def test_every_wrong_setting_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "TICKER_")):
            monkeypatch.delenv(name)
    assert load_ticker_settings({}).ticker_interval_ms == 1_000
    monkeypatch.setenv("TICKER_INTERVAL_MS", "soon")
    with pytest.raises(SettingsError) as raised:
        load_ticker_settings({"kafka_bootstrap_servers": "nowhere"})
    assert "KAFKA_BOOTSTRAP_SERVERS" in str(raised.value)
    assert "'nowhere'" in str(raised.value)
    assert "TICKER_INTERVAL_MS" in str(raised.value)
    assert "'soon'" in str(raised.value)
