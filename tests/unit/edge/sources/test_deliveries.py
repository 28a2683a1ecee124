from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.sources.deliveries import Deliveries, Delivery


def _delivery(number: int, payload: bytes, *, duplicate: bool = False) -> Delivery:
    return Delivery(number, "lab/d1", payload, duplicate)


def test_a_message_is_acknowledged_when_it_is_on_disk_and_not_before() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"21.5"))
    assert on_disk is not None
    assert (sent, deliveries.waiting) == ([], 1)
    on_disk()
    on_disk()
    assert (sent, deliveries.waiting) == ([7], 0)


def test_an_old_acknowledgement_does_not_reach_a_new_connection() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"old"))
    deliveries.disconnected()
    deliveries.connected(session_present=False)
    newer = deliveries.receive(_delivery(7, b"new"))
    assert on_disk is not None
    assert newer is not None
    on_disk()
    assert sent == []
    newer()
    assert sent == [7]


def test_a_message_that_comes_again_while_it_is_being_stored_is_read_once() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"21.5"))
    deliveries.disconnected()
    deliveries.connected(session_present=True)
    assert deliveries.receive(_delivery(7, b"21.5", duplicate=True)) is None
    assert on_disk is not None
    on_disk()
    assert sent == [7]


def test_a_message_stored_without_a_connection_is_acknowledged_when_it_comes_again() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"21.5"))
    deliveries.disconnected()
    assert on_disk is not None
    on_disk()
    assert sent == []
    deliveries.connected(session_present=True)
    assert deliveries.receive(_delivery(7, b"21.5", duplicate=True)) is None
    assert sent == [7]
    assert deliveries.receive(_delivery(7, b"21.5")) is not None


class Session(RuleBasedStateMachine):
    """A broker that sends numbered messages, redelivers after each reconnection, and reuses numbers it got back.

    Every message has a content of its own, so what is read can be told apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unacknowledged: dict[int, bytes] = {}
        self.acknowledged: set[bytes] = set()
        self.stored: set[bytes] = set()
        self.read: list[bytes] = []
        self.waiting: list[tuple[bytes, Callable[[], None]]] = []
        self.up = True
        self.made = 0
        self.deliveries = Deliveries(self._acknowledge)
        self.deliveries.connected(session_present=False)

    def _acknowledge(self, number: int) -> None:
        assert self.up
        payload = self.unacknowledged.pop(number)
        assert payload in self.stored, "acknowledged before it was on disk"
        self.acknowledged.add(payload)

    def _deliver(self, number: int, *, duplicate: bool) -> None:
        payload = self.unacknowledged[number]
        on_disk = self.deliveries.receive(_delivery(number, payload, duplicate=duplicate))
        if on_disk is not None:
            self.read.append(payload)
            self.waiting.append((payload, on_disk))

    @precondition(lambda self: self.up and len(self.unacknowledged) < 4)
    @rule()
    def publish(self) -> None:
        number = next(one for one in range(1, 6) if one not in self.unacknowledged)
        self.made += 1
        self.unacknowledged[number] = str(self.made).encode()
        self._deliver(number, duplicate=False)

    @precondition(lambda self: self.waiting)
    @rule()
    def store(self) -> None:
        payload, on_disk = self.waiting.pop(0)
        self.stored.add(payload)
        on_disk()

    @precondition(lambda self: self.up)
    @rule()
    def lose_connection(self) -> None:
        self.up = False
        self.deliveries.disconnected()

    @precondition(lambda self: not self.up)
    @rule()
    def reconnect(self) -> None:
        self.up = True
        self.deliveries.connected(session_present=True)
        for number in list(self.unacknowledged):
            self._deliver(number, duplicate=True)

    @invariant()
    def each_message_is_read_once(self) -> None:
        assert len(self.read) == len(set(self.read))

    def teardown(self) -> None:
        if not self.up:
            self.reconnect()
        while self.waiting:
            self.store()
        assert self.unacknowledged == {}
        assert self.acknowledged == set(self.read)


TestSession = Session.TestCase
TestSession.settings = settings(max_examples=60, stateful_step_count=30)
