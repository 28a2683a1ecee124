from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import numpy as np

from edge.instant import InstantClock
from edge.measurement import Samples
from edge.recordings.recording import Recording
from edge.sources.build import build_source
from edge.sources.replaying import ReplaySource
from edge.sources.settings import ReplaySettings
from edge.testing import ManualClock, write_gaitpdb_text
from tests.collecting_outlet import CollectingOutlet


def _replay(*addresses: Path, clock: ManualClock, **more: Any) -> CollectingOutlet:
    base = {"kind": "replay", "name": "files", "addresses": [str(one) for one in addresses]}
    stop = threading.Event()
    outlet = CollectingOutlet(stop)
    settings = ReplaySettings.model_validate({**base, **more})
    source = build_source(settings, InstantClock(clock, lambda: True), random.Random(1))
    assert isinstance(source, ReplaySource)
    source.run(outlet, stop)
    return outlet


def test_a_recording_comes_as_its_device_would_have_sent_it(walk: Recording, tmp_path: Path) -> None:
    clock = ManualClock()
    path = write_gaitpdb_text(walk, tmp_path / "WalkCo01_01.txt")
    outlet = _replay(path, clock=clock, speed=2.0, device_id="walker-1")
    samples = [one.measurement for one in outlet.taken if isinstance(one.measurement, Samples)]
    assert np.allclose(np.concatenate([one.values for one in samples]), walk.samples, atol=0.005)
    assert [len(one.values) for one in samples] == [100] * 12 + [34]
    assert {(one.device_id, one.session_id, one.timed_by_device) for one in outlet.taken} == {
        ("walker-1", "WalkCo01_01", True)
    }
    assert {one.session_start_ms for one in outlet.taken} == {samples[0].start_us // 1_000}
    assert abs(clock.monotonic_s() - 12.34 / 2.0) < 0.01
    assert outlet.states[-1] == (False, "replayed to the end")


def test_a_file_that_cannot_be_read_is_rejected_and_the_others_come(walk: Recording, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("nothing\n")
    good = write_gaitpdb_text(walk, tmp_path / "WalkCo01_01.txt")
    outlet = _replay(bad, good, clock=ManualClock(), speed=0.0)
    (rejected,) = outlet.rejected
    assert rejected.raw == str(bad).encode()
    assert len(outlet.taken) == 13


def test_a_stop_ends_the_replay(walk: Recording, tmp_path: Path) -> None:
    path = write_gaitpdb_text(walk, tmp_path / "WalkCo01_01.txt")
    stop = threading.Event()

    class Stopping(CollectingOutlet):
        def put(self, taken: Any) -> None:
            super().put(taken)
            stop.set()

    outlet = Stopping(stop)
    settings = ReplaySettings.model_validate({"kind": "replay", "name": "files", "addresses": [str(path)]})
    ReplaySource(settings, InstantClock(ManualClock(), lambda: True)).run(outlet, stop)
    assert len(outlet.taken) == 1
