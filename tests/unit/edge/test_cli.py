from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import edge.cli
from edge.cli import app
from edge.errors import DeliveryError
from edge.identity import Identity
from edge.interruption import Interruption
from edge.plan import ReplayPlan
from edge.recordings.files import FORMATS
from edge.recordings.recording import Recording
from edge.replay import ReplayRun, ReplaySummary, send_plan
from edge.settings import EdgeSettings
from edge.testing import ManualClock, MemorySender, write_gaitpdb_text
from schemas.envelope import unseal


class SentInMemory:
    """Stands where `edge.replay.replay` opens a Kafka connection, and keeps what it was asked for."""

    def __init__(self, sender: MemorySender) -> None:
        self.sender = sender
        self.settings: EdgeSettings | None = None

    def __call__(self, plan: ReplayPlan, settings: EdgeSettings, **options: object) -> ReplaySummary:
        self.settings = settings
        run = ReplayRun(
            plan=plan,
            sender=self.sender,
            framing=settings.framing(),
            clock=ManualClock(),
            on_progress=options["on_progress"],  # type: ignore[arg-type]
        )
        return send_plan(run, speed=settings.speed)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentInMemory]:
    memory = SentInMemory(MemorySender())
    monkeypatch.setattr(edge.cli, "replay_plan", memory)
    # The commands listen for signals; the test process gets its own handlers back.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield memory
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def recording_file(walk: Recording, tmp_path: Path) -> Path:
    return write_gaitpdb_text(walk, tmp_path / "WalkCo01_01.txt")


def _identity(sender: MemorySender) -> Identity:
    envelope = unseal(sender.records[0].value)
    return Identity(envelope.tenant_id, envelope.site_id, envelope.device_id, envelope.session_id, envelope.boot_id)


def test_replay_sends_every_frame_and_sums_up(sent: SentInMemory, recording_file: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(recording_file), "--speed", "max"])
    assert result.exit_code == 0, result.output
    assert len(sent.sender.records) == 13
    assert "acknowledged" in result.stdout
    assert " 13 " in result.stdout
    assert _identity(sent.sender).device_id == "WalkCo01_01"


def test_options_overrule_the_settings(
    sent: SentInMemory, recording_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAIN_EDGE_TENANT_ID", "other")
    names = ["--tenant", "t", "--site", "p", "--device", "d", "--session", "s", "--boot-id", "b"]
    target = ["--bootstrap", "k:1", "--topic", "x"]
    time = ["--speed", "20", "--start", "2024-01-01T00:00:00Z", "--limit-seconds", "2", "--one-after-another"]
    result = CliRunner().invoke(app, ["replay", str(recording_file), *names, *target, *time])
    assert result.exit_code == 0, result.output
    assert _identity(sent.sender) == Identity("t", "p", "d", "s", "b")
    assert sent.settings is not None
    assert (sent.settings.bootstrap_servers, sent.settings.topic, sent.settings.speed) == ("k:1", "x", 20.0)
    assert sent.settings.one_after_another
    assert [unseal(record.value).sensor_timestamp_ms for record in sent.sender.records] == [
        1_704_067_200_000,
        1_704_067_201_000,
    ]


def test_a_bad_recording_is_named_the_good_one_sent_and_the_exit_code_says_it(
    sent: SentInMemory, recording_file: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.txt"
    lines = recording_file.read_text().splitlines()
    bad.write_text("\n".join([lines[0], "0.0\theel"]))
    result = CliRunner().invoke(app, ["replay", str(bad), str(recording_file), "--speed", "max"])
    assert result.exit_code == 1
    assert len(sent.sender.records) == 13
    assert f"not sent: {bad}: line 2 has 2 columns instead of 19" in result.stderr
    assert "Correct or leave out" in result.stderr


def test_a_file_of_no_known_kind_is_named_with_the_kinds_that_are(sent: SentInMemory, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary")
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "notes.txt")])
    assert result.exit_code == 1
    assert "notes.txt: is of none of the known formats (gaitpdb, " in result.stderr
    assert "Traceback" not in result.stderr


def test_every_format_is_listed_with_its_address_and_named_in_the_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    listed = CliRunner().invoke(app, ["formats"]).stdout
    help_text = CliRunner().invoke(app, ["replay", "--help"]).stdout
    for known in FORMATS:
        assert known.example in listed
        assert known.name in listed
        assert known.name in help_text
    assert max(map(len, listed.splitlines())) <= 100


def test_wrong_settings_end_before_anything_is_sent(sent: SentInMemory, recording_file: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(recording_file), "--speed", "fast", "--tenant", "a b"])
    assert result.exit_code == 2
    assert "speed" in result.stderr
    assert "tenant_id" in result.stderr
    assert "Traceback" not in result.stderr
    assert sent.settings is None


def test_a_delivery_error_is_shown_with_the_next_step(
    recording_file: Path, monkeypatch: pytest.MonkeyPatch, sent: SentInMemory
) -> None:
    def no_topic(*args: object, **options: object) -> ReplaySummary:
        raise DeliveryError("topic 'rawframes': unknown")

    monkeypatch.setattr(edge.cli, "replay_plan", no_topic)
    result = CliRunner().invoke(app, ["replay", str(recording_file)])
    assert result.exit_code == 1
    assert "topic 'rawframes': unknown" in result.stderr
    assert "brain-stack init" in result.stderr
    assert "Traceback" not in result.stderr


def test_refused_frames_are_reported_in_summary_and_exit_code(sent: SentInMemory, recording_file: Path) -> None:
    sent.sender = MemorySender(refuse=lambda record: True)
    result = CliRunner().invoke(app, ["replay", str(recording_file), "--speed", "max"])
    assert result.exit_code == 1
    assert "refused" in result.stderr


def test_run_walks_and_sends(sent: SentInMemory) -> None:
    options = [
        "--source",
        "synthetic-gait",
        "--device",
        "walker-9",
        "--duration-s",
        "6",
        "--seed",
        "4",
        "--speed",
        "max",
    ]
    result = CliRunner().invoke(app, ["run", "--source", "synthetic-gait", *options])
    assert result.exit_code == 0, result.output
    assert len(sent.sender.records) == 6
    assert _identity(sent.sender).device_id == "walker-9"


def test_run_names_an_impossible_walk(sent: SentInMemory) -> None:
    result = CliRunner().invoke(app, ["run", "--source", "synthetic-gait", "--asymmetry", "3"])
    assert result.exit_code == 2
    assert "asymmetry=3 is not within -0.2 to 0.2" in result.stderr


def test_two_starts_have_two_boot_ids(sent: SentInMemory, recording_file: Path) -> None:
    for _ in range(2):
        CliRunner().invoke(app, ["replay", str(recording_file), "--speed", "max", "--limit-seconds", "1"])
    boots = {unseal(record.value).boot_id for record in sent.sender.records}
    assert len(boots) == 2


def test_signals_are_counted_and_never_raised(sent: SentInMemory) -> None:
    interruption = Interruption()
    interruption.listen()
    assert not interruption.asked
    os.kill(os.getpid(), signal.SIGINT)
    assert interruption.asked
    assert not interruption.insisted
    os.kill(os.getpid(), signal.SIGTERM)
    assert interruption.insisted
