"""The child that is killed: a spool, a thread that fills it and the loop that sends from it, over two sockets."""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
import time
from pathlib import Path

from edge.errors import DeliveryError
from edge.pace import SystemClock
from edge.senders.sender import DeliveryReport, OnDelivery
from edge.spool.drain import Drain
from edge.spool.errors import SpoolFull
from edge.spool.settings import DrainSettings, SpoolSettings
from edge.spool.spool import Spool
from schemas.envelope import SCHEMA_VERSION, Record, make_event_id, seal
from schemas.headers import SENSOR_MS
from schemas.proto.envelope_pb2 import EventEnvelope

ISSUED, ACKNOWLEDGED = 0, 1
SOURCE_FRAME = struct.Struct("<BIQ")
"""Kind, life, end of the sequence numbers."""
RECORD = struct.Struct("<QI")
"""Number within the life, bytes of the value that follows."""

GROUP_RECORDS = 50


def make_value(life: int, sequence: int) -> bytes:
    """The sealed envelope of one event: a function of its name alone, so that the judge can make it again."""
    dice = random.Random(f"{life}/{sequence}")
    return seal(
        EventEnvelope(
            event_id=make_event_id("lab", "device", str(life), sequence),
            schema_version=SCHEMA_VERSION,
            tenant_id="lab",
            device_id="device",
            boot_id=str(life),
            sequence=sequence,
            payload=dice.randbytes(dice.randrange(300)),
        )
    )


def live(directory: Path, life: int, source: socket.socket, receiver: socket.socket, *, drain_only: bool) -> None:
    """Run until killed; with `drain_only` until nothing is left in the spool."""
    settings = SpoolSettings(
        directory=directory, segment_bytes=64 * 1024, max_bytes=4 * 1024**2, min_free_bytes=0, keep_acknowledged_s=0.0
    )
    spool = Spool.open(settings)
    drain = Drain(spool, lambda: SocketSender(receiver), DrainSettings(cursor_ms=20), clock=SystemClock())
    if not drain_only:
        threading.Thread(target=_fill, args=(spool, life, source), daemon=True).start()
    drain.run(lambda: not drain_only or spool.stats().depth_records > 0)
    drain.close(5.0)
    spool.close()


def _fill(spool: Spool, life: int, source: socket.socket) -> None:
    """Append and commit groups, and tell the source what is safe, for ever."""
    sequence = 0
    while True:
        size = random.randrange(1, GROUP_RECORDS)
        values = [make_value(life, sequence + index) for index in range(size)]
        records = [Record(b"lab/device/s/TEMP", value, {SENSOR_MS: b"0"}) for value in values]
        source.sendall(SOURCE_FRAME.pack(ISSUED, life, sequence + size))
        while True:
            try:
                spool.append(records)
                break
            except SpoolFull:
                time.sleep(0.001)
        spool.commit()
        sequence += size
        source.sendall(SOURCE_FRAME.pack(ACKNOWLEDGED, life, sequence))


class SocketSender:
    """A `Sender` to the oracle."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._waiting: dict[int, OnDelivery] = {}
        self._number = 0
        self._received = bytearray()

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Write one record."""
        if on_delivery is None:
            raise DeliveryError("nobody waits for this record")
        self._waiting[self._number] = on_delivery
        self._channel.sendall(RECORD.pack(self._number, len(record.value)) + record.value)
        self._number += 1

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Read the reports that are there."""
        readable, _, _ = select.select([self._channel], [], [], timeout_s)
        if readable:
            self._received += self._channel.recv(1 << 16)
        whole = len(self._received) - len(self._received) % 8
        for (number,) in struct.iter_unpack("<Q", self._received[:whole]):
            self._waiting.pop(number)(None)
        del self._received[:whole]
        return DeliveryReport()

    def close(self) -> DeliveryReport:
        """Nothing to do: the oracle holds the other end."""
        return DeliveryReport()
