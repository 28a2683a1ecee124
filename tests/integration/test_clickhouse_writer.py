"""The writer against a real ClickHouse of its own, which the tests kill and start again."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from jobs.runtime.clickhouse.client import open_client, open_writer
from jobs.runtime.clickhouse.offsets import Source
from jobs.runtime.clickhouse.routes import RAWFRAMES
from jobs.runtime.clickhouse.table import ClickHouseTable
from schemas.envelope import RecordKey, heartbeat
from schemas.errors import Reason
from tests.builders import START_US, FrameBuilder, scalar_records
from tests.integration.clickhouse_server import APPEND_MS, ClickHouseServer, batch_of
from udfs.table_blocks import Block

pytestmark = pytest.mark.integration
DAY_US = 86_400_000_000


def frame_values(count: int, **fields: object) -> list[bytes]:
    """Frames six hours apart, so that one INSERT reaches several table partitions."""
    return [record.value for record in scalar_records(count, period_us=DAY_US // 4, **fields)]


def test_replay_of_the_same_offsets_stores_nothing_twice(server: ClickHouseServer) -> None:
    values = frame_values(1_000)
    for rows in (1_000, 300, 1_000):
        block = RAWFRAMES.block(batch_of(values[:rows]))
        assert open_writer(server.settings, RAWFRAMES).store(block) == [None] * rows
    assert server.counts() == (1_000, 1_000)


def test_stored_frame_is_read_back_as_it_was_sent(server: ClickHouseServer) -> None:
    frame = FrameBuilder(sequence=3, resent=True, samples=np.array([[20.5], [21.0]]))
    envelope = frame.envelope()
    open_writer(server.settings, RAWFRAMES).store(RAWFRAMES.block(batch_of([frame.record().value])))
    ((event, payload, sensor_ms, channels, count, resent, sequence, month),) = server.execute(
        "SELECT lower(hex(event_id)), hex(payload), toUnixTimestamp64Milli(sensor_timestamp_ms), channel_names,"
        " sample_count, resent, sequence, toYYYYMM(sensor_timestamp_ms) FROM brain.rawframes"
    )
    assert (event, bytes.fromhex(payload)) == (envelope.event_id, envelope.payload)
    assert (sensor_ms, channels, count, resent, sequence) == (START_US // 1000, ["value"], 2, True, 3)
    assert month == 202510


def test_same_offsets_of_a_topic_made_again_are_stored(server: ClickHouseServer) -> None:
    writer = open_writer(server.settings, RAWFRAMES)
    writer.store(RAWFRAMES.block(batch_of(frame_values(100))))
    writer.store(RAWFRAMES.block(batch_of(frame_values(100, boot_id="boot-2"), topic_id="second-topic")))
    assert server.counts() == (200, 200)


def test_partly_stored_block_is_completed(server: ClickHouseServer) -> None:
    """As after a crash between two table partitions: one month is there, the others are not."""
    values = frame_values(400)
    open_writer(server.settings, RAWFRAMES).store(RAWFRAMES.block(batch_of(values)))
    months = [
        row[0]
        for row in server.execute(
            "SELECT DISTINCT partition_id FROM system.parts WHERE active"
            " AND database = 'brain' AND table = 'rawframes' ORDER BY 1"
        )
    ]
    assert len(months) >= 3
    server.execute(f"ALTER TABLE brain.rawframes DROP PARTITION ID '{months[1]}'")
    assert server.counts()[0] < 400
    open_writer(server.settings, RAWFRAMES).store(RAWFRAMES.block(batch_of(values)))
    assert server.counts() == (400, 400)


def test_deleted_rows_come_back_with_a_replay_of_exactly_them(server: ClickHouseServer) -> None:
    """The table remembers tokens of past INSERTs; a writer must not be fooled by another's."""
    block = RAWFRAMES.block(batch_of(frame_values(100)))
    open_writer(server.settings, RAWFRAMES).store(block)
    server.execute("ALTER TABLE brain.rawframes DELETE WHERE 1 SETTINGS mutations_sync = 2")
    open_writer(server.settings, RAWFRAMES).store(block)
    assert server.counts() == (100, 100)


@pytest.mark.parametrize("again_after_restart", [False, True])
def test_frame_that_the_edge_sends_again_is_stored_once(server: ClickHouseServer, again_after_restart: bool) -> None:
    writer = open_writer(server.settings, RAWFRAMES)
    writer.store(RAWFRAMES.block(batch_of(frame_values(200))))
    if again_after_restart:
        writer = open_writer(server.settings, RAWFRAMES)
    resent = frame_values(200, resent=True)
    writer.store(RAWFRAMES.block(batch_of(resent + resent[:50], first_offset=50)))
    assert server.counts() == (200, 200)


