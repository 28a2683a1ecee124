"""Which recordings the demo replays: patients and controls of every study, or synthetic walkers without data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, zip_longest
from pathlib import Path

from edge.sources.gaitpdb import expand_address, read_recording
from edge.sources.source import Recording
from edge.sources.synthetic_gait import GaitModel, synthesize_gait
from stack.home import REPOSITORY

DATA_VARIABLE = "BRAIN_DATA"
_STUDIES = ("Ga", "Ju", "Si")
_SYNTHETIC_DURATION_S = 90.0
_MODELS = (
    GaitModel(),
    GaitModel(stride_time_s=1.25, stride_time_cv=0.05, stance_share=0.68, asymmetry=0.06, f1_bw=1.02, f2_bw=1.0),
)


def data_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder of recordings: BRAIN_DATA, else ../shared/data beside the repository; None if there is none."""
    path = Path(environment.get(DATA_VARIABLE) or REPOSITORY.parent / "shared" / "data")
    return path if path.is_dir() else None


def gait_recordings(folder: Path, count: int) -> list[tuple[str, Recording]]:
    """The first normal walk of `count` people, patients and controls of the three studies in turn, by address."""
    addresses = chain.from_iterable(
        expand_address(str(path)) for study in _STUDIES if (path := _archive(folder, study)).is_file()
    )
    walks: dict[tuple[str, str], list[str]] = {}
    for address in addresses:
        name = address.rpartition("#")[2]
        subject, walk = name.split("_")
        if walk == "01":
            walks.setdefault((subject[:2], subject[2:4]), []).append(address)
    groups = [sorted(walks[key]) for key in sorted(walks, key=lambda key: (key[1], key[0]))]
    in_turn = [address for round_ in zip_longest(*groups) for address in round_ if address is not None]
    return [(address, read_recording(address)) for address in in_turn[:count]]


def _archive(folder: Path, study: str) -> Path:
    return folder / "health" / "gaitpdb" / f"gaitpdb_{study}.npz"


def synthetic_recordings(count: int) -> list[tuple[str, Recording]]:
    """Walkers by number: steady and brisk in turn with unsteady, slow and uneven."""
    walks = [
        synthesize_gait(
            _SYNTHETIC_DURATION_S, seed=number, model=_MODELS[number % len(_MODELS)], name=f"walker-{number}"
        )
        for number in range(1, count + 1)
    ]
    return [(walk.recording.name, walk.recording) for walk in walks]
