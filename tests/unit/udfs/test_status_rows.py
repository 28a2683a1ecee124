"""device-status: status events become rows, everything else does not."""

from __future__ import annotations

from edge.agent.devices import Device, Sensor
from edge.agent.statements import Statement, status_record
from edge.identity import Identity
from edge.instant import Instant
from schemas.envelope import RecordKey, heartbeat
from schemas.row_codec import decode_row, encode_row
from schemas.rows import DEVICE_STATUS
from tests.builders import FrameBuilder
from udfs.status_rows import describe_status

WHO = Identity(tenant_id="lab", site_id="hall", device_id="room-1", session_id="live", boot_id="b0")


def test_a_status_event_is_a_row_that_says_the_same() -> None:
    device = Device("mqtt", read=12, spooled=11, rejected=1, sensors={"CO2": Sensor(5, silent=True)})
    said = Statement("silent", "mqtt", "CO2: nothing for 60 s")
    record = status_record(WHO, 7, said, Instant(1_760_000_000_123, 5_000, synchronised=True), device)
    (row,) = describe_status([record.value], [1_760_000_000_500])
    assert row is not None
    read = decode_row(DEVICE_STATUS, encode_row(DEVICE_STATUS, row))
    assert (read["tenant_id"], read["device_id"], read["boot_id"], read["sequence"]) == ("lab", "room-1", "b0", 7)
    assert (read["state"], read["source"], read["detail"]) == ("silent", "mqtt", "CO2: nothing for 60 s")
    assert (read["read_count"], read["spooled_count"], read["rejected_count"]) == (12, 11, 1)
    assert (read["silent_sensors"], read["clock_synchronised"], read["monotonic_ms"]) == (["CO2"], True, 5_000)
    assert (read["sensor_timestamp_ms"], read["last_append_ms"]) == (1_760_000_000_123, 1_760_000_000_500)


def test_heartbeats_measurements_and_nonsense_are_no_rows() -> None:
    beat = heartbeat(RecordKey("brain", "ticker-0", "heartbeat", "STATUS"), "boot-1", 3, 1_760_000_000_000)
    values = [beat.value, FrameBuilder().record().value, b"", b"nonsense"]
    assert describe_status(values, [0] * len(values)) == [None] * len(values)
