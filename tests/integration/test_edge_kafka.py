"""The edge agent on a real broker: everything that is sent arrives once, in its place, whatever the broker does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import DeliveryError
from edge.framing import Framing
from edge.identity import Boot, Identity
from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.plan import PlannedRecording, ReplayPlan, plan_recordings
from edge.recordings.synthetic_gait import synthesize_gait
from edge.records import plan_records
from edge.replay import Progress, ReplaySummary, replay
from edge.senders.kafka import KafkaSender
from edge.settings import EdgeSettings
from edge.testing import write_gaitpdb_text
from schemas.envelope import unseal
from schemas.topics import APPEND_TIME, TopicSpec
from stack.endpoints import StackEndpoints
from stack.settings import StackSettings
from stack.supervision import Supervisor
from stack.topics import ensure_topics

pytestmark = pytest.mark.integration

PARTITIONS = 4
WALKERS = 6
WALK_S = 40.0
FRAMES = WALKERS * 40
FREEZE_S = 4.0

NewTopicName = Callable[..., str]


@pytest.fixture
def new_topic(stack: StackEndpoints, request: pytest.FixtureRequest) -> Iterator[NewTopicName]:
    """Makes topics of this test alone, with the append time that rawframes has."""
    made: list[str] = []

    def make(**config: str) -> str:
        name = f"edge-{request.node.name[:60]}-{len(made)}".replace("[", "-").replace("]", "")
        ensure_topics(stack.kafka_bootstrap, [TopicSpec(name, PARTITIONS, {**APPEND_TIME, **config})])
        made.append(name)
        return name

    yield make
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    for deleted in admin.delete_topics(made).values():
        deleted.result(30)


@pytest.fixture
def settings_for(stack: StackEndpoints) -> Callable[..., EdgeSettings]:
    def make(topic: str, **flags: object) -> EdgeSettings:
        return EdgeSettings.load({"bootstrap_servers": stack.kafka_bootstrap, "topic": topic, **flags})

    return make


def _plan(settings: EdgeSettings) -> ReplayPlan:
    walks = [(f"w{n}", synthesize_gait(WALK_S, seed=n, name=f"w{n}").recording) for n in range(WALKERS)]
    return plan_recordings(walks, settings, boot=Boot("b0", SystemClock().now_ms()))


def _read_all(bootstrap: str, topic: str) -> list[Message]:
    """Everything in the topic, up to the ends at the time of the call."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    try:
        places = [TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)]
        count = sum(consumer.get_watermark_offsets(place, timeout=30)[1] for place in places)
        consumer.assign(places)
        messages: list[Message] = []
        deadline_s = time.monotonic() + 60
        while len(messages) < count:
            assert time.monotonic() < deadline_s, f"{len(messages)} of {count} records"
            messages += consumer.consume(1_000, timeout=1.0)
    finally:
        consumer.close()
    assert all(message.error() is None for message in messages)
    return messages


def _murmur2(key: bytes) -> int:
    """Kafka's own hash of a key, after `org.apache.kafka.common.utils.Utils.murmur2`."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    value = (0x9747B28C ^ len(key)) & mask
    whole = len(key) - len(key) % 4
    for begin in range(0, whole, 4):
        part = int.from_bytes(key[begin : begin + 4], "little") * multiplier & mask
        part = (part ^ part >> 24) * multiplier & mask
        value = (value * multiplier & mask) ^ part
    if len(key) > whole:
        value = (value ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return value ^ value >> 15


def _jvm_partition(key: bytes) -> int:
    return (_murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def _assert_complete(plan: ReplayPlan, summary: ReplaySummary, messages: list[Message]) -> None:
    """Every frame of the plan is in the topic exactly once, in order, in the partition of its key."""
    assert summary.ok, (summary.delivery, summary.failure)
    assert summary.delivery.acknowledged == FRAMES == len(messages)
    sent = {unseal(record.value).event_id: record for record in plan_records(plan.items, Framing())}
    arrived = {unseal(message.value() or b"").event_id: message for message in messages}
    assert arrived.keys() == sent.keys()
    for event_id, record in sent.items():
        message = arrived[event_id]
        assert message.key() == record.key
        assert dict(message.headers() or []) == record.headers
        assert message.partition() == _jvm_partition(record.key)
        assert message.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME
        expected, envelope = unseal(record.value), unseal(message.value() or b"")
        assert envelope.payload == expected.payload
        assert envelope.sequence == expected.sequence
    _assert_in_order(messages)


def _assert_in_order(messages: list[Message]) -> None:
    last: dict[bytes, int] = {}
    for message in sorted(messages, key=lambda message: (message.partition(), message.offset())):
        key, sequence = message.key() or b"", unseal(message.value() or b"").sequence
        assert sequence == last.get(key, -1) + 1
        last[key] = sequence


def test_hash_of_the_test_is_the_hash_of_the_jvm() -> None:
    """Known answers of Kafka's own test, UtilsTest.testMurmur2."""
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    assert {key: _murmur2(key) & 0xFFFFFFFF for key in known} == {key: h & 0xFFFFFFFF for key, h in known.items()}


def test_all_frames_arrive_once_with_key_header_and_partition(
    stack: StackEndpoints, new_topic: NewTopicName, settings_for: Callable[..., EdgeSettings]
) -> None:
    settings = settings_for(new_topic(), speed="max")
    plan = _plan(settings)
    summary = replay(plan, settings, clock=SystemClock())
    _assert_complete(plan, summary, _read_all(stack.kafka_bootstrap, settings.topic))


