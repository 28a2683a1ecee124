"""Every kind of file that can be replayed: the reader of an address is chosen by what the file holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.recordings import (
    airnow,
    alucol,
    bds,
    beijing_pm25,
    comtrade,
    emed,
    foot_mesh,
    frames,
    fscan,
    gaitpdb,
    household,
    occupancy,
    pedar,
    plaid,
    sds011,
    stappone,
    uci_air_quality,
)
from edge.recordings.archives import NPZ_SUFFIX, open_archive, split_address
from edge.recordings.recording import AnyRecording
from edge.recordings.text_files import read_lines
from schemas.errors import RecordingError
from schemas.sensors import Domain


class Reader(Protocol):
    """What every reader module offers."""

    def recognises(self, path: Path) -> bool:
        """Whether a file has the form that this reader reads; never raises."""
        ...

    def expand_address(self, address: str) -> list[str]:
        """The addresses of all recordings, or groups of recordings, behind an address."""
        ...

    def read_recordings(self, address: str) -> Sequence[AnyRecording]:
        """The recordings behind an address: sensors of one device and parts of one series share a name."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes:
        name: short, of the device or the data set.
        domain: of its sensors; None for any.
        example: an address.
        holds: what is in it, for people.
    """

    name: str
    domain: Domain | None
    example: str
    holds: str
    reader: Reader


FORMATS: tuple[Format, ...] = (
    Format("gaitpdb", Domain.HEALTH, "gaitpdb_Ga.npz#GaCo01_01", "insole forces of walks, text or npz", gaitpdb),
    Format("bds", Domain.HEALTH, "BDS00004.txt.gz", "force plate, quiet stance", bds),
    Format("emed", Domain.HEALTH, "step.lst.gz", "novel emed pressure platform", emed),
    Format("pedar", Domain.HEALTH, "walk.asc.gz", "novel pedar pressure insoles", pedar),
    Format("fscan", Domain.HEALTH, "walkL.asf.gz", "Tekscan F-Scan pressure sole", fscan),
    Format("stappone", Domain.HEALTH, "walk.csv.gz", "stappone sole, pressure and motion", stappone),
    Format("scan", Domain.HEALTH, "anna_left.ply", "foot scans: ply, stl, obj; mm, else #cm or #m", foot_mesh),
    Format("plaid", Domain.POWER, "plaid.npz#17", "PLAID appliances, one cycle of V and A", plaid),
    Format("comtrade", Domain.POWER, "record.CFG", "COMTRADE 1999 ASCII, .DAT beside it", comtrade),
    Format("alucol", Domain.POWER, "power-quality-meter.csv", "three-phase analyser, 30 s averages", alucol),
    Format("household", Domain.POWER, "household_power_consumption.txt", "UCI 235, one home by the minute", household),
    Format("occupancy", Domain.ENVIRONMENT, "datatest.txt.gz", "UCI 357 and 864, rooms with people", occupancy),
    Format("airnow", Domain.ENVIRONMENT, "hourly_pm25_wide.csv.gz#MONITOR", "AirNow monitors, hourly PM2.5", airnow),
    Format("beijing", Domain.ENVIRONMENT, "PRSA_data.csv.gz", "UCI 381, hourly PM2.5 and weather", beijing_pm25),
    Format("sds011", Domain.ENVIRONMENT, "SDS011_1-DHT22_1.csv", "SDS011 and DHT22, walks and rides", sds011),
    Format("uci360", Domain.ENVIRONMENT, "AirQualityUCI.csv.gz", "UCI 360, hourly weather by a road", uci_air_quality),
    Format("frames", None, "lab.frames", "what brain-edge record kept, of any sensors", frames),
)


def expand_address(address: str) -> list[str]:
    """The addresses of all recordings behind one; see `format_of`.

    Raises:
        RecordingError: if the file cannot be read or is of no known kind.
    """
    return format_of(address).reader.expand_address(address)


def read_recordings(address: str) -> Sequence[AnyRecording]:
    """The recordings behind an address; see `format_of`.

    Raises:
        RecordingError: naming what is wrong and where.
    """
    return format_of(address).reader.read_recordings(address)


def format_of(address: str) -> Format:
    """The kind of file behind `path` or `path#part`.

    Raises:
        RecordingError: if the file cannot be read or is of no known kind.
    """
    path, _ = split_address(address)
    for known in FORMATS:
        if known.reader.recognises(path):
            return known
    # A reader recognises nothing in a file that cannot be read: say that first.
    if path.suffix == NPZ_SUFFIX:
        open_archive(path).close()
    else:
        read_lines(path)
    names = ", ".join(known.name for known in FORMATS)
    raise RecordingError(f"{path}: is of none of the known formats ({names}); see brain-edge formats")
