"""Files of every kind find their reader; on the public data sets, and where a file is of no kind."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge.framing import Framing
from edge.identity import Boot
from edge.plan import plan_replay
from edge.recordings.archives import split_address
from edge.recordings.files import FORMATS, expand_address, format_of, read_recordings
from edge.recordings.recording import Recording
from edge.records import plan_records
from edge.settings import EdgeSettings
from edge.testing import write_gaitpdb_archive, write_gaitpdb_text
from schemas.envelope import unseal
from schemas.errors import RecordingError

SAMPLES = {
    "health/gaitpdb/gaitpdb_Ju.npz#JuCo02_01": "gaitpdb",
    "health/gaitpdb/orig/GaCo01_01.txt.gz": "gaitpdb",
    "health/bds/BDS00004.txt.gz": "bds",
    "health/plantar/emed_test.lst.gz": "emed",
    "health/plantar/pedar_example.asc.gz": "pedar",
    "health/plantar/fscan_testL.asf.gz": "fscan",
    "health/plantar/stappone_example.csv.gz": "stappone",
    "power/plaid/plaid.npz#17": "plaid",
    "power/comtrade_keating/keating_1999.CFG": "comtrade",
    "power/alucol/power-quality-meter.csv": "alucol",
    "power/uci_household/household_2006-12-16_2007-01-11.txt.gz": "household",
    "environment/uci_occupancy/datatest.txt.gz": "occupancy",
    "environment/uci_room_occupancy/Occupancy_Estimation.csv.gz": "occupancy",
    "environment/airnow_wildfire/Carmel_Valley_hourly_pm25_wide.csv.gz": "airnow",
    "environment/uci_beijing_pm25/PRSA_data_2010.1.1-2014.12.31.csv.gz": "beijing",
    "environment/sds011_dht22/Toyonakai_GPS_Dan_SDS011_1-DHT22_1_20200628171710.csv": "sds011",
    "environment/uci_air_quality/AirQualityUCI.csv.gz": "uci360",
}
DATED = {"occupancy", "airnow", "beijing", "sds011", "uci360"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a/pack.npz#17", ("a/pack.npz", "17")),
        ("a/wide.csv.gz#m#1", ("a/wide.csv.gz#m#1", None)),
        ("a/wide.csv#m.1", ("a/wide.csv", "m.1")),
        ("a/take#2.txt", ("a/take#2.txt", None)),
        ("a/pack.npz", ("a/pack.npz", None)),
    ],
)
def test_a_hash_counts_only_behind_a_file_of_many_recordings(address: str, expected: tuple[str, str | None]) -> None:
    path, part = split_address(address)
    assert (str(path), part) == expected


def test_files_find_their_reader(walk: Recording, tmp_path: Path) -> None:
    text = write_gaitpdb_text(walk, tmp_path / "take#2.txt")
    archive = write_gaitpdb_archive([walk], tmp_path / "pack.npz")
    assert format_of(str(text)).name == format_of(f"{archive}#Nobody").name == "gaitpdb"
    assert expand_address(str(archive)) == [f"{archive}#WalkCo01_01"]
    assert [read.name for read in read_recordings(str(text))] == ["take#2"]


STRANGE: dict[str, tuple[str, bytes | None, str]] = {
    "prose": ("notes.txt", b"dear diary", "is of none of the known formats (gaitpdb, bds, "),
    "a picture": ("foot.csv", b"\x89PNG\r\n\x1a\n\x00", "is of none of the known formats"),
    "an empty file": ("empty.csv", b"", "the file is empty"),
    "a cut gzip file": ("cut.txt.gz", gzip.compress(b"0.0 1.0 2.0")[:-9], "the gzip file is cut off"),
    "a damaged gzip file": ("bad.txt.gz", b"\x1f\x8bjunk" * 9, "the gzip file is damaged"),
    "no file": ("absent.csv", None, "cannot be read: No such file"),
    "no archive": ("absent.npz", None, "cannot be read as an npz archive"),
    "a damaged archive": ("bad.npz", b"PK\x03\x04", "cannot be read as an npz archive"),
}


@pytest.mark.parametrize("case", STRANGE)
@pytest.mark.parametrize("part", ["", "#7"])
def test_what_no_reader_reads_is_named_with_the_reason(case: str, part: str, tmp_path: Path) -> None:
    name, content, message = STRANGE[case]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    if part and not name.endswith((".npz", ".csv")):
        part = ""
    for read in (expand_address, read_recordings):
        with pytest.raises(RecordingError) as caught:
            read(f"{path}{part}")
        assert caught.value.detail.startswith(f"{path}: {message}")


def test_an_archive_of_other_arrays_is_of_no_kind(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    with path.open("wb") as file:
        np.savez(file, voltage=np.zeros((2, 500)))
    with pytest.raises(RecordingError, match="none of the known formats"):
        expand_address(str(path))


@pytest.mark.data
@pytest.mark.parametrize("address", SAMPLES)
def test_a_public_file_is_recognised_by_its_own_reader_alone_and_dated_if_it_has_dates(
    address: str, brain_data: Path
) -> None:
    path, _ = split_address(str(brain_data / address))
    assert [known.name for known in FORMATS if known.reader.recognises(path)] == [SAMPLES[address]]
    first = expand_address(str(brain_data / address))[0]
    recordings = read_recordings(first)
    assert {recording.dated for recording in recordings} == {SAMPLES[address] in DATED}


@pytest.mark.data
@pytest.mark.parametrize("address", SAMPLES)
def test_every_public_file_becomes_frames(address: str, brain_data: Path, boot: Boot) -> None:
    plan = plan_replay([str(brain_data / address)], EdgeSettings.load({"limit_s": 86_400}), boot=boot)
    assert plan.bad == ()
    ids: set[str] = set()
    last_ms: dict[tuple[str, str], int] = {}
    for record in plan_records(plan.items, Framing()):
        envelope = unseal(record.value)
        ids.add(envelope.event_id)
        sensor = (envelope.device_id, envelope.sensor_type)
        assert envelope.session_start_ms <= envelope.sensor_timestamp_ms
        # SDS011 files are stamped by the minute: a single sample between gaps claims all of it.
        assert last_ms.get(sensor, -1) < envelope.sensor_timestamp_ms or SAMPLES[address] == "sds011"
        last_ms[sensor] = envelope.sensor_timestamp_ms
        assert envelope.sensor_timestamp_ms < boot.now_ms or SAMPLES[address] not in DATED
    assert len(ids) == sum(item.recording.measurement_count(Framing()) for item in plan.items)
