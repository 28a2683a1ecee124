"""Offline scoring: a file in, one session a line out, by the functions that the jobs call."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.recordings.synthetic_gait import synthesize_gait
from edge.settings import EdgeSettings
from edge.testing import write_gaitpdb_text
from jobs.runtime.offline import Format, offline_rows, write_rows
from models import load_card, load_onnx
from schemas.health import GAIT_FEATURE_NAMES
from schemas.rows import FEATURES_HEALTH, INFERENCE_RESULT, SESSION_FEATURES
from udfs.line import LineSettings
from udfs.scorer import Scorer

MODEL = "gait_parkinson_v1"
START = "2026-03-01T10:29:15+00:00"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "walker_01.txt"
    return write_gaitpdb_text(synthesize_gait(60.0, seed=5).recording, path)


def scored(paths: list[Path], output: Format) -> tuple[str, int, int]:
    settings = EdgeSettings.load({"start": START, "tenant_id": "lab"})
    line = LineSettings([Scorer.load(load_onnx(MODEL), load_card(MODEL))], 0.7, append_ms=1_780_000_000_000)
    devices, bad = offline_rows([str(path) for path in paths], settings, line)
    stream = io.StringIO()
    count = write_rows(devices, output, stream)
    return stream.getvalue(), count, len(bad)


def test_a_recording_is_one_json_object_with_the_rows_of_every_stage(recording: Path) -> None:
    text, count, bad = scored([recording], Format.JSONL)
    (line,) = [json.loads(line) for line in text.splitlines()]
    assert (count, bad) == (1, 0)
    assert tuple(line["session"]) == SESSION_FEATURES.column_names
    assert tuple(line["health_features"]) == FEATURES_HEALTH.column_names
    assert tuple(line["inference_result"]) == INFERENCE_RESULT.column_names
    assert line["session"]["device_id"] == "walker_01"
    assert line["session"]["session_start_ms"] == 1_772_360_955_000
    assert (line["session"]["frames"], line["session"]["completeness"]) == (60, 1.0)
    assert [row["channel"] for row in line["base_features"]] == line["session"]["channels"]
    assert line["health_features"]["stride_time_mean_s"] == pytest.approx(1.1, abs=0.02)
    score = line["inference_result"]["score"]
    card = load_card(MODEL)
    assert line["inference_result"]["label"] == card.labels[score >= card.threshold]
    assert (line["inference_alert"] is not None) == (score >= 0.7)


def test_csv_has_one_line_a_session_with_its_features_and_score(recording: Path) -> None:
    text, count, _ = scored([recording], Format.CSV)
    (row,) = list(csv.DictReader(io.StringIO(text)))
    assert count == 1
    assert set(GAIT_FEATURE_NAMES) <= row.keys()
    assert 0.0 <= float(row["score"]) <= 1.0


def test_a_bad_recording_is_named_and_the_others_are_scored(recording: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text("1.0 2.0\n")
    text, count, bad = scored([broken, recording], Format.JSONL)
    assert (count, bad) == (1, 1)
    assert json.loads(text)["session"]["device_id"] == "walker_01"


def test_a_standing_person_gets_a_result_that_says_why_there_is_no_score(tmp_path: Path) -> None:
    walk = synthesize_gait(30.0, seed=5).recording
    standing = replace(walk, samples=np.full_like(walk.samples, 40.0))
    path = write_gaitpdb_text(standing, tmp_path / "standing_01.txt")
    text, _, _ = scored([path], Format.JSONL)
    result = json.loads(text)["inference_result"]
    assert (result["score"], result["label"]) == (None, "not_scored")
    assert result["reason"] == json.loads(text)["health_features"]["quality"] != "ok"