def test_devices_say_what_the_stored_frames_say_also_after_replays(server: ClickHouseServer) -> None:
    block = RAWFRAMES.block(batch_of(frame_values(8)))
    for _ in range(2):
        open_writer(server.settings, RAWFRAMES).store(block)
    ((device, first_ms, last_ms, frames),) = server.execute(
        "SELECT device_id, toUnixTimestamp64Milli(first_sensor_timestamp_ms),"
        " toUnixTimestamp64Milli(last_sensor_timestamp_ms), frames FROM brain.devices"
    )
    assert (device, first_ms, frames) == ("walker-1", START_US // 1000, 8)
    assert last_ms == first_ms + 7 * DAY_US // 4_000


def test_heartbeats_are_not_frames(server: ClickHouseServer) -> None:
    beat = heartbeat(RecordKey("lab", "ticker", "heartbeat", "STATUS"), "boot", 0, APPEND_MS).value
    assert open_writer(server.settings, RAWFRAMES).store(RAWFRAMES.block(batch_of([beat]))) == [None]
    assert server.counts() == (0, 0)


def test_bad_row_goes_out_alone_with_the_servers_reason(server: ClickHouseServer) -> None:
    block = RAWFRAMES.block(batch_of(frame_values(64)))
    device_ids = block.columns["device_id"].copy()
    device_ids[37] = ""
    block = replace(block, columns=block.columns | {"device_id": device_ids})
    reasons = open_writer(server.settings, RAWFRAMES).store(block)
    assert [row for row, reason in enumerate(reasons) if reason] == [37]
    assert str(reasons[37]).startswith(Reason.NOT_STORABLE.value + ": ")
    assert "identified" in str(reasons[37])
    assert server.counts() == (63, 63)


def test_value_that_the_driver_cannot_encode_goes_out_alone(server: ClickHouseServer) -> None:
    block = RAWFRAMES.block(batch_of(frame_values(16)))
    event_ids = block.columns["event_id"].copy()
    event_ids[5] = b"seventeen bytes !"
    reasons = open_writer(server.settings, RAWFRAMES).store(
        replace(block, columns=block.columns | {"event_id": event_ids})
    )
    assert [row for row, reason in enumerate(reasons) if reason] == [5]
    assert server.counts() == (15, 15)


def test_running_insert_of_another_writer_is_seen(server: ClickHouseServer) -> None:
    table = ClickHouseTable(lambda numpy: open_client(server.settings, numpy), "brain", "rawframes")
    busy = threading.Thread(
        target=server.execute,
        args=("SELECT sleepEachRow(1) FROM numbers(2) FORMAT Null",),
        kwargs={"query_id": "brain/brain.rawframes/first-topic:0,first-topic:3/0123"},
    )
    busy.start()
    deadline_s = time.monotonic() + 10
    while not table.is_inserting([Source("first-topic", 3)]):
        assert time.monotonic() < deadline_s
    assert not table.is_inserting([Source("first-topic", 1), Source("other-topic", 3)])
    busy.join()
    assert not table.is_inserting([Source("first-topic", 3)])


def _blocks(total: int, rows: int) -> list[Block]:
    """Blocks whose rows fall into four months in turn, so that each INSERT makes four parts."""
    values = [
        FrameBuilder(sequence=index, start_us=START_US + (index % 4) * 31 * DAY_US + index * 1_000_000).record().value
        for index in range(total)
    ]
    return [
        RAWFRAMES.block(batch_of(values[first : first + rows], first_offset=first // 4))
        for first in range(0, total, rows)
    ]


def test_server_that_is_away_for_five_seconds_costs_nothing(server: ClickHouseServer) -> None:
    blocks = _blocks(4_000, 1_000)
    writer = open_writer(server.settings, RAWFRAMES)
    writer.store(blocks[0])
    server.kill()
    with ThreadPoolExecutor(1) as pool:
        stored = pool.submit(lambda: [writer.store(block) for block in blocks[1:]])
        time.sleep(5)
        assert not stored.done()
        server.start()
        assert [set(reasons) for reasons in stored.result(timeout=60)] == [{None}] * 3
    assert server.counts() == (4_000, 4_000)


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_in_the_middle_of_inserts(
    server: ClickHouseServer,
) -> None:
    rng = random.Random(int(os.environ.get("BRAIN_TEST_SEED", "20261123")))
    total, rows, kills = 20_000, 500, 6
    blocks = _blocks(total, rows)
    writer = open_writer(server.settings, RAWFRAMES)
    with ThreadPoolExecutor(1) as pool:
        stored = pool.submit(lambda: [writer.store(block) for block in blocks * 2])
        for _ in range(kills):
            time.sleep(rng.uniform(0.05, 0.4))
            server.kill()
            server.start()
        reasons = stored.result(timeout=120)
    assert {reason for part in reasons for reason in part} == {None}
    assert server.counts() == (total, total)
