"""kill -9 of an agent's spool and sending loop at random moments; an oracle that is never killed counts what arrives.

    python -m tests.chaos.spool_kills --kills 1000 --seed 1

The oracle is source, receiver and judge. Each life of the child opens the spool, appends and commits groups and tells
the oracle (the acknowledgement to the source), while its loop sends what is in the spool to the oracle. The oracle
holds reports back and shuffles them, and what is on its way at a kill is lost. The last life is not killed and drains
the spool. Prints one JSON line:

    acknowledged  records of which a source was told that they are safe
    lost          of those, never arrived
    duplicated    arrived again without the flag `resent`
    altered       arrived with other bytes than were appended
    phantom       arrived and were never appended

kill -9 keeps the kernel's pages, so this proves the logic and not the syncs: `tests.chaos.spool_schedules` does that.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import selectors
import signal
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import TypeVar

from schemas.envelope import EventEnvelope, unseal
from tests.chaos.spool_child import ISSUED, RECORD, SOURCE_FRAME, live, make_value

T = TypeVar("T")
_REPORT = struct.Struct("<Q")


class Oracle:
    """What was issued, acknowledged and delivered, by life and sequence."""

    def __init__(self) -> None:
        self.issued: dict[int, int] = {}
        self.acknowledged: dict[int, int] = {}
        self.delivered: dict[tuple[int, int], int] = {}
        self.resent = self.duplicated = self.altered = self.phantom = 0

    def told(self, kind: int, life: int, end: int) -> None:
        """The source issued, or was told to be safe, everything of a life before `end`."""
        (self.issued if kind == ISSUED else self.acknowledged)[life] = end

    def deliver(self, value: bytes) -> None:
        """A record has arrived."""
        envelope = unseal(value)
        life, sequence = int(envelope.boot_id), envelope.sequence
        if sequence >= self.issued.get(life, 0):
            self.phantom += 1
        resent, envelope.resent = envelope.resent, False
        if EventEnvelope.FromString(make_value(life, sequence)).payload != envelope.payload:
            self.altered += 1
        seen = self.delivered.get((life, sequence), 0)
        self.delivered[life, sequence] = seen + 1
        self.resent += resent
        self.duplicated += seen > 0 and not resent

    def lost(self) -> int:
        """How many of the acknowledged never arrived."""
        ends = self.acknowledged.items()
        return sum((life, sequence) not in self.delivered for life, end in ends for sequence in range(end))


class Life:
    """One child from its start to its end, as the oracle sees it."""

    def __init__(self, oracle: Oracle, directory: Path, number: int, *, dice: random.Random, last: bool) -> None:
        self._oracle = oracle
        self._dice = dice
        self._last = last
        self._source, source_end = socket.socketpair()
        self._receiver, receiver_end = socket.socketpair()
        self._buffers = {self._source: bytearray(), self._receiver: bytearray()}
        self._inbox: list[tuple[int, bytes]] = []
        self._held: list[int] = []
        self.first_record_s: float | None = None
        self._begin_s = time.monotonic()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                self._source.close()
                self._receiver.close()
                live(directory, number, source_end, receiver_end, drain_only=last)
                status = 0
            finally:
                os._exit(status)
        source_end.close()
        receiver_end.close()

    def run(self, duration_s: float) -> None:
        """Serve the child, kill it after `duration_s` (the last one ends by itself), and hear what its source heard."""
        deadline_s = self._begin_s + duration_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._source, selectors.EVENT_READ)
            selector.register(self._receiver, selectors.EVENT_READ)
            while selector.get_map() and (self._last or time.monotonic() < deadline_s):
                for key, _ in selector.select(0.002):
                    if not self._take(key.fileobj):  # type: ignore[arg-type]
                        selector.unregister(key.fileobj)
                self._report()
        self._end()

    def _end(self) -> None:
        if not self._last:
            os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        expected = 0 if self._last else signal.SIGKILL
        if status != expected:
            raise SystemExit(f"the child ended with status {status}, expected {expected}")
        while self._take(self._source):
            pass
        for channel in self._buffers:
            channel.close()

    def _some(self, items: list[T]) -> tuple[list[T], list[T]]:
        """Some of the items, and the rest; of the last life all."""
        self._dice.shuffle(items)
        keep = 0 if self._last else self._dice.randrange(len(items) + 1) // 2
        return items[keep:], items[:keep]

    def _take(self, channel: socket.socket) -> bool:
        """Read what is there; False at the end of the channel."""
        try:
            data = channel.recv(1 << 18)
        except ConnectionResetError:
            return False
        buffer = self._buffers[channel]
        buffer += data
        used = self._parse_source(buffer) if channel is self._source else self._parse_records(buffer)
        del buffer[:used]
        return bool(data)

    def _parse_source(self, buffer: bytearray) -> int:
        used = len(buffer) - len(buffer) % SOURCE_FRAME.size
        for frame in SOURCE_FRAME.iter_unpack(buffer[:used]):
            self._oracle.told(*frame)
        return used

    def _parse_records(self, buffer: bytearray) -> int:
        used = 0
        while len(buffer) - used >= RECORD.size:
            number, size = RECORD.unpack_from(buffer, used)
            if len(buffer) - used - RECORD.size < size:
                break
            self.first_record_s = self.first_record_s or time.monotonic() - self._begin_s
            self._inbox.append((number, bytes(buffer[used + RECORD.size : used + RECORD.size + size])))
            used += RECORD.size + size
        return used

    def _report(self) -> None:
        """Store some of what has come, and report some of what is stored, both in any order."""
        stored, self._inbox = self._some(self._inbox)
        for number, value in stored:
            self._oracle.deliver(value)
            self._held.append(number)
        reported, self._held = self._some(self._held)
        try:
            self._receiver.sendall(b"".join(map(_REPORT.pack, reported)))
        except (BrokenPipeError, ConnectionResetError):
            return


def run(kills: int, seed: int, directory: Path) -> dict[str, object]:
    """All lives on one spool; the report."""
    dice, oracle = random.Random(seed), Oracle()
    first_records_s: list[float] = []
    begin_s = time.monotonic()
    for number in range(kills + 1):
        life = Life(oracle, directory, number, dice=dice, last=number == kills)
        # Some are killed while they still recover.
        life.run(dice.choice([dice.uniform(0.0, 0.01), dice.uniform(0.0, 0.15)]))
        if life.first_record_s is not None:
            first_records_s.append(life.first_record_s)
    first_records_s.sort()
    return {
        "seed": seed,
        "kills": kills,
        "acknowledged": sum(oracle.acknowledged.values()),
        "delivered": len(oracle.delivered),
        "resent": oracle.resent,
        "lost": oracle.lost(),
        "duplicated": oracle.duplicated,
        "altered": oracle.altered,
        "phantom": oracle.phantom,
        "start_to_first_send_ms_p99": round(first_records_s[int(len(first_records_s) * 0.99)] * 1_000, 1),
        "seconds": round(time.monotonic() - begin_s),
    }


def main() -> None:
    """Run it on a new directory and print the report; the exit code says whether it was clean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        report = run(options.kills, options.seed, Path(directory) / "spool")
    print(json.dumps(report))
    if any(report[name] for name in ("lost", "duplicated", "altered", "phantom")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
