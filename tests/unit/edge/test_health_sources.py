"""Readers of force plates, pressure devices and foot scans: what they read, and what they refuse and how."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edge.recordings import bds, emed, fscan, pedar, stappone
from edge.recordings.recording import Recording
from schemas.errors import RecordingError
from schemas.pressure_devices import PRESSURE_DEVICES

Lines = list[str]
READERS: dict[str, ModuleType] = {"bds": bds, "emed": emed, "fscan": fscan, "pedar": pedar, "stappone": stappone}


def bds_lines(rows: int = 30) -> Lines:
    lines = ["\t".join(bds.HEADER)]
    for row in range(rows):
        fz, mx, my = 600.0 + row, 6.0 + 0.1 * row, 30.0 - 0.2 * row
        cells = [0.01 * (row + 1), 2.5, -3.5, fz, mx, my, 0.05, -100.0 * my / fz, 100.0 * mx / fz]
        lines.append("\t".join([f"{cells[0]:.3f}", *(f"{cell:.6f}" for cell in cells[1:])]))
    return lines


def emed_lines(frames: int = 3, *, rows: range = range(30, 34), columns: range = range(26, 29)) -> Lines:
    lines: Lines = []
    for frame in range(1, frames + 1):
        pressure = np.array([[5.0 * ((frame + row * column) % 7) for column in columns] for row in rows])
        lines += ["", f"\t\t\t\tPage {frame}", "", "\tFile: C:\\step.dat \tMatrix: 64x95 "]
        lines += ["\tSensor area: 0.25 cm\xb2\tTime/picture:10.0 ms", "\tMV over frames"]
        lines += ["\tSensor size: 0.500x0.500 cm", f"\tPict-No.: {frame}  Force[N]=sum*sensor_area in row/column", ""]
        lines.append("\t" + "\t".join(str(column) for column in columns) + "\tForce")
        force = pressure * 0.025
        for row, values in zip(rows, pressure, strict=True):
            lines.append("\t".join([str(row), *(f"{value:.2f}" for value in (*values, 0.025 * values.sum()))]))
        totals = (*force.sum(axis=0), force.sum())
        lines += ["\t".join(["Force", *(f"{value:.2f}" for value in totals)]), "\x0c"]
    return lines


def fscan_lines(frames: int = 3, *, name: str = "walkL") -> Lines:
    lines = ["DATA_TYPE MOVIE", "VERSION Tekscan Pressure Measurement System 6.33", f"FILENAME C:\\MOVIES\\{name}.fsx"]
    lines += ["SENSOR_TYPE FSCAN", "ROWS 60", "COLS 21", "ROW_SPACING 5.08 mm", "COL_SPACING 5.08 mm"]
    lines += ["SECONDS_PER_FRAME 0.02", "COMMENTS:", "overground walk", "START_FRAME 1", f"END_FRAME {frames}"]
    lines += ["UNITS KPa", "MIRROR_ROW 0", "MIRROR_COL 0", "ASCII_DATA @@", ""]
    for frame in range(1, frames + 1):
        lines.append(f"Frame {frame}")
        for row in range(60):
            cells = ["B" if column < 2 else str((frame * row + column) % 50) for column in range(21)]
            lines.append(",".join(cells))
        lines.append("")
    return [*lines[:-1], "@@"]


def pedar_lines(frames: int = 4, *, kind: str = "y-1865l-1870r") -> Lines:
    numbers = ",".join(str(number) for number in range(1, 100)) + ","
    lines = ["file name:  walk.sol\tdate/time  25.04.23 10.49", f"sensor type:  {kind} "]
    lines += ["total time [secs]:  0.040\ttime per frame [secs]:  0.01000\tscanning rate [Hz]:   100"]
    lines += [
        "pressure values in  kPa",
        "",
        "mask definition: ",
        f"left insole: {numbers}",
        f"right insole: {numbers}",
        "",
    ]
    lines.append("time[secs]    \t" + "\t".join(f"{number:7d}" for number in [*range(1, 100), *range(1, 100)]))
    for frame in range(frames):
        values = [2.5 * ((frame + sensor) % 90) for sensor in range(198)]
        lines.append("\t".join([f"{0.01 * (frame + 1):12.5f}", *(f"{value:7.3f}" for value in values)]))
    return lines


def stappone_lines(rows: int = 12) -> Lines:
    lines = [",".join(stappone.HEADER)]
    for row in range(rows):
        imu = [-1780 + row, -387, 9748, -6108, -31764, 3665, 0, 0, 0]
        pressures = [300 + 10 * sensor + row for sensor in range(12)]
        lines.append(",".join(str(cell) for cell in [1, 1_768_494_979_568 + 16 * row, *imu, *pressures, 0]))
    return lines


MAKERS: dict[str, tuple[Callable[[], Lines], str]] = {
    "bds": (bds_lines, "BDS00001.txt"),
    "emed": (emed_lines, "step.lst"),
    "fscan": (fscan_lines, "walkL.asf"),
    "pedar": (pedar_lines, "walk.asc"),
    "stappone": (stappone_lines, "walk.csv"),
}


def written(folder: Path, device: str, edit: Callable[[Lines], Lines] = lambda lines: lines) -> Path:
    make, name = MAKERS[device]
    path = folder / name
    path.write_bytes("\r\n".join(edit(make())).encode("latin-1") + b"\r\n")
    return path


def read(device: str, path: Path) -> list[Recording]:
    found: list[Recording] = READERS[device].read_recordings(str(path))
    return found


def with_cell(line: int, column: int, text: str, separator: str = "\t") -> Callable[[Lines], Lines]:
    def edit(lines: Lines) -> Lines:
        cells = lines[line - 1].split(separator)
        cells[column - 1] = text
        return [*lines[: line - 1], separator.join(cells), *lines[line:]]

    return edit


def replaced(old: str, new: str) -> Callable[[Lines], Lines]:
    return lambda lines: [line.replace(old, new) for line in lines]


def without(line: int) -> Callable[[Lines], Lines]:
    return lambda lines: [*lines[: line - 1], *lines[line:]]


@pytest.mark.parametrize("device", READERS)
def test_each_reader_knows_its_own_files_and_no_others(device: str, tmp_path: Path) -> None:
    path = written(tmp_path, device)
    packed = tmp_path / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for other, module in READERS.items():
        assert module.recognises(path) is (other == device)
        assert module.recognises(packed) is (other == device)
    for odd in (tmp_path, tmp_path / "nowhere.txt"):
        assert not READERS[device].recognises(odd)
    assert READERS[device].expand_address(str(path)) == [str(path)]


@pytest.mark.parametrize("device", READERS)
def test_gzipped_text_is_the_same_recording(device: str, tmp_path: Path) -> None:
    path = written(tmp_path, device)
    packed = tmp_path / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for plain, unpacked in zip(read(device, path), read(device, packed), strict=True):
        assert plain.name == unpacked.name
        assert np.array_equal(plain.samples, unpacked.samples)


def test_a_balance_trial_is_its_wrench(tmp_path: Path) -> None:
    (trial,) = read("bds", written(tmp_path, "bds"))
    assert (trial.name, trial.sensor_type, trial.unit, trial.sample_rate_hz) == (
        "BDS00001",
        "FORCE_PLATE",
        "N,Nm",
        100.0,
    )
    assert trial.channels == ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
    assert trial.start_s == 0.01
    assert trial.samples[2].tolist() == [2.5, -3.5, 602.0, 6.2, 29.6, 0.05]


def test_an_emed_print_is_its_pressures_by_row_and_column(tmp_path: Path) -> None:
    (step,) = read("emed", written(tmp_path, "emed"))
    assert (step.name, step.sensor_type, step.unit, step.sample_rate_hz) == ("step", "EMED", "kPa", 100.0)
    assert step.samples.shape == (3, 12)
    assert step.channels[:4] == ("r30c26", "r30c27", "r30c28", "r31c26")
    assert set(step.channels) <= set(PRESSURE_DEVICES["EMED"].channels)
    assert step.samples[1, 3] == 5.0 * ((2 + 31 * 26) % 7)


def test_an_emed_file_may_hold_several_steps_and_pages_of_other_parts(tmp_path: Path) -> None:
    path = tmp_path / "steps.lst"
    moved = emed_lines(2, rows=range(40, 43), columns=range(30, 35))
    first = emed_lines(1) + [line.replace("Page 2", "Page 3") for line in moved[len(moved) // 2 :]]
    path.write_bytes("\n".join([*first, *emed_lines(2)]).encode("latin-1"))
    one, two = read("emed", path)
    assert [one.name, two.name] == ["steps_1", "steps_2"]
    assert len(one.samples) == len(two.samples) == 2
    # Rows 30 to 33 and 40 to 42, columns 26 to 28 and 30 to 34: what a page does not print is unloaded.
    assert one.samples.shape == (2, 7 * 8)
    assert one.samples[0, one.channels.index("r41c33")] == 0.0
    assert one.samples[1, one.channels.index("r41c33")] == 5.0 * ((2 + 41 * 33) % 7)


def test_summary_pages_of_an_emed_print_are_left_out(tmp_path: Path) -> None:
    summary = replaced("Pict-No.: 1", "MPP over frames")(emed_lines(1))
    path = tmp_path / "step.lst"
    path.write_bytes("\n".join([*emed_lines(3), *summary]).encode("latin-1"))
    (step,) = read("emed", path)
    assert len(step.samples) == 3


def test_an_fscan_movie_is_what_lies_on_the_sole(tmp_path: Path) -> None:
    (walk,) = read("fscan", written(tmp_path, "fscan"))
    assert (walk.sensor_type, walk.unit, walk.sample_rate_hz) == ("FSCAN_LEFT", "kPa", 50.0)
    assert walk.samples.shape == (3, 60 * 19)
    assert walk.channels[0] == "r01c03"
    assert walk.samples[1, walk.channels.index("r11c04")] == (2 * 10 + 3) % 50


@pytest.mark.parametrize(
    ("original", "file", "sensor_type"),
    [
        ("FrasP01L", "anything", "FSCAN_LEFT"),
        ("walk", "testR", "FSCAN_RIGHT"),
        ("walk", "p7_right", "FSCAN_RIGHT"),
        ("P01L", "trialL", "FSCAN_LEFT"),
        ("walk", "trial_L", "FSCAN_LEFT"),
        ("walk", "Trial 3 Right", "FSCAN_RIGHT"),
        ("walk", "normal", "FSCAN"),
        ("walk", "bright", "FSCAN"),
    ],
)
def test_the_side_of_a_sole_is_in_its_name(original: str, file: str, sensor_type: str, tmp_path: Path) -> None:
    path = tmp_path / f"{file}.asf"
    path.write_text("\n".join(fscan_lines(name=original)))
    assert read("fscan", path)[0].sensor_type == sensor_type


def test_pedar_frames_are_left_then_right_and_know_their_insole(tmp_path: Path) -> None:
    (walk,) = read("pedar", written(tmp_path, "pedar"))
    assert (walk.sensor_type, walk.unit, walk.sample_rate_hz, walk.start_s) == ("PEDAR_Y", "kPa", 100.0, 0.01)
    assert walk.channels[0] == "L01" and walk.channels[98:100] == ("L99", "R01")
    assert walk.samples[3, 100] == 2.5 * ((3 + 100) % 90)
    (other,) = read("pedar", written(tmp_path, "pedar", replaced("y-1865l", "q-1865l")))
    assert other.sensor_type == "PEDAR"
    (wide,) = read("pedar", written(tmp_path, "pedar", replaced("y-1865l", "XW-1865l")))
    assert wide.sensor_type == "PEDAR_XW"


def test_stappone_rows_are_pressures_and_motion(tmp_path: Path) -> None:
    pressure, motion = read("stappone", written(tmp_path, "stappone"))
    assert (pressure.sensor_type, motion.sensor_type) == ("STAPPONE", "STAPPONE_IMU")
    assert pressure.unit == motion.unit == "raw"
    assert pressure.sample_rate_hz == motion.sample_rate_hz == 62.5
    assert pressure.samples[2].tolist() == [302.0 + 10 * sensor for sensor in range(12)]
    assert motion.channels[0] == "accel_x" and motion.samples[2, 0] == -1778.0


def test_a_gap_and_a_corrupt_row_begin_new_stappone_recordings(tmp_path: Path) -> None:
    def edit(lines: Lines) -> Lines:
        corrupt = [*lines[:9], lines[9][:-1] + "1", *lines[10:]]
        return [*corrupt[:4], *corrupt[5:]]

    recordings = read("stappone", written(tmp_path, "stappone", edit))
    parts = [each for each in recordings if each.sensor_type == "STAPPONE"]
    assert [part.name for part in parts] == ["walk_sole1_1", "walk_sole1_2", "walk_sole1_3"]
    assert [len(part.samples) for part in parts] == [3, 4, 3]
    assert [round(part.start_s, 3) for part in parts] == [0.0, 0.064, 0.144]


BAD: dict[str, tuple[str, Callable[[Lines], Lines], str]] = {
    "bds header": ("bds", replaced("Fx[N]", "Fx[kN]"), "line 1 is "),
    "bds only a header": ("bds", lambda x: x[:1], "no line of numbers"),
    "bds text": ("bds", with_cell(5, 4, "heavy"), "line 5, column 4 (Fz[N]): 'heavy' is not a finite number"),
    "bds NaN": ("bds", with_cell(5, 2, "nan"), "line 5, column 2 (Fx[N]): 'nan' is not a finite number"),
    "bds underscore": ("bds", with_cell(5, 2, "1_0"), "line 5, column 2 (Fx[N])"),
    "bds a column less": ("bds", lambda x: [*x[:4], x[4].rpartition("\t")[0], *x[5:]], "line 5 has 8 columns"),
    "bds lost line": ("bds", without(7), "line 7, column 1 (time): time jumps: 0.05 s, then 0.07 s"),
    "bds doubled line": ("bds", lambda x: [*x[:7], x[6], *x[7:]], "line 8, column 1 (time): time does not increase"),
    "bds another CoP": ("bds", with_cell(6, 9, "1.5"), "line 6, column 9 (COPy[cm]): 1.5 cm, but force and moment"),
    "bds another moment": ("bds", with_cell(6, 6, "1.5"), "line 6, column 8 (COPx[cm])"),
    "bds before zero": ("bds", with_cell(2, 1, "-0.010"), "line 2, column 1 (Time[s]): begins at -0.01 s"),
    "emed no picture": ("emed", replaced("Pict-No.", "MVP"), "holds no picture"),
    "emed no titles": ("emed", replaced("Pict-No.", "Nr."), "the page has no title"),
    "emed another sensor": ("emed", replaced("0.500x0.500", "0.700x0.700"), "sensor size is Sensor size: 0.700x0.700"),
    "emed no time": ("emed", replaced("Time/picture:10.0 ms", ""), "no time per picture"),
    "emed time of nothing": ("emed", replaced("10.0 ms", "0.0 ms"), "no time per picture"),
    "emed text": ("emed", with_cell(11, 2, "x"), "line 11, column 2 (c26): 'x' is not a finite number"),
    "emed another force": ("emed", with_cell(11, 5, "9.99"), "line 11: printed force 9.99 N, but its pressures give"),
    "emed another total": ("emed", with_cell(15, 5, "99.99"), "line 15: printed force 99.99 N"),
    "emed another pressure": ("emed", with_cell(12, 3, "330.00"), "line 12: printed force"),
    "emed negative": ("emed", with_cell(12, 3, "-5.00"), "line 12, column 3 (c27): -5 kPa, valid 0..3000"),
    "emed lost row of forces": ("emed", without(15), "the picture does not end with its line of forces"),
    "emed rows out of order": ("emed", with_cell(12, 1, "29"), "row numbers do not rise"),
    "emed beyond the plate": ("emed", replaced("26\t27\t28", "26\t27\t65"), "column numbers do not rise from 1 to 64"),
    "emed header of words": ("emed", replaced("26\t27\t28", "a\tb\tc"), "is not a line of column numbers"),
    "emed lost picture": ("emed", replaced("Pict-No.: 2", "Pict-No.: 4"), "picture 4 where 2 should follow"),
    "emed cut off in a page head": ("emed", lambda x: x[:-9], "the page has no title: cut off"),
    "emed cut off in a table": ("emed", lambda x: x[:-4], "the picture does not end with its line of forces"),
    "emed cut off behind the title": ("emed", lambda x: x[:-7], "the picture has no table"),
    "fscan no data": ("fscan", lambda x: x[:10], "no line 'ASCII_DATA'"),
    "fscan another sensor": ("fscan", replaced("SENSOR_TYPE FSCAN", "SENSOR_TYPE 3000"), "SENSOR_TYPE is '3000'"),
    "fscan psi": ("fscan", replaced("UNITS KPa", "UNITS PSI"), "UNITS is 'PSI', expected 'KPa'"),
    "fscan mirrored": ("fscan", replaced("MIRROR_ROW 0", "MIRROR_ROW 1"), "MIRROR_ROW is '1'"),
    "fscan no rate": ("fscan", replaced("SECONDS_PER_FRAME 0.02", "SECONDS_PER_FRAME"), "SECONDS_PER_FRAME"),
    "fscan rate of nothing": ("fscan", replaced("SECONDS_PER_FRAME 0.02", "SECONDS_PER_FRAME 0"), "FRAME is 0"),
    "fscan frames backwards": ("fscan", replaced("END_FRAME 3", "END_FRAME 0"), "START_FRAME 1, END_FRAME 0"),
    "fscan fewer frames": ("fscan", lambda x: x[:100], "no line 'Frame 3'"),
    "fscan last frame cut": ("fscan", lambda x: x[:-9], "the last frame is cut off"),
    "fscan more frames": ("fscan", replaced("END_FRAME 3", "END_FRAME 2"), "is not expected: 2 frames are announced"),
    "fscan lost row": ("fscan", without(25), "no line 'Frame 2'"),
    "fscan text": ("fscan", with_cell(20, 5, "x", ","), "line 20, column 5 (c05): 'x' is not a finite number"),
    "fscan a column less": ("fscan", lambda x: [*x[:19], x[19].rpartition(",")[0], *x[20:]], "line 20 has 20 columns"),
    "fscan negative": ("fscan", with_cell(20, 5, "-3", ","), "line 20, column 5 (c05): -3 kPa"),
    "fscan moving edge": ("fscan", with_cell(90, 5, "B", ","), "line 90, column 5 (c05): B the edge of the sole moves"),
    "fscan all outside": (
        "fscan",
        lambda x: [",".join("B" * 21) if line.startswith("B,B") else line for line in x],
        "every place is marked 'B'",
    ),
    "fscan two sides": ("fscan", replaced("walkL.fsx", "walkR.fsx"), "named for one foot"),
    "pedar no columns": ("pedar", replaced("time[secs]", "t"), "begins with 'time[secs]'"),
    "pedar no frames": ("pedar", lambda x: x[:10], "no frame under"),
    "pedar no rate": ("pedar", replaced("scanning rate [Hz]:   100", ""), "no scanning rate"),
    "pedar rate of nothing": ("pedar", replaced("[Hz]:   100", "[Hz]:   0"), "no scanning rate"),
    "pedar another rate": ("pedar", replaced("[Hz]:   100", "[Hz]:   50"), "time jumps"),
    "pedar N/cm2": ("pedar", replaced("values in  kPa", "values in  N/cm^2"), "pressure values in N/cm^2"),
    "pedar right foot first": ("pedar", lambda x: [*x[:6], x[7], x[6], *x[8:]], "mask definition (right insole, left"),
    "pedar one insole": ("pedar", without(8), "mask definition (left insole) is not"),
    "pedar a mask of fewer": ("pedar", replaced("left insole: 1,2,", "left insole: 2,"), "mask definition"),
    "pedar a column less": (
        "pedar",
        lambda x: [*x[:11], x[11].rpartition("\t")[0], *x[12:]],
        "line 12 has 198 columns",
    ),
    "pedar text": ("pedar", with_cell(12, 3, "x"), "line 12, column 3 (L02): 'x' is not a finite number"),
    "pedar negative": ("pedar", with_cell(12, 102, "-9"), "line 12, column 102 (R02): -9 kPa, valid 0..3000"),
    "pedar lost frame": ("pedar", without(12), "line 12, column 1 (time): time jumps"),
    "stappone header": ("stappone", replaced("pressure_12", "pressure_13"), "line 1 is not the header"),
    "stappone only a header": ("stappone", lambda x: x[:1], "no line of numbers"),
    "stappone text": ("stappone", with_cell(3, 12, "x", ","), "line 3, column 12 (pressure_01): 'x' is not a finite"),
    "stappone negative": ("stappone", with_cell(3, 12, "-1", ","), "line 3, column 12 (pressure_01): -1 is not valid"),
    "stappone flag": ("stappone", with_cell(3, 24, "7", ","), "line 3, column 24 (corrupt): 7 is not valid"),
    "stappone sole": ("stappone", with_cell(3, 1, "1.5", ","), "line 3, column 1 (sole_id): 1.5 is not valid"),
    "stappone a column less": ("stappone", lambda x: [*x[:4], x[4][:-2]], "line 5 has 23 columns instead of 24"),
    "stappone time back": ("stappone", lambda x: [*x[:5], x[3], *x[5:]], "line 6, column 2 (timestamp): time does not"),
    "stappone one row": ("stappone", lambda x: x[:2], "no two whole rows follow each other"),
    "stappone all corrupt": ("stappone", lambda x: [x[0], *(f"{line[:-1]}1" for line in x[1:])], "no two whole rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_file_and_place(name: str, tmp_path: Path) -> None:
    device, edit, expected = BAD[name]
    path = written(tmp_path, device, edit)
    with pytest.raises(RecordingError) as caught:
        read(device, path)
    assert caught.value.detail.startswith(f"{path}: ")
    assert expected in caught.value.detail


@pytest.mark.parametrize("device", READERS)
def test_what_is_no_text_is_refused_by_name(device: str, tmp_path: Path) -> None:
    good = written(tmp_path, device).read_bytes()
    odd = {
        "empty": b"",
        "blank": b" \r\n\t\r\n",
        "noise": np.random.default_rng(1).bytes(4_000),
        "cut": gzip.compress(good)[:-9],
        "bare": gzip.compress(good)[:12],
        "flipped": bytes([byte ^ (0x20 if place == 300 else 0) for place, byte in enumerate(gzip.compress(good))]),
    }
    for name, content in odd.items():
        path = tmp_path / f"{name}.gz"
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=name):
            read(device, path)
        assert not READERS[device].recognises(path) or name in ("cut", "flipped")
    for path in (tmp_path / "nowhere.txt", tmp_path):
        with pytest.raises(RecordingError, match="cannot be read"):
            read(device, path)


@pytest.mark.parametrize("device", READERS)
def test_cut_anywhere_a_file_is_refused_or_shorter(device: str, tmp_path: Path) -> None:
    content = written(tmp_path, device).read_bytes()
    whole = sum(recording.samples.size for recording in read(device, tmp_path / MAKERS[device][1]))
    path = tmp_path / f"part_{MAKERS[device][1]}"
    for kept in np.linspace(1, len(content) - 3, 60).astype(int):
        path.write_bytes(content[:kept])
        try:
            assert sum(recording.samples.size for recording in read(device, path)) <= whole
        except RecordingError as error:
            assert error.detail.startswith(str(path))


@pytest.mark.data
def test_the_public_files_are_read_whole(brain_data: Path) -> None:
    folder = brain_data / "health" / "plantar"
    shapes = {
        "emed_test.lst.gz": (emed, "EMED", (106, 54 * 22), 100.0),
        "pedar_example.asc.gz": (pedar, "PEDAR_Y", (1_505, 198), 100.0),
        "fscan_testL.asf.gz": (fscan, "FSCAN_LEFT", (205, 955), 31.25),
        "stappone_example.csv.gz": (stappone, "STAPPONE", (4_575, 12), 62.5),
    }
    for name, (module, sensor_type, shape, rate_hz) in shapes.items():
        recording = module.read_recordings(str(folder / name))[0]
        assert module.recognises(folder / name)
        assert recording.sensor_type == sensor_type
        assert recording.samples.shape == shape
        assert recording.sample_rate_hz == pytest.approx(rate_hz)
        assert recording.samples.max() <= PRESSURE_DEVICES[sensor_type].valid_max


@pytest.mark.data
def test_every_public_balance_trial_is_readable(brain_data: Path) -> None:
    paths = sorted((brain_data / "health" / "bds").glob("BDS0*.txt.gz"))
    assert len(paths) == 60
    for path in paths:
        assert bds.recognises(path)
        (trial,) = bds.read_recordings(str(path))
        assert trial.samples.shape == (6_000, 6)
