from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.backoff import Backoff
from edge.sources.inbox import Inbox
from edge.sources.source import Receipt
from edge.sources.topic_template import Named, TopicTemplate


@given(st.integers(0, 6), st.data())
def test_a_receipt_acknowledges_once_when_it_is_sealed_and_all_its_parts_are_on_disk(
    parts: int, data: st.DataObject
) -> None:
    calls: list[str] = []
    receipt = Receipt(lambda: calls.append("acknowledged"))
    steps = [*(receipt.part() for _ in range(parts)), receipt.seal]
    order = data.draw(st.permutations(range(len(steps))))
    for place in order[:-1]:
        steps[place]()
        if place < parts:
            # A part may be told twice.
            steps[place]()
        assert calls == []
    steps[order[-1]]()
    assert calls == ["acknowledged"]


@given(st.floats(0.01, 1.0), st.floats(1.0, 60.0), st.integers(0, 2**32))
def test_back_off_doubles_within_its_bounds_and_starts_again(first_s: float, longest_s: float, seed: int) -> None:
    backoff = Backoff(first_s, longest_s, random.Random(seed))
    for number in range(12):
        whole_s = min(first_s * 2.0**number, longest_s)
        assert whole_s / 2.0 <= backoff.next_s() <= whole_s
    backoff.reset()
    assert backoff.next_s() <= first_s


def test_a_full_inbox_waits_for_room_and_gives_up_in_time_or_with_the_stop() -> None:
    stop = threading.Event()
    inbox: Inbox[int] = Inbox(1, stop)
    assert inbox.put(1)
    assert not inbox.put(2, timeout_s=0.1)
    assert inbox.take() == 1
    assert inbox.take() is None
    assert inbox.put(3)
    stop.set()
    assert not inbox.put(4)


@pytest.mark.parametrize(
    ("template", "topic_filter", "topic", "want"),
    [
        ("lab/{device}/{sensor}", "lab/+/+", "lab/d1/TEMP", Named("d1", "TEMP")),
        ("lab/{device}/{sensor}", "lab/+/+", "lab/d1/TEMP/x", None),
        ("lab/{device}/{sensor}", "lab/+/+", "hall/d1/TEMP", None),
        ("{device}/+/state", "+/+/state", "d1/x/state", Named("d1", None)),
        ("{device}/#", "+/#", "d1/a/b/c", Named("d1", None)),
        ("{device}/#", "+/#", "d1", Named("d1", None)),
        ("a.c/data", "a.c/data", "abc/data", None),
        ("plain/topic", "plain/topic", "plain/topic", Named(None, None)),
        ("/{device}", "/+", "/d1", Named("d1", None)),
        ("{device}", "+", "", Named("", None)),
    ],
)
def test_a_template_stands_for_topics(template: str, topic_filter: str, topic: str, want: Named | None) -> None:
    one = TopicTemplate(template)
    assert one.topic_filter == topic_filter
    assert one.read(topic) == want


@pytest.mark.parametrize("template", ["a/#/b", "a/x+", "{room}/x", "{device}/{device}", "a/{device", "a#"])
def test_a_template_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"want \{device\}"):
        TopicTemplate(template)
