"""What an agent has recorded is replayed as it was: the same measurements at the same times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.framing import Framing
from edge.identity import Boot
from edge.interruption import Interruption
from edge.plan import plan_replay
from edge.recordings.frames import MAGIC, frame_bytes, read_recordings, recognises
from edge.records import plan_records
from edge.senders.file import FileSender
from edge.settings import EdgeSettings
from schemas.envelope import Record, unseal
from schemas.errors import RecordingError
from schemas.meshes import mesh_payload
from schemas.samples import decode_samples
from tests.builders import START_US, FrameBuilder, counter_record, scan_record, wave_records
from tests.builders_scans import exported
from tests.unit.edge.agent.sources_for_tests import ListSource, agent_of, reading
from udfs.records import open_block

BOOT = Boot("b0", 1_700_000_000_000)


def kept(path: Path, records: list[Record]) -> str:
    sender = FileSender(path)
    for record in records:
        sender.send(record)
    assert sender.close().acknowledged == len(records)
    return str(path)


def test_every_kind_of_measurement_comes_back_at_its_own_time(tmp_path: Path) -> None:
    walk = np.random.default_rng(1).normal(300.0, 50.0, (350, 16))
    records = [
        *wave_records(walk),
        FrameBuilder(sequence=20, sample_rate_hz=0.0, start_us=START_US + 77).record(),
        counter_record(1_234_567.01, sequence=21, at_s=5),
        scan_record(mesh_payload(exported("ply"), "ply", side="left"), sequence=22, at_s=6),
    ]
    address = kept(tmp_path / "lab.frames", records)
    assert recognises(Path(address))
    plan = plan_replay([address], EdgeSettings(), boot=BOOT)
    assert not plan.bad, plan.bad
    again = [unseal(record.value) for record in plan_records(plan.items, Framing())]
    before = [unseal(record.value) for record in records]

    def content(envelope: object) -> tuple[object, ...]:
        layout, block = open_block(envelope)  # type: ignore[arg-type]
        return layout.sensor.sensor_type, block.start_us, block.sample_rate_hz, decode_samples(block).tolist()

    assert sorted(map(content, again), key=repr) == sorted(map(content, before), key=repr)
    assert {envelope.device_id for envelope in again} == {"walker-1"}
    assert {envelope.boot_id for envelope in again} == {"b0"}


def test_a_start_moves_all_of_them_together(tmp_path: Path) -> None:
    address = kept(tmp_path / "lab.frames", wave_records(np.full((350, 16), 100.0)))
    settings = EdgeSettings.load({"start": "2026-03-01T10:00:00+00:00"})
    plan = plan_replay([address], settings, boot=BOOT)
    frames = [unseal(record.value) for record in plan_records(plan.items, Framing())]
    begin_ms = 1_772_359_200_000
    assert [frame.sensor_timestamp_ms - begin_ms for frame in frames] == [0, 1_000, 2_000, 3_000]
    limited = plan_replay([address], EdgeSettings.load({"limit_s": 2.0}), boot=BOOT)
    assert len(list(plan_records(limited.items, Framing()))) == 2


def test_what_an_agent_kept_is_what_its_source_gave(tmp_path: Path) -> None:
    sender = FileSender(tmp_path / "lab.frames")
    agent_of(tmp_path / "spool", [ListSource("s", [reading("room", i) for i in range(30)])], sender).run(Interruption())
    sender.close()
    (recording,) = read_recordings(str(tmp_path / "lab.frames"))
    assert (recording.name, recording.sensor_type, len(recording.taken)) == ("room", "TEMP", 30)
    assert [one.start_us for one in recording.taken] == [reading("room", i).measurement.start_us for i in range(30)]


@given(cut=st.integers(0, 400), flip=st.one_of(st.none(), st.integers(10, 400)))
def test_a_damaged_file_is_refused_with_the_byte(
    cut: int, flip: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(MAGIC + b"".join(frame_bytes(record.value) for record in wave_records(np.zeros((150, 2)))))
    if flip is not None:
        content[flip] ^= 1
    path = tmp_path_factory.mktemp("damaged") / "x.frames"
    path.write_bytes(bytes(content[: len(content) - cut]))
    if not recognises(path):
        return
    try:
        recordings = read_recordings(str(path))
    except RecordingError as error:
        assert "byte" in error.detail or "no measurement" in error.detail
    else:
        # Only a cut between two frames leaves a whole file.
        assert flip is None and sum(len(one.taken) for one in recordings) in (1, 2)
