from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.framing import BlockEncoding, Framing
from edge.identity import Boot
from edge.interruption import Interruption
from edge.plan import ReplayPlan, plan_recordings
from edge.recordings.recording import Recording
from edge.records import plan_records
from edge.replay import Progress, ReplayRun, send_plan
from edge.settings import EdgeSettings
from edge.testing import ManualClock, MemorySender
from schemas.envelope import Record, unseal
from schemas.proto.envelope_pb2 import EventEnvelope, SampleBlock
from udfs.frames import validate_frames

Plan = Callable[..., ReplayPlan]


@pytest.fixture
def plan(walk: Recording, boot: Boot) -> Plan:
    """Plans `count` recordings of 13 blocks, with settings as flags."""

    def make(count: int, **flags: object) -> ReplayPlan:
        recordings = [(f"w{n}.txt", replace(walk, name=f"w{n}")) for n in range(count)]
        return plan_recordings(recordings, EdgeSettings.load(flags), boot=boot)

    return make


def _run(plan: ReplayPlan, sender: MemorySender, **options: object) -> ReplayRun:
    given = {"framing": Framing(), "clock": ManualClock(), **options}
    return ReplayRun(plan=plan, sender=sender, **given)  # type: ignore[arg-type]


def _envelopes(records: list[Record]) -> list[EventEnvelope]:
    return [unseal(record.value) for record in records]


def test_every_frame_is_sent_once_and_the_summary_says_so(plan: Plan) -> None:
    sender = MemorySender()
    summary = send_plan(_run(plan(3), sender), speed=0.0)
    assert summary.ok
    assert (summary.frames_read, summary.delivery.sent, summary.delivery.acknowledged) == (39, 39, 39)
    assert [item.recording.name for item in summary.recordings] == ["w0", "w1", "w2"]
    assert Counter(envelope.device_id for envelope in _envelopes(sender.records)) == {"w0": 13, "w1": 13, "w2": 13}
    assert len({envelope.event_id for envelope in _envelopes(sender.records)}) == 39
    assert sender.closed


def test_recordings_are_interleaved_as_in_life(plan: Plan) -> None:
    sender = MemorySender()
    send_plan(_run(plan(2), sender), speed=0.0)
    devices = [envelope.device_id for envelope in _envelopes(sender.records)]
    assert devices == ["w0", "w1"] * 13


def test_one_after_another_does_not_interleave(plan: Plan) -> None:
    sender = MemorySender()
    send_plan(_run(plan(2, one_after_another=True), sender), speed=0.0)
    devices = [envelope.device_id for envelope in _envelopes(sender.records)]
    assert devices == ["w0"] * 13 + ["w1"] * 13


@pytest.mark.parametrize("flags", [{}, {"device_id": "d"}, {"device_id": "d", "one_after_another": True}])
def test_sequence_has_no_gap_and_never_goes_back_within_a_device(flags: dict[str, object], plan: Plan) -> None:
    sender = MemorySender()
    send_plan(_run(plan(3, **flags), sender), speed=0.0)
    by_device: dict[str, list[int]] = {}
    for envelope in _envelopes(sender.records):
        by_device.setdefault(envelope.device_id, []).append(envelope.sequence)
    assert all(sequences == list(range(len(sequences))) for sequences in by_device.values())
    assert len({envelope.event_id for envelope in _envelopes(sender.records)}) == 39


def _readings(sensor_type: str, start_s: float, values: NDArray[np.float64]) -> Recording:
    unit = {"TEMP": "degC", "CO2": "ppm"}[sensor_type]
    return Recording("room", sensor_type, ("value",), unit, 1 / 60, values[:, None], start_s, dated=True)


@pytest.fixture
def room(boot: Boot) -> ReplayPlan:
    """A device with two sensors, one of which pauses for ten minutes: 5 + 3 + 4 frames."""
    parts = [_readings("TEMP", 600.0, np.arange(5.0)), _readings("TEMP", 1_500.0, np.arange(3.0))]
    other = _readings("CO2", 630.0, np.arange(400.0, 404.0))
    return plan_recordings([("room.csv", part) for part in (*parts, other)], EdgeSettings.load({}), boot=boot)


