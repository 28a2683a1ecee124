"""The jobs on a real cluster: bad input, order, clocks, savepoints and what the command line says."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.recordings.synthetic_gait import synthesize_gait
from jobs.runtime.registry import JOBS
from schemas.envelope import MAX_FRAME_BYTES, Record
from schemas.headers import BUCKET_MS, ORIGIN, SENSOR_MS
from schemas.rows import FEATURES_HEALTH, INFERENCE_RESULT, SESSION_FEATURES, Row
from tests.builders import START_US, FrameBuilder, scalar_records, wave_records
from tests.line import Line, Message

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def session_id() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


def meaning(row: Row, values: dict[str, Any], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in (*row.arrival, *without)}


def test_all_jobs_run_under_their_own_names(line: Line) -> None:
    assert set(line.live()) == set(JOBS)
    listed = line.run("brain-jobs", "list").stdout
    assert listed.count("RUNNING") == len(JOBS)
    status = line.run("brain-jobs", "status").stdout
    assert all(name in status for name in JOBS)


def test_submitting_again_leaves_running_jobs_alone(line: Line) -> None:
    before = {name: job.job_id for name, job in line.live().items()}
    assert line.submit("all").count("runs already") == len(JOBS)
    assert {name: job.job_id for name, job in line.live().items()} == before


def bad_records(session_id: str) -> dict[str, Record]:
    """One record of each kind of bad input, by the reason it must get."""
    good = FrameBuilder(session_id=session_id, boot_id=session_id, sequence=500).record()
    flipped = bytearray(good.value)
    flipped[30] ^= 1
    nan, infinity = np.array([[np.nan]]), np.array([[np.inf]])
    unknown_version = FrameBuilder(session_id=session_id, boot_id=session_id).envelope()
    unknown_version.schema_version = 9
    from schemas.envelope import to_record

    return {
        "empty": dataclasses.replace(good, value=b""),
        "missing_checksum": dataclasses.replace(good, value=good.value[:50]),
        "checksum_mismatch": dataclasses.replace(good, value=bytes(flipped)),
        "oversized": dataclasses.replace(good, value=b"\x00" * (MAX_FRAME_BYTES + 1)),
        "key_mismatch": dataclasses.replace(good, key=f"lab/someone-else/{session_id}/TEMP".encode()),
        "header_mismatch": dataclasses.replace(good, headers={"sensor_ms": b"12"}),
        "non_finite_value": FrameBuilder(session_id=session_id, boot_id=session_id, sequence=501, samples=nan).record(),
        "non_finite_value/infinity": FrameBuilder(
            session_id=session_id, boot_id=session_id, sequence=502, samples=infinity
        ).record(),
        "unknown_sensor": FrameBuilder(session_id=session_id, boot_id=session_id, sensor_type="SEISMO").record(),
        "unknown_schema_version": to_record(unknown_version),
    }


def test_bad_frames_become_dead_letters_with_their_bytes_and_good_neighbours_pass(line: Line, session_id: str) -> None:
    bad = bad_records(session_id)
    good = scalar_records(30, session_id=session_id, boot_id=session_id)
    mixed = [*good, *bad.values()]
    random.Random(4).shuffle(mixed)
    line.send(mixed)

    def dead() -> list[Message]:
        return line.read("rawframes-dlq", lambda message: session_id.encode() in (message.key or b""))

    line.wait_until(lambda: len(dead()) >= len(bad), "the dead letters")
    letters = {(message.headers["reason"].decode(), message.key, message.value or b"") for message in dead()}
    assert letters == {(name.split("/")[0], record.key, record.value) for name, record in bad.items()}
    for letter in dead():
        assert letter.headers["detail"]
        assert letter.headers["stage"] == b"sessionizer"
        assert letter.headers["source_topic"] == b"rawframes"
    (session,) = line.wait_for_rows(SESSION_FEATURES, 1, session_id=session_id, device_id="walker-1")
    assert (session["frames"], session["completeness"]) == (30, 1.0)
    assert [line.restarts(name) for name in ("sessionizer", "frame_filter")] == [0, 0]
    line.wait_until(
        lambda: (
            line.query("SELECT count() FROM brain.dead_letters FINAL WHERE key LIKE %(k)s", k=f"%{session_id}%")
            == [(len(bad),)]
        ),
        "the dead letters in ClickHouse",
    )


def test_good_frames_are_copied_as_they_came_and_bad_ones_are_not(line: Line, session_id: str) -> None:
    good = scalar_records(30, session_id=session_id, boot_id=session_id)
    line.send([*bad_records(session_id).values(), *good])

    def of_this_test(topic: str) -> list[Message]:
        return line.read(topic, lambda message: session_id.encode() in (message.key or b""))

    line.wait_until(lambda: len(of_this_test("rawframes-processed")) >= len(good), "the copies")
    copies = of_this_test("rawframes-processed")
    assert [(copy.key, copy.value) for copy in copies] == [(record.key, record.value) for record in good]
    originals = {message.value: message for message in of_this_test("rawframes")}
    for copy in copies:
        original = originals[copy.value]
        assert (copy.partition, copy.timestamp_ms) == (original.partition, original.timestamp_ms)
        assert copy.headers.keys() == {SENSOR_MS, BUCKET_MS, ORIGIN}
        assert copy.headers[SENSOR_MS] == original.headers[SENSOR_MS]
        assert copy.headers[BUCKET_MS] == str(START_US // 1000).encode()
    offsets = [int(copy.headers[ORIGIN].split(b"/")[2]) for copy in copies]
    assert offsets == sorted(set(offsets))


def test_rows_that_a_job_cannot_read_become_its_dead_letters(line: Line, session_id: str) -> None:
    key = f"lab/walker-1/{session_id}/GRF".encode()
    for topic in ("session-features", "features-health", "inference-requests"):
        line.send([Record(key, b"{not json", {})], topic)
        line.wait_until(
            lambda topic=topic: bool(  # type: ignore[misc]
                line.read(f"{topic}-dlq", lambda message: message.key == key and message.value == b"{not json")
            ),
            f"the dead letter of {topic}",
        )
    assert [line.restarts(name) for name in ("feature_base", "inference_trigger", "inference")] == [0, 0, 0]


def test_order_copies_and_speed_change_no_value(line: Line, session_id: str) -> None:
    walk = synthesize_gait(45.0, seed=11).recording.samples
    devices = ("straight", "shuffled", "slow")
    straight, shuffled, slow = (
        wave_records(walk, session_id=session_id, boot_id=session_id, device_id=name) for name in devices
    )
    line.send(straight)
    # What the edge sends again carries a flag; only flagged frames are looked up before they are stored.
    again = wave_records(walk, session_id=session_id, boot_id=session_id, device_id="shuffled", resent=True)
    mixed = shuffled + again[5:15]
    random.Random(9).shuffle(mixed)
    line.send(mixed)
    for first in range(0, len(slow), 9):
        line.send(slow[first : first + 9])
        time.sleep(1.0)
    for row in (SESSION_FEATURES, FEATURES_HEALTH, INFERENCE_RESULT):
        found = {values["device_id"]: values for values in line.wait_for_rows(row, 3, session_id=session_id)}
        assert set(found) == set(devices)
        ids = ("device_id", "request_id")
        expected = meaning(row, found["straight"], without=ids)
        assert meaning(row, found["shuffled"], without=ids) == expected
        assert meaning(row, found["slow"], without=ids) == expected
    stored = line.query(
        "SELECT device_id, count(), uniqExact(event_id) FROM brain.rawframes WHERE session_id = %(s)s "
        "GROUP BY device_id ORDER BY device_id",
        s=session_id,
    )
    assert {device: (rows, unique) for device, rows, unique in stored} == dict.fromkeys(devices, (45, 45))


def test_a_wrong_clock_harms_nobody_else(line: Line, session_id: str) -> None:
    year_2099_us = 4_070_908_800_000_000
    line.send(
        FrameBuilder(
            session_id=session_id,
            boot_id=session_id,
            device_id=device,
            sequence=index,
            start_us=start_us + index * 1_000_000,
            session_start_ms=start_us // 1000,
        ).record()
        for index in range(10)
        for device, start_us in (("in-2099", year_2099_us), ("in-1970", 0), ("right", START_US))
    )
    rows = {row["device_id"]: row for row in line.wait_for_rows(SESSION_FEATURES, 3, session_id=session_id)}
    assert {device: row["clock"] for device, row in rows.items()} == {
        "in-2099": "ahead",
        "in-1970": "unset",
        "right": "ok",
    }
    assert {row["frames"] for row in rows.values()} == {10}


@pytest.mark.parametrize("job", ["sessionizer", "frame_filter"])
def test_a_stopped_job_does_not_cut_sessions(line: Line, session_id: str, job: str) -> None:
    walk = synthesize_gait(90.0, seed=12).recording.samples
    records = wave_records(walk, session_id=session_id, boot_id=session_id)
    stopped = threading.Event()

    def send_a_frame_each_half_second() -> None:
        for record in records:
            line.send([record])
            # The walker goes on until the job has been away for longer than the idle pause.
            stopped.wait(0.5)

    walker = threading.Thread(target=send_a_frame_each_half_second)
    walker.start()
    savepoint = line.run("brain-jobs", "savepoint", job, "--stop").stdout.split()[-1]
    assert job not in line.live()
    time.sleep(10)
    stopped.set()
    walker.join()
    line.submit(job, "--from", savepoint)
    session = line.wait_for_rows(SESSION_FEATURES, 1, session_id=session_id)
    health = line.wait_for_rows(FEATURES_HEALTH, 1, session_id=session_id)
    assert [(row["frames"], row["duplicate_frames"]) for row in session] == [(90, 0)]
    assert [row["frames"] for row in health] == [90]


def test_a_cancelled_job_goes_on_from_its_newest_checkpoint(line: Line, session_id: str) -> None:
    line.run("brain-jobs", "cancel", "clickhouse_ingest")
    line.send(scalar_records(20, session_id=session_id, boot_id=session_id))
    line.submit("clickhouse_ingest")
    line.wait_for_rows(SESSION_FEATURES, 1, session_id=session_id)
    frames = "SELECT count(), uniqExact(event_id) FROM brain.rawframes WHERE session_id = %(s)s"
    line.wait_until(lambda: line.query(frames, s=session_id) == [(20, 20)], "20 frames, each once")
    assert line.query("SELECT count() - uniqExact(event_id) FROM brain.rawframes") == [(0,)]


def test_flink_run_works_as_typed(line: Line) -> None:
    job = line.live()["feature_base"].job_id
    line.run("brain-jobs", "cancel", "feature_base")
    line.run("flink", "run", "-d", "-py", str(REPOSITORY / "jobs" / "feature_base.py"))
    line.wait_until(lambda: "feature_base" in line.live() and line.all_running(), "feature_base to run")
    assert line.live()["feature_base"].job_id != job
    assert "feature_base" in line.run("flink", "list").stdout
