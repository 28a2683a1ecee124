"""A job goes on from its newest complete state, found by the job's name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.runtime.recovery import job_folder, newest_checkpoint
from schemas.errors import SettingsError


def complete(folder: Path, when_s: int) -> Path:
    folder.mkdir(parents=True)
    metadata = folder / "_metadata"
    metadata.touch()
    os.utime(metadata, (when_s, when_s))
    return folder


def test_each_job_has_a_folder_below_the_base() -> None:
    assert job_folder("file:///data/checkpoints/", "sessionizer") == "file:///data/checkpoints/sessionizer"
    assert job_folder("", "sessionizer") == ""


def test_the_newest_complete_checkpoint_of_any_run_is_found(tmp_path: Path) -> None:
    complete(tmp_path / "run-1" / "chk-90", when_s=1_000)
    newest = complete(tmp_path / "run-2" / "chk-7", when_s=3_000)
    complete(tmp_path / "savepoint-abc", when_s=2_000)
    (tmp_path / "run-2" / "chk-8").mkdir()
    assert newest_checkpoint(tmp_path.as_uri()) == newest.as_uri()
    assert newest_checkpoint(str(tmp_path)) == newest.as_uri()


def test_a_savepoint_counts_when_it_is_newer(tmp_path: Path) -> None:
    complete(tmp_path / "run-1" / "chk-90", when_s=1_000)
    savepoint = complete(tmp_path / "savepoint-abc", when_s=2_000)
    assert newest_checkpoint(tmp_path.as_uri()) == savepoint.as_uri()


def test_a_job_without_state_begins_anew(tmp_path: Path) -> None:
    assert newest_checkpoint((tmp_path / "nothing").as_uri()) is None


def test_a_folder_that_cannot_be_searched_is_named() -> None:
    with pytest.raises(SettingsError, match="s3://bucket"):
        newest_checkpoint("s3://bucket/checkpoints/sessionizer")
