from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recordings.recording import Recording
from edge.schedule import Addressed, Place, place_recordings
from edge.settings import EdgeSettings

NOW_MS = 1_700_000_000_000
EPOCH_S = 1_423_072_260.0
START = "2024-02-29T12:00:00+00:00"
START_MS = 1_709_208_000_000


def _addressed(address: str, start_s: float, samples: int = 10, *, dated: bool = False) -> Addressed:
    values = np.zeros((samples, 1))
    return address, Recording(address, "TEMP", ("value",), "degC", 1.0, values, start_s, dated)


def _places(recordings: list[Addressed], **flags: object) -> list[Place]:
    return place_recordings(recordings, EdgeSettings.load(flags), now_ms=NOW_MS)


def _first_ms(recordings: list[Addressed], places: list[Place]) -> list[float]:
    """Wall clock of the first sample of each."""
    return [place.start_ms + 1_000 * one.start_s for place, (_, one) in zip(places, recordings, strict=True)]


def test_dated_recordings_keep_their_dates_and_distances() -> None:
    recordings = [_addressed("b", EPOCH_S + 500, dated=True), _addressed("a", EPOCH_S, dated=True)]
    places = _places(recordings)
    assert _first_ms(recordings, places) == [1_000 * EPOCH_S + 500_000, 1_000 * EPOCH_S]
    assert [place.lag_s for place in places] == [500.0, 0.0]


def test_the_earliest_dated_recording_begins_at_the_start_that_is_asked_for() -> None:
    recordings = [
        _addressed("b", EPOCH_S + 500, dated=True), _addressed("a", EPOCH_S, dated=True), _addressed("c", 7.0),
    ]  # fmt: skip
    places = _places(recordings, start=START)
    assert _first_ms(recordings, places) == [START_MS + 500_000, START_MS, START_MS + 7_000]
    assert [place.lag_s for place in places] == [500.0, 0.0, 0.0]


def test_parts_of_an_undated_file_keep_their_distances_and_begin_together_with_the_others() -> None:
    recordings = [_addressed("a", 62_640.0), _addressed("a", 62_700.0), _addressed("b", 0.0)]
    places = _places(recordings, start=START)
    assert [place.lag_s for place in places] == [0.0, 60.0, 0.0]
    assert [place.start_ms for place in places] == [START_MS] * 3


@pytest.mark.parametrize(("speed", "gain"), [("1", 0.0), ("20", 0.95), ("max", 1.0)])
def test_now_lets_no_undated_sample_pass_the_clock(speed: str, gain: float) -> None:
    recordings = [_addressed("a", 62_640.0), _addressed("a", 62_700.0), _addressed("b", 0.0)]
    places = _places(recordings, speed=speed)
    assert _first_ms(recordings, places) == [NOW_MS - gain * 70_000 + after_ms for after_ms in (0, 60_000, 0)]


def test_one_after_another_begins_when_all_parts_of_the_one_before_have_ended() -> None:
    recordings = [_addressed("a", 5.0), _addressed("a", 65.0), _addressed("b", EPOCH_S, dated=True), _addressed("c", 0)]
    places = _places(recordings, start=START, one_after_another=True)
    assert [place.lag_s for place in places] == [0.0, 60.0, 70.0, 80.0]
    assert [place.start_ms for place in places[:2]] == [START_MS] * 2
    assert places[3].start_ms == START_MS + 80_000
    assert _first_ms(recordings, places)[2] == START_MS


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6), st.booleans()), min_size=1, max_size=12),
    st.sampled_from([{}, {"start": START}]),
    st.sampled_from([1.0, 20.0, 0.0]),
)
def test_distances_are_true_and_no_undated_sample_passes_the_clock(
    parts: list[tuple[str, int, bool]], start: dict[str, str], speed: float
) -> None:
    recordings = [_addressed(address, float(start_s), dated=dated) for address, start_s, dated in parts]
    places = _places(recordings, speed=speed, **start)
    assert min(place.lag_s for place in places) == 0.0
    first_ms = _first_ms(recordings, places)
    entries = list(zip(parts, places, first_ms, strict=True))
    for (address, start_s, dated), place, begins_ms in entries:
        for (other, other_s, other_dated), other_place, other_ms in entries:
            if (dated and other_dated) or (address, dated) == (other, other_dated):
                assert begins_ms - other_ms == 1_000 * (start_s - other_s)
                assert place.lag_s - other_place.lag_s == start_s - other_s
        if not start and not dated:
            # Sent when its ten samples have been taken; the clock then shows at least their end.
            sent_ms = NOW_MS + (0.0 if speed == 0.0 else 1_000 * (place.lag_s + 10) / speed)
            assert begins_ms + 10_000 <= sent_ms + 1
