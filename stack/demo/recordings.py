"""Which recordings the demo replays: some of each domain, or synthetic walkers without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice, zip_longest
from pathlib import Path

from edge.recordings.files import expand_address, read_recordings
from edge.recordings.synthetic_gait import GaitModel, synthesize_gait
from edge.schedule import Addressed, limit_measurements
from schemas.sensors import Domain
from stack.home import REPOSITORY

DATA_VARIABLE = "BRAIN_DATA"
DAY_S = 86_400.0
_STUDIES = ("Ga", "Ju", "Si")
_OTHER_HEALTH = (
    ("bds/BDS0*.txt*", 2),
    ("plantar/pedar*.asc*", 1),
    ("plantar/emed*.lst*", 1),
    ("foot3d/*.ply", 2),
)
_PLAID_EVENTS = 12
_HOUSEHOLD_DAYS = 2
_MONITORS = 3
_MONITOR_DAYS = 3
_SYNTHETIC_DURATION_S = 90.0
_MODELS = (
    GaitModel(),
    GaitModel(stride_time_s=1.25, stride_time_cv=0.05, stance_share=0.68, asymmetry=0.06, f1_bw=1.02, f2_bw=1.0),
)


def data_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder of recordings: BRAIN_DATA, else ../shared/data beside the repository; None if there is none."""
    path = Path(environment.get(DATA_VARIABLE) or REPOSITORY.parent / "shared" / "data")
    return path if path.is_dir() else None


def domain_recordings(domain: Domain, folder: Path, count: int) -> list[Addressed]:
    """The recordings of a domain by address, empty if the folder has none of them; `count` is that of the walks."""
    if domain is Domain.HEALTH:
        walks = gait_recordings(folder, count)
        return [*walks, *_other_health(folder / "health")] if walks else []
    return list(_power(folder / "power") if domain is Domain.POWER else _environment(folder / "environment"))


def gait_recordings(folder: Path, count: int) -> list[Addressed]:
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
    return [addressed for address in in_turn[:count] for addressed in _read(address)]


def _other_health(folder: Path) -> Iterator[Addressed]:
    """Two stances on a force plate, a walk in pressure insoles, a step on a platform, two feet."""
    for pattern, count in _OTHER_HEALTH:
        for path in sorted(folder.glob(pattern))[:count]:
            yield from _read(str(path))


def _archive(folder: Path, study: str) -> Path:
    return folder / "health" / "gaitpdb" / f"gaitpdb_{study}.npz"


def _power(folder: Path) -> Iterator[Addressed]:
    """Appliances from all over PLAID, a COMTRADE record, two days of a household, a day of a plant."""
    for path in sorted(folder.glob("plaid/*.npz")):
        events = expand_address(str(path))
        for address in events[:: max(1, len(events) // _PLAID_EVENTS)][:_PLAID_EVENTS]:
            yield from _read(address)
    for path in sorted(folder.glob("comtrade_keating/*.CFG")):
        yield from _read(str(path))
    for path in sorted(folder.glob("uci_household/household*.txt*")):
        yield from limit_measurements(_read(str(path)), _HOUSEHOLD_DAYS * DAY_S)
    for path in sorted(folder.glob("alucol/*.csv")):
        yield from _read(str(path))


def _environment(folder: Path) -> Iterator[Addressed]:
    """A room with people, and monitors in wildfire smoke that report every hour of their first days."""
    for path in sorted(folder.glob("uci_occupancy/data*.txt*")):
        yield from _read(str(path))
    for path in sorted(folder.glob("airnow_wildfire/NW_*_pm25_wide.csv*")):
        monitors = (_first_days(address) for address in expand_address(str(path)))
        yield from chain.from_iterable(islice(filter(None, monitors), _MONITORS))


def _first_days(address: str) -> list[Addressed]:
    """The first days of a monitor, empty if an hour is missing."""
    days = list(limit_measurements(_read(address), _MONITOR_DAYS * DAY_S))
    return days if sum(recording.duration_s for _, recording in days) == _MONITOR_DAYS * DAY_S else []


def _read(address: str) -> list[Addressed]:
    return [(address, recording) for recording in read_recordings(address)]


def synthetic_recordings(count: int) -> list[Addressed]:
    """Walkers by number: steady and brisk in turn with unsteady, slow and uneven."""
    walks = [
        synthesize_gait(
            _SYNTHETIC_DURATION_S, seed=number, model=_MODELS[number % len(_MODELS)], name=f"walker-{number}"
        )
        for number in range(1, count + 1)
    ]
    return [(walk.recording.name, walk.recording) for walk in walks]