def test_a_second_replay_under_the_same_boot_id_sends_the_same_events_marked_as_resent(
    stack: StackEndpoints, new_topic: NewTopicName, settings_for: Callable[..., EdgeSettings]
) -> None:
    settings = settings_for(new_topic(), speed="max", boot_id="b7", start="2024-01-01T00:00:00Z")
    for _ in range(2):
        assert replay(_plan(settings), settings, clock=SystemClock()).ok
    envelopes = [unseal(message.value() or b"") for message in _read_all(stack.kafka_bootstrap, settings.topic)]
    assert len(envelopes) == 2 * FRAMES
    assert len({envelope.event_id for envelope in envelopes}) == FRAMES
    assert all(envelope.resent for envelope in envelopes)


def _freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(FREEZE_S, os.kill, (pid, signal.SIGCONT)).start()


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("disturb", [_freeze, _kill], ids=["frozen", "killed"])
def test_a_broker_that_is_away_loses_and_doubles_nothing(
    disturb: Callable[[int], None],
    stack: StackEndpoints,
    stack_settings: StackSettings,
    new_topic: NewTopicName,
    settings_for: Callable[..., EdgeSettings],
) -> None:
    settings = settings_for(new_topic(), speed=10.0)
    plan = _plan(settings)
    pid = Supervisor(stack_settings.stack_home()).states()["kafka"].pid
    disturbed_at: list[int] = []
    longest_wait = 0

    def on_progress(progress: Progress) -> None:
        nonlocal longest_wait
        longest_wait = max(longest_wait, progress.delivery.pending)
        if not disturbed_at and progress.delivery.acknowledged >= FRAMES // 4:
            disturbed_at.append(progress.frames_read)
            disturb(pid)

    summary = replay(plan, settings, clock=SystemClock(), on_progress=on_progress)
    assert disturbed_at
    assert disturbed_at[0] < FRAMES, "the broker went away while frames were still to come"
    assert longest_wait >= WALKERS, "frames waited for the broker"
    _assert_complete(plan, summary, _read_all(stack.kafka_bootstrap, settings.topic))


def test_a_broker_that_comes_later_is_waited_for(
    stack: StackEndpoints,
    stack_settings: StackSettings,
    new_topic: NewTopicName,
    settings_for: Callable[..., EdgeSettings],
) -> None:
    settings = settings_for(new_topic(), speed="max")
    plan = _plan(settings)
    _freeze(Supervisor(stack_settings.stack_home()).states()["kafka"].pid)
    begin_s = time.monotonic()
    summary = replay(plan, settings, clock=SystemClock())
    assert time.monotonic() - begin_s >= FREEZE_S - 0.5
    _assert_complete(plan, summary, _read_all(stack.kafka_bootstrap, settings.topic))


def test_a_full_queue_slows_the_reader_and_drops_nothing(
    stack: StackEndpoints, new_topic: NewTopicName, settings_for: Callable[..., EdgeSettings]
) -> None:
    settings = settings_for(new_topic(), speed="max", queue_max_frames=5)
    plan = _plan(settings)
    pending: list[int] = []
    summary = replay(
        plan, settings, clock=SystemClock(), on_progress=lambda progress: pending.append(progress.delivery.pending)
    )
    assert max(pending) <= 5
    _assert_complete(plan, summary, _read_all(stack.kafka_bootstrap, settings.topic))


def test_a_topic_that_does_not_exist_is_named_before_anything_is_sent(
    settings_for: Callable[..., EdgeSettings],
) -> None:
    settings = settings_for("no-such-topic")
    with pytest.raises(DeliveryError, match=r"no-such-topic.*[Uu]nknown"):
        replay(_plan(settings), settings, clock=SystemClock())


def test_a_frame_that_the_topic_refuses_is_named_and_the_others_arrive(
    stack: StackEndpoints, new_topic: NewTopicName, settings_for: Callable[..., EdgeSettings]
) -> None:
    settings = settings_for(new_topic(**{"max.message.bytes": "20000"}), batch_max_bytes=10_000, compression="none")
    walk = synthesize_gait(5.0, seed=1).recording
    small, large = (
        [PlannedRecording(walk, Identity("t", "s", device_id, "x", "b"), 0, 0.0)] for device_id in ("fine", "huge")
    )
    fine = list(plan_records(small, Framing()))
    (huge,) = plan_records(large, Framing(block_s=5.0))
    sender = KafkaSender(
        settings.kafka_config(), topic=settings.topic, clock=SystemClock(), interruption=Interruption()
    )
    for record in (*fine, huge):
        sender.send(record)
    with pytest.raises(DeliveryError, match=r"t/huge/x/GRF.*too large") as caught:
        sender.close()
    assert (caught.value.sent, caught.value.acknowledged, caught.value.failed) == (6, 5, 1)
    assert [message.value() for message in _read_all(stack.kafka_bootstrap, settings.topic)] == [
        record.value for record in fine
    ]


def test_the_command_line_sends_a_recording_and_names_the_bad_one(
    stack: StackEndpoints, new_topic: NewTopicName, tmp_path: Path
) -> None:
    topic = new_topic()
    good = write_gaitpdb_text(synthesize_gait(5.0, seed=1).recording, tmp_path / "good.txt")
    bad = tmp_path / "bad.txt"
    bad.write_text(good.read_text().splitlines()[0] + "\n0\theel\n")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        options = ["--speed", "max", "--bootstrap", stack.kafka_bootstrap, "--topic", topic]
        result = CliRunner().invoke(app, ["replay", str(good), str(bad), *options])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert result.exit_code == 1, result.output
    assert f"{bad}: line 2 has 2 columns" in result.stderr
    assert {message.key() for message in _read_all(stack.kafka_bootstrap, topic)} == {b"local/good/good/GRF"}
    assert len(_read_all(stack.kafka_bootstrap, topic)) == 5
