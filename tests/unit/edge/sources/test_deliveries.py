from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
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


def test_a_message_is_not_acknowledged_on_a_connection_that_has_not_brought_it() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"21.5"))
    deliveries.disconnected()
    deliveries.connected(session_present=True)
    assert on_disk is not None
    on_disk()
    assert sent == []
    assert deliveries.receive(_delivery(7, b"21.5", duplicate=True)) is None
    assert sent == [7]


def test_a_number_that_the_broker_uses_anew_forgets_what_it_meant() -> None:
    sent: list[int] = []
    deliveries = Deliveries(sent.append)
    deliveries.connected(session_present=False)
    on_disk = deliveries.receive(_delivery(7, b"21.5"))
    deliveries.disconnected()
    assert on_disk is not None
    on_disk()
    deliveries.connected(session_present=True)
    assert deliveries.receive(_delivery(7, b"21.5")) is not None
    deliveries.disconnected()
    deliveries.connected(session_present=True)
    assert deliveries.receive(_delivery(7, b"21.5", duplicate=True)) is None
    assert sent == []


class Message(NamedTuple):
    """What a broker holds; two may say the same."""

    made: int
    payload: bytes


class Session(RuleBasedStateMachine):
    """A broker that sends numbered messages, sends them again after each reconnection, and reuses free numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.unacknowledged: dict[int, Message] = {}
        self.brought: set[int] = set()
        self.stored: set[int] = set()
        self.read: list[int] = []
        self.waiting: list[tuple[Message, Callable[[], None]]] = []
        self.up = True
        self.made = 0
        self.lost: set[int] = set()
        self.deliveries = Deliveries(self._acknowledge)
        self.deliveries.connected(session_present=False)

    def _acknowledge(self, number: int) -> None:
        assert number in self.brought, "acknowledged on a connection that has not brought it"
        message = self.unacknowledged.pop(number)
        assert message.made in self.stored, "acknowledged before it was on disk"

    def _deliver(self, number: int, *, duplicate: bool) -> None:
        message = self.unacknowledged[number]
        self.brought.add(number)
        on_disk = self.deliveries.receive(_delivery(number, message.payload, duplicate=duplicate))
        if on_disk is not None:
            self.read.append(message.made)
            self.waiting.append((message, on_disk))

    @precondition(lambda self: self.up and len(self.unacknowledged) < 3)
    @rule(payload=st.sampled_from([b"21.5", b"22"]))
    def publish(self, payload: bytes) -> None:
        number = next(one for one in range(1, 4) if one not in self.unacknowledged)
        self.made += 1
        self.unacknowledged[number] = Message(self.made, payload)
        self._deliver(number, duplicate=False)

    @precondition(lambda self: self.waiting)
    @rule(place=st.integers(0, 2))
    def store(self, place: int) -> None:
        message, on_disk = self.waiting.pop(min(place, len(self.waiting) - 1))
        self.stored.add(message.made)
        on_disk()

    @precondition(lambda self: self.up)
    @rule(unseen=st.sampled_from([None, b"21.5", b"22"]))
    def lose_connection(self, unseen: bytes | None) -> None:
        if unseen is not None and len(self.unacknowledged) < 3:
            # Sent, but never received: it will come as a duplicate of nothing that we know.
            self.made += 1
            number = next(one for one in range(1, 4) if one not in self.unacknowledged)
            self.unacknowledged[number] = Message(self.made, unseen)
        self.up = False
        self.brought.clear()
        self.deliveries.disconnected()

    @precondition(lambda self: not self.up)
    @rule(session_present=st.booleans())
    def reconnect(self, session_present: bool) -> None:
        self.up = True
        if not session_present:
            self.lost |= {message.made for message in self.unacknowledged.values()}
            self.unacknowledged.clear()
        self.deliveries.connected(session_present=session_present)

    @precondition(lambda self: self.up and self.unacknowledged.keys() - self.brought)
    @rule()
    def send_again(self) -> None:
        self._deliver(min(self.unacknowledged.keys() - self.brought), duplicate=True)

    @invariant()
    def each_message_is_read_once(self) -> None:
        assert len(self.read) == len(set(self.read))

    def teardown(self) -> None:
        if not self.up:
            self.reconnect(session_present=True)
        while self.unacknowledged.keys() - self.brought:
            self.send_again()
        while self.waiting:
            self.store(place=0)
        assert self.unacknowledged == {}
        assert set(self.read) | self.lost == set(range(1, self.made + 1))


TestSession = Session.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=30)