def test_sensors_of_a_device_share_one_sequence_in_the_order_of_their_readings(room: ReplayPlan) -> None:
    sender = MemorySender()
    assert send_plan(_run(room, sender), speed=0.0).ok
    envelopes = _envelopes(sender.records)
    assert [(envelope.sensor_type, envelope.sensor_timestamp_ms // 1_000) for envelope in envelopes] == [
        ("TEMP", 600), ("CO2", 630), ("TEMP", 660), ("CO2", 690), ("TEMP", 720), ("CO2", 750),
        ("TEMP", 780), ("CO2", 810), ("TEMP", 840), ("TEMP", 1_500), ("TEMP", 1_560), ("TEMP", 1_620),
    ]  # fmt: skip
    assert [envelope.sequence for envelope in envelopes] == list(range(12))
    assert len({envelope.event_id for envelope in envelopes}) == 12
    assert {(envelope.device_id, envelope.session_id) for envelope in envelopes} == {("room", "room")}
    # Each part says when it began itself.
    assert [envelope.session_start_ms // 1_000 for envelope in envelopes[-4:]] == [600, 1_500, 1_500, 1_500]


def test_parts_keep_their_distances_in_the_pace(room: ReplayPlan) -> None:
    clock, sender = ManualClock(), MemorySender()
    begin_ms = clock.now_ms()
    send_plan(_run(room, sender, clock=clock), speed=60.0)
    sent_s = [(envelope.ingest_timestamp_ms - begin_ms) / 1_000 for envelope in _envelopes(sender.records)]
    due_min = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 16, 17, 18]
    assert sent_s == pytest.approx(due_min, abs=0.002)


@pytest.mark.parametrize("made", ["plan of walks", "room"])
def test_replay_sends_the_records_of_the_plan_but_for_the_time_of_taking(
    made: str, plan: Plan, room: ReplayPlan
) -> None:
    sender, chosen = MemorySender(), room if made == "room" else plan(3, device_id="d")
    send_plan(_run(chosen, sender, clock=ManualClock(99_000)), speed=0.0)
    offline = list(plan_records(chosen.items, Framing()))
    assert [record.key for record in sender.records] == [record.key for record in offline]
    assert [record.headers for record in sender.records] == [record.headers for record in offline]
    for sent, expected in zip(_envelopes(sender.records), _envelopes(offline), strict=True):
        assert sent.ingest_timestamp_ms == 99_000
        sent.ingest_timestamp_ms = expected.ingest_timestamp_ms
        sent.crc32 = expected.crc32
        assert sent == expected


def test_frames_that_may_have_gone_before_are_marked(plan: Plan) -> None:
    for resent in (False, True):
        sender = MemorySender()
        send_plan(_run(plan(1), sender, resent=resent), speed=0.0)
        assert {envelope.resent for envelope in _envelopes(sender.records)} == {resent}


def test_speed_sets_the_pace_and_every_block_waits_for_its_last_sample(plan: Plan) -> None:
    clock = ManualClock()
    begin_ms = clock.now_ms()
    sender = MemorySender()
    summary = send_plan(_run(plan(1), sender, clock=clock), speed=2.0)
    assert summary.duration_s == pytest.approx(12.34 / 2)
    taken_s = [(envelope.ingest_timestamp_ms - begin_ms) / 1_000 for envelope in _envelopes(sender.records)]
    assert taken_s == pytest.approx([*(k / 2 for k in range(1, 13)), 12.34 / 2], abs=0.002)


def test_no_sensor_time_is_ahead_of_the_clock_that_sends_it(plan: Plan, boot: Boot) -> None:
    for speed in (1.0, 20.0, 0.0):
        sender = MemorySender()
        send_plan(_run(plan(2, speed=speed), sender, clock=ManualClock(boot.now_ms)), speed=speed)
        for envelope in _envelopes(sender.records):
            block = SampleBlock.FromString(envelope.payload)
            end_ms = block.start_us / 1_000 + block.sample_count * 10
            assert end_ms <= envelope.ingest_timestamp_ms + 1


def test_progress_ends_with_everything_acknowledged(plan: Plan) -> None:
    seen: list[Progress] = []
    send_plan(_run(plan(2), MemorySender(), on_progress=seen.append), speed=0.0)
    assert {progress.frames for progress in seen} == {26}
    assert [progress.frames_read for progress in seen] == sorted(progress.frames_read for progress in seen)
    assert seen[-1].delivery.acknowledged == 26


def test_a_recording_that_cannot_be_framed_leaves_its_neighbours_alone(plan: Plan) -> None:
    made = plan(3, device_id="d")
    item = made.items[1]
    loud = item.recording.samples.copy()
    loud[250, 3] = 4_000.0
    broken = replace(item, recording=replace(item.recording, samples=loud))
    sender = MemorySender()
    run = _run(
        replace(made, items=(made.items[0], broken, made.items[2])),
        sender,
        framing=Framing(encoding=BlockEncoding.SCALED_INT16),
    )
    summary = send_plan(run, speed=0.0)
    assert not summary.ok
    assert [recording.recording.name for recording in summary.recordings] == ["w0", "w2"]
    assert [bad.address for bad in summary.bad] == ["w1"]
    assert "4000" in str(summary.bad[0])
    sequences = [envelope.sequence for envelope in _envelopes(sender.records)]
    assert sequences == list(range(13 + 2 + 13))


def test_a_refused_frame_ends_the_replay_by_name_and_the_rest_is_waited_for(plan: Plan) -> None:
    sender = MemorySender(refuse=lambda record: unseal(record.value).sequence == 4)
    summary = send_plan(_run(plan(1), sender), speed=0.0)
    assert not summary.ok
    assert summary.failure == "refused"
    assert (summary.delivery.sent, summary.delivery.acknowledged, summary.delivery.failed) == (5, 4, 1)
    assert sender.closed


def test_an_interruption_stops_reading_and_waits_for_what_was_sent(plan: Plan) -> None:
    interruption, sender, clock = Interruption(), MemorySender(), ManualClock()

    def stop_at_three(progress: Progress) -> None:
        if clock.monotonic_s() >= 3.5 and not interruption.asked:
            interruption.request()

    run = _run(plan(1), sender, clock=clock, interruption=interruption, on_progress=stop_at_three)
    summary = send_plan(run, speed=1.0)
    assert summary.interrupted
    assert not summary.ok
    assert (summary.frames_read, summary.delivery.acknowledged) == (3, 3)
    assert clock.monotonic_s() < 4.0
    assert sender.closed


def test_a_plan_with_bad_recordings_is_sent_and_is_not_ok(plan: Plan, walk: Recording, boot: Boot) -> None:
    made = plan_recordings([("a", walk), ("a", walk)], EdgeSettings.load({}), boot=boot)
    summary = send_plan(_run(made, MemorySender()), speed=0.0)
    assert summary.delivery.acknowledged == 13
    assert len(summary.bad) == 1
    assert not summary.ok


def test_every_frame_of_the_edge_passes_the_validation_of_the_sessionizer(plan: Plan, boot: Boot) -> None:
    for encoding in BlockEncoding:
        sender = MemorySender()
        run = _run(plan(3, speed="max"), sender, framing=Framing(encoding=encoding), clock=ManualClock(boot.now_ms))
        send_plan(run, speed=0.0)
        verdicts = validate_frames(
            [record.key for record in sender.records],
            [record.value for record in sender.records],
            [record.headers["sensor_ms"] for record in sender.records],
            [boot.now_ms] * len(sender.records),
        )
        assert set(verdicts.reason) == {None}
        assert np.all(verdicts.bucket_ms >= 0)
