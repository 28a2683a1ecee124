"""Which MQTT messages are on their way to the disk, so that each is acknowledged on the connection that can take it.

The number of a message (packet identifier) means something only to the session. When a connection breaks, the broker
sends all that is not acknowledged again, with the same number and marked as a duplicate. A message that is still on its
way is then not read a second time; one that reached the disk while there was no connection is acknowledged at once. And
no acknowledgement of an old connection may go to the new one, where its number may name another message.

A message whose acknowledgement was sent, but lost with the connection, comes again and is read again: nothing tells it
from another one that the broker sent under the freed number and that we never saw. Better twice than not at all.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import NamedTuple

_SEPARATOR = b"\x00"


class Delivery(NamedTuple):
    """One message as the broker delivered it; `duplicate` as the broker marks what it may have sent before."""

    number: int
    topic: str
    payload: bytes
    duplicate: bool


class _OnItsWay:
    """One message between its receipt and the disk; what it says, and nothing else, is compared."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest


class Deliveries:
    """The messages of one session; used from the network thread and from those that acknowledge.

    Args:
        send: sends the acknowledgement of a number on the present connection; called under the lock, so that no
            connection can end between the decision and the sending.
    """

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._sendable: set[int] = set()
        self._waiting: dict[int, _OnItsWay] = {}
        self._stored: dict[int, bytes] = {}

    @property
    def waiting(self) -> int:
        """Messages that are not on disk yet."""
        with self._lock:
            return len(self._waiting)

    def connected(self, session_present: bool) -> None:
        """A connection is up; without its session the broker has forgotten what it delivered, and begins anew."""
        with self._lock:
            if not session_present:
                self._waiting.clear()
                self._stored.clear()

    def disconnected(self) -> None:
        """The connection is gone: nothing is acknowledged until its message comes again."""
        with self._lock:
            self._sendable.clear()

    def receive(self, delivery: Delivery) -> Callable[[], None] | None:
        """Take a message.

        Returns:
            What to call when it is on disk; None if it need not be read, because it is known already.
        """
        digest = _digest(delivery)
        number = delivery.number
        with self._lock:
            if delivery.duplicate and self._stored.get(number) == digest:
                del self._stored[number]
                self._send(number)
                return None
            self._sendable.add(number)
            known = self._waiting.get(number)
            if delivery.duplicate and known is not None and known.digest == digest:
                return None
            # The number is free for another message: the session knows nothing of an older one any more.
            self._stored.pop(number, None)
            message = self._waiting[number] = _OnItsWay(digest)
        return lambda: self._on_disk(number, message)

    def _on_disk(self, number: int, message: _OnItsWay) -> None:
        with self._lock:
            if self._waiting.get(number) is not message:
                return
            del self._waiting[number]
            if number in self._sendable:
                self._sendable.discard(number)
                self._send(number)
            else:
                self._stored[number] = message.digest


def _digest(delivery: Delivery) -> bytes:
    topic = delivery.topic.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(topic + _SEPARATOR + delivery.payload, digest_size=16).digest()
