"""Files of environment data become recordings: what stands in them comes through, what is wrong is named."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recordings import airnow, beijing_pm25, occupancy, sds011, uci_air_quality
from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from schemas.envelope import IDENTIFIER
from schemas.errors import RecordingError

SOURCES = (occupancy, airnow, beijing_pm25, uci_air_quality, sds011)

DETECTION = """"date","Temperature","Humidity","Light","CO2","HumidityRatio","Occupancy"
"140","2015-02-02 14:19:00",23.7,26.272,585.2,749.2,0.00476416302416414,1
"141","2015-02-02 14:19:59",23.718,26.29,578.4,760.4,0.00477266099212519,1
"142","2015-02-02 14:21:00",23.73,26.23,572.67,769.67,0.00476515255246541,0
"143","2015-02-02 14:31:00",23.5,26.1,570.0,770.0,0.0047,0
"""
ESTIMATION = """Date,Time,S1_Temp,S2_Temp,S3_Temp,S4_Temp,S1_Light,S5_CO2,Room_Occupancy_Count
2017/12/22,10:49:41,24.94,24.75,24.56,25.38,121,390,1
2017/12/22,10:50:12,24.94,24.75,24.56,25.44,121,390,2
2017/12/22,10:50:42,25,24.75,24.5,25.44,121,395,3
"""
AIRNOW = """datetime,a9_840060530002,b7_wrcc.s215
2016-07-22 07:00:00+00:00,1.0,
2016-07-22 08:00:00+00:00,2.5,4.0
2016-07-22 09:00:00+00:00,,5.0
2016-07-22 10:00:00+00:00,1675.0,6.0
"""
BEIJING = """No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir
1,2010,1,1,0,NA,-21,-11,1021,NW,1.79,0,0
2,2010,1,1,1,129,-21,-12,1020,NW,4.92,0,0
3,2010,1,1,2,148,5,4,1019,NW,6.71,0,0
"""
AIR_QUALITY = """Date;Time;CO(GT);PT08.S1(CO);T;RH;AH;;
10/03/2004;18.00.00;2,6;1360;13,6;48,9;0,7578;;
10/03/2004;19.00.00;2;1292;-200;-200;-200;;
10/03/2004;20.00.00;2,2;1402;11,9;54,0;0,7502;;
;;;;;;;;
"""
WALK = """Time Period,start:,2020/6/27 11:10,end:,,,,,
Sensors:,SDS011_1,DHT22_1,,,,,,
Location:,Myoukenguchi_GPS,Lat-Lon,34.76690737,135.6745878,,,,
Interval time,10,,,,,,,
time,lat,lon,alt,DHT-RH,DHT-T,sds-pm2.5,sds-pm10,sds-TSP
2020/6/28 10:57:40,34.9,135.4,198.3,86.09999847,25.9,7.7,11.1,3.7
2020/6/28 10:57:50,34.9,nan,197.7,3306.1,25.9,nan,10.6,3.5
2020/6/28 10:58:00,34.9,135.4,197.7,99.90000153,25.8,8.1,10.6,3.5
"""
MINUTES = """Time Period,start:,2020/6/28 17:17,end:,2020/6/29 18:32,,,,,
Sensors:,SDS011_1,DHT22_1,,,,,,,
Location:,Myoukenguchi_GPS,Lat-Lon,34.77495267,135.4531913,,,,,
Interval time,10,,,,,,,,
time,lat,lon,alt,DHT-RH,DHT-T,sds-pm2.5,sds-pm10,sds-TSP,
2020/6/29 17:31,34.7,135.4,nan,50.7,29.4,16.3,19.8,21,0
2020/6/29 17:32,34.7,135.4,nan,51.3,29.4,16.2,19.7,20.8,0
2020/6/29 17:31,34.7,135.4,nan,51.4,29.5,16.1,19.7,20.8,0
2020/6/29 17:32,34.7,135.4,nan,51.5,29.6,16.0,19.7,20.8,0
"""
FILES: dict[str, tuple[ModuleType, str]] = {
    "datatest.txt": (occupancy, DETECTION),
    "Occupancy_Estimation.csv": (occupancy, ESTIMATION),
    "Fire_hourly_pm25_wide.csv": (airnow, AIRNOW),
    "PRSA_data.csv": (beijing_pm25, BEIJING),
    "AirQualityUCI.csv": (uci_air_quality, AIR_QUALITY),
    "Walk_SDS011.csv": (sds011, WALK),
    "Bike_SDS011.csv": (sds011, MINUTES),
}


def write(folder: Path, name: str, text: str | None = None) -> str:
    path = folder / name
    path.write_text(FILES[name][1] if text is None else text)
    return str(path)


def by_sensor(recordings: list[Recording], sensor_type: str) -> list[Recording]:
    return [recording for recording in recordings if recording.sensor_type == sensor_type]


def epoch(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_each_file_is_recognised_by_its_own_reader_alone(name: str, packed: bool, tmp_path: Path) -> None:
    path = Path(write(tmp_path, name))
    if packed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert [source for source in SOURCES if source.recognises(path)] == [FILES[name][0]]


def test_a_missing_or_foreign_file_is_recognised_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "pm25.csv").write_bytes(b"\x1f\x8b broken")
    (tmp_path / "empty_pm25.csv").write_text("")
    for name in ("pm25.csv", "empty_pm25.csv", "absent_pm25.csv"):
        assert not any(source.recognises(tmp_path / name) for source in SOURCES)


@pytest.mark.parametrize("name", FILES)
def test_recordings_can_be_sent(name: str, tmp_path: Path) -> None:
    source = FILES[name][0]
    recordings = [
        part for address in source.expand_address(write(tmp_path, name)) for part in source.read_recordings(address)
    ]
    assert recordings
    for recording in recordings:
        assert IDENTIFIER.fullmatch(recording.name)
        assert recording.channels == ("value",)
        assert np.isfinite(recording.samples).all()


def test_occupancy_has_three_sensors_and_no_labels(tmp_path: Path) -> None:
    address = write(tmp_path, "datatest.txt")
    recordings = occupancy.read_recordings(address)
    assert {(part.name, part.sensor_type) for part in recordings} == {
        ("datatest", sensor) for sensor in ("TEMP", "HUMID", "CO2")
    }
    first, second = by_sensor(recordings, "CO2")
    assert (first.start_s, first.sample_rate_hz) == (epoch(2015, 2, 2, 14, 19), 1.0 / 60.0)
    assert first.samples[:, 0].tolist() == [749.2, 760.4, 769.67]
    # Ten minutes of silence keep their length.
    assert (second.start_s - first.start_s, len(second.samples)) == (720.0, 1)
    labels = occupancy.read_labels(Path(address))
    assert labels.people.tolist() == [1, 1, 0, 0]
    assert labels.time_s[1] == epoch(2015, 2, 2, 14, 19, 59)


def test_room_occupancy_has_a_device_for_each_node(tmp_path: Path) -> None:
    address = write(tmp_path, "Occupancy_Estimation.csv")
    recordings = occupancy.read_recordings(address)
    assert [(part.name[-3:], part.sensor_type) for part in recordings] == [
        ("-S1", "TEMP"), ("-S2", "TEMP"), ("-S3", "TEMP"), ("-S4", "TEMP"), ("-S5", "CO2"),
    ]  # fmt: skip
    assert recordings[0].samples[:, 0].tolist() == [24.94, 24.94, 25.0]
    assert occupancy.read_labels(Path(address)).people.tolist() == [1, 2, 3]


def test_every_monitor_is_a_device_and_missing_hours_divide(tmp_path: Path) -> None:
    address = write(tmp_path, "Fire_hourly_pm25_wide.csv")
    assert airnow.expand_address(address) == [f"{address}#a9_840060530002", f"{address}#b7_wrcc.s215"]
    parts = airnow.read_recordings(f"{address}#a9_840060530002")
    assert [part.samples[:, 0].tolist() for part in parts] == [[1.0, 2.5], [1675.0]]
    assert parts[1].start_s - parts[0].start_s == 3 * 3_600.0
    assert {part.name for part in airnow.read_recordings(address)} == {"a9_840060530002", "b7_wrcc.s215"}
    with pytest.raises(RecordingError, match="has no monitor 'c1'"):
        airnow.read_recordings(f"{address}#c1")


def test_beijing_humidity_follows_from_the_dew_point_and_never_passes_100(tmp_path: Path) -> None:
    recordings = beijing_pm25.read_recordings(write(tmp_path, "PRSA_data.csv"))
    humid = by_sensor(recordings, "HUMID")[0].samples[:, 0]
    assert humid[0] == pytest.approx(43.57, abs=0.01)
    assert humid[2] == 100.0
    assert by_sensor(recordings, "PM25")[0].start_s == epoch(2010, 1, 1, 1)


def test_air_quality_reads_decimal_commas_and_its_own_missing_value(tmp_path: Path) -> None:
    temp = by_sensor(uci_air_quality.read_recordings(write(tmp_path, "AirQualityUCI.csv")), "TEMP")
    assert [part.samples[:, 0].tolist() for part in temp] == [[13.6], [11.9]]
    assert temp[1].start_s - temp[0].start_s == 7_200.0


def test_a_walk_keeps_impossible_values_and_divides_at_missing_ones(tmp_path: Path) -> None:
    recordings = sds011.read_recordings(write(tmp_path, "Walk_SDS011.csv"))
    humid = by_sensor(recordings, "HUMID")[0]
    assert humid.samples[:, 0].tolist() == [86.09999847, 3306.1, 99.90000153]
    assert humid.sample_rate_hz == 0.1
    assert [part.samples[:, 0].tolist() for part in by_sensor(recordings, "PM25")] == [[7.7], [8.1]]


def test_a_walk_stamped_by_the_minute_keeps_the_order_of_its_rows(tmp_path: Path) -> None:
    (temp,) = by_sensor(sds011.read_recordings(write(tmp_path, "Bike_SDS011.csv")), "TEMP")
    assert temp.samples[:, 0].tolist() == [29.4, 29.4, 29.5, 29.6]
    assert temp.start_s == epoch(2020, 6, 29, 17, 31)
    assert temp.duration_s <= 180.0


FIRE = "Fire_hourly_pm25_wide.csv"
BAD: dict[str, tuple[str, tuple[str | None, str], str]] = {
    "text for a number": ("datatest.txt", ("760.4", "high"), "line 3, column 6 (CO2): 'high' is not a number"),
    "underscore": ("datatest.txt", ("760.4", "7_60"), "line 3, column 6 (CO2): '7_60' is not a number"),
    "infinity": ("datatest.txt", ("760.4", "inf"), "line 3, column 6 (CO2): 'inf' is not a finite"),
    "nan where none may be": ("datatest.txt", ("760.4", "nan"), "(CO2): 'nan' is not a finite"),
    "too large": ("datatest.txt", ("760.4", "1e39"), "(CO2): '1e39' is not a finite single-precision"),
    "time backwards": ("datatest.txt", ("14:21:00", "14:19:30"), "line 4, column 2 (date): time does not"),
    "time twice": ("datatest.txt", ("14:21:00", "14:19:59"), "line 4, column 2 (date): time does not"),
    "no time": ("datatest.txt", ("14:21:00", "25:21:00"), "line 4, column 2 (date): '2015-02-02 25:21"),
    "cells missing": ("datatest.txt", (",760.4", ""), "line 3 has 7 columns instead of 8"),
    "cells too many": ("datatest.txt", ("760.4", "760,4"), "line 3 has 9 columns instead of 8"),
    "header only": ("datatest.txt", (None, DETECTION.splitlines()[0]), "the file holds no rows"),
    "empty": ("datatest.txt", (None, ""), "ends before its header"),
    "open quote": ("datatest.txt", ('"141"', '"141'), "columns instead of 8"),
    "no monitor": (FIRE, (None, "datetime\n2016-07-22 07:00:00+00:00\n"), "names no monitor"),
    "monitor twice": (FIRE, ("b7_wrcc.s215", "a9_840060530002"), "names a monitor twice"),
    "time without zone": (FIRE, ("08:00:00+00:00", "08:00:00"), "line 3, column 1 (datetime)"),
    "bad value": (FIRE, ("1675.0", "?"), "line 5, column 2 (a9_840060530002): '?' is not"),
    "month 13": ("PRSA_data.csv", ("2,2010,1,1,1", "2,2010,13,1,1"), "line 3, column 2 (year): '2010 13 1 1'"),
    "column missing": ("PRSA_data.csv", ("DEWP", "DEW"), "has no column 'DEWP'"),
    "decimal point and comma": ("AirQualityUCI.csv", ("13,6", "1.3,6"), "(T): '1.3,6' is not a number"),
    "no interval": ("Walk_SDS011.csv", ("Interval time,10", "Interval time,soon"), "line 4 does not say"),
    "interval of zero": ("Walk_SDS011.csv", ("Interval time,10", "Interval time,0"), "line 4 does not say"),
    "seconds backwards": ("Walk_SDS011.csv", ("10:58:00", "10:57:45"), "line 8, column 1 (time): time does not"),
    "hour backwards": (
        "Bike_SDS011.csv",
        ("17:31,34.7,135.4,nan,51.4", "16:31,34.7,135.4,nan,51.4"),
        "line 8, column 1",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_with_its_place(case: str, tmp_path: Path) -> None:
    name, (old, new), message = BAD[case]
    address = write(tmp_path, name, new if old is None else FILES[name][1].replace(old, new))
    with pytest.raises(RecordingError) as caught:
        FILES[name][0].read_recordings(address)
    assert message in caught.value.detail
    assert caught.value.detail.startswith(address)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("content", "message"),
    [(gzip.compress(b"date")[:-9], "gzip"), (b"\x1f\x8bjunk", "gzip"), (None, "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        FILES[name][0].read_recordings(str(path))


@given(st.binary(max_size=300), st.sampled_from(list(FILES)))
def test_bytes_of_any_kind_give_recordings_or_a_named_error(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("junk") / name
    text = FILES[name][1].encode()
    path.write_bytes(text[: len(text) // 2] + junk + text[len(text) // 2 :])
    try:
        recordings = FILES[name][0].read_recordings(str(path))
    except RecordingError as error:
        assert str(path) in error.detail
    else:
        assert all(np.isfinite(part.samples).all() for part in recordings)


@given(
    st.lists(st.sampled_from((1, 9, 10, 11, 12, 20, 500)), min_size=1, max_size=60),
    st.lists(st.booleans(), min_size=61, max_size=61),
)
def test_parts_hold_every_reading_once_within_the_tolerance(steps: list[int], missing: list[bool]) -> None:
    time_s = np.concatenate([[0.0], np.cumsum(np.array(steps, dtype=np.float64))]) + 1.5e9
    value = np.arange(time_s.size, dtype=np.float64)
    value[np.array(missing[: time_s.size])] = np.nan
    parts = evenly_spaced("a b#c", "TEMP", time_s, value, Spacing(10.0, 1.0))
    there = np.isfinite(value)
    assert {part.name for part in parts} <= {"a-b-c"}
    times = [part.start_s + np.arange(len(part.samples)) / part.sample_rate_hz for part in parts]
    if parts:
        assert np.concatenate([part.samples[:, 0] for part in parts]).tolist() == value[there].tolist()
        found = np.concatenate(times)
        assert np.abs(found - time_s[there]).max() <= 1.0 + 1e-6
        assert (np.diff([part.start_s for part in parts]) > 0).all()
    else:
        assert not there.any()


# Real files.


@pytest.mark.data
def test_the_occupancy_data_come_back_as_they_are(brain_data: Path) -> None:
    path = brain_data / "environment" / "uci_occupancy" / "datatest.txt.gz"
    with gzip.open(path, "rt") as lines:
        rows = list(csv.reader(lines))[1:]
    stamps = np.array([datetime.strptime(row[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() for row in rows])
    recordings = occupancy.read_recordings(str(path))
    assert [part.sensor_type for part in recordings] == ["TEMP", "HUMID", "CO2"]
    for recording, column in zip(recordings, (2, 3, 5), strict=True):
        assert recording.samples[:, 0].tolist() == [float(row[column]) for row in rows]
        times = recording.start_s + np.arange(len(rows)) / recording.sample_rate_hz
        assert np.abs(times - stamps).max() <= 1.0
    labels = occupancy.read_labels(path)
    assert labels.people.tolist() == [int(row[7]) for row in rows]
    assert np.array_equal(labels.time_s, stamps)


@pytest.mark.data
def test_a_wildfire_comes_back_hour_by_hour(brain_data: Path) -> None:
    path = brain_data / "environment" / "airnow_wildfire" / "NW_Megafires_hourly_pm25_wide.csv.gz"
    with gzip.open(path, "rt") as lines:
        rows = list(csv.reader(lines))
    hours = [datetime.fromisoformat(row[0]).timestamp() for row in rows[1:]]
    addresses = airnow.expand_address(str(path))
    assert len(addresses) == 142
    for address in addresses[::20]:
        column = rows[0].index(address.rpartition("#")[2])
        given = {at: float(row[column]) for at, row in zip(hours, rows[1:], strict=True) if row[column]}
        found = {
            part.start_s + 3_600.0 * number: value
            for part in airnow.read_recordings(address)
            for number, value in enumerate(part.samples[:, 0].tolist())
        }
        assert found == given


@pytest.mark.data
def test_every_walk_is_read_and_every_reading_kept(brain_data: Path) -> None:
    paths = sorted((brain_data / "environment" / "sds011_dht22").glob("*.csv"))
    assert len(paths) == 5
    for path in paths:
        assert sds011.recognises(path)
        rows = list(csv.reader(path.read_text().splitlines()))[5:]
        recordings = sds011.read_recordings(str(path))
        for sensor_type, column in (("HUMID", 4), ("TEMP", 5), ("PM25", 6)):
            parts = by_sensor(recordings, sensor_type)
            kept = [value for part in parts for value in part.samples[:, 0].tolist()]
            assert kept == [float(row[column]) for row in rows if row[column] != "nan"]
            for before, after in pairwise(parts):
                last = before.start_s + (len(before.samples) - 1) / before.sample_rate_hz
                assert last < after.start_s


@pytest.mark.data
def test_the_other_sets_are_read_whole(brain_data: Path) -> None:
    folder = brain_data / "environment"
    room = occupancy.read_recordings(str(folder / "uci_room_occupancy" / "Occupancy_Estimation.csv.gz"))
    assert sum(len(part.samples) for part in by_sensor(room, "CO2")) == 10_129
    assert len(by_sensor(room, "CO2")) == 142
    beijing = beijing_pm25.read_recordings(str(folder / "uci_beijing_pm25" / "PRSA_data_2010.1.1-2014.12.31.csv.gz"))
    assert sum(len(part.samples) for part in by_sensor(beijing, "PM25")) == 43_824 - 2_067
    assert max(part.samples.max() for part in by_sensor(beijing, "HUMID")) == 100.0
    italy = uci_air_quality.read_recordings(str(folder / "uci_air_quality" / "AirQualityUCI.csv.gz"))
    assert sum(len(part.samples) for part in by_sensor(italy, "TEMP")) == 9_357 - 366
