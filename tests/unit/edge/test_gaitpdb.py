from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.recordings.gaitpdb import expand_address, read_recordings, recognises
from edge.recordings.recording import Recording
from edge.testing import write_gaitpdb_archive, write_gaitpdb_text
from schemas.errors import InvalidMessage, RecordingError

Lines = list[str]


def read_recording(address: str) -> Recording:
    (recording,) = read_recordings(address)
    return recording


@pytest.fixture
def text_file(walk: Recording, tmp_path: Path) -> Path:
    return write_gaitpdb_text(walk, tmp_path / "WalkCo01_01.txt")


def _edited(path: Path, edit: Callable[[Lines], Lines]) -> str:
    lines = path.read_text().splitlines()
    path.write_text("\n".join(edit(lines)) + "\n")
    return str(path)


def _with_cell(lines: Lines, line: int, column: int, text: str) -> Lines:
    cells = lines[line - 1].split("\t")
    cells[column - 1] = text
    return [*lines[: line - 1], "\t".join(cells), *lines[line:]]


def test_text_is_read_as_it_was_written(text_file: Path, walk: Recording) -> None:
    recording = read_recording(str(text_file))
    assert recording.name == "WalkCo01_01"
    assert (recording.sensor_type, recording.unit, recording.sample_rate_hz) == ("GRF", "N", 100.0)
    assert recording.channels == tuple(f"{side}{number}" for side in "LR" for number in range(1, 9))
    assert recording.start_s == 0.0
    assert np.array_equal(recording.samples, walk.samples)
    assert recording.samples.dtype == np.float64


def test_gzipped_text_is_the_same_recording_whatever_the_suffix(text_file: Path, tmp_path: Path) -> None:
    for name in ("WalkCo01_01.txt.gz", "WalkCo01_01.txt"):
        packed = tmp_path / "packed" / name
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(gzip.compress(text_file.read_bytes()))
        recording = read_recording(str(packed))
        assert recording.name == "WalkCo01_01"
        assert np.array_equal(recording.samples, read_recording(str(text_file)).samples)


def test_archive_holds_the_same_forces_and_begins_one_sample_later(tmp_path: Path, walk: Recording) -> None:
    archive = write_gaitpdb_archive([walk], tmp_path / "pack.npz")
    recording = read_recording(f"{archive}#WalkCo01_01")
    assert recording.name == "WalkCo01_01"
    assert recording.start_s == 0.01
    assert np.array_equal(recording.samples, walk.samples)


def test_bare_archive_means_all_its_records(tmp_path: Path, walk: Recording) -> None:
    other = Recording("Other", walk.sensor_type, walk.channels, walk.unit, walk.sample_rate_hz, walk.samples)
    archive = write_gaitpdb_archive([walk, other], tmp_path / "pack.npz")
    assert expand_address(str(archive)) == [f"{archive}#WalkCo01_01", f"{archive}#Other"]
    assert expand_address(f"{archive}#Other") == [f"{archive}#Other"]


def test_hash_in_a_text_file_name_is_part_of_the_name(walk: Recording, tmp_path: Path) -> None:
    path = write_gaitpdb_text(walk, tmp_path / "take#2.txt")
    assert expand_address(str(path)) == [str(path)]
    assert read_recording(str(path)).name == "take#2"


def test_one_line_and_blank_lines_are_no_fault(text_file: Path) -> None:
    address = _edited(text_file, lambda lines: ["", lines[0], ""])
    assert read_recording(address).samples.shape == (1, 16)


BAD_TEXTS: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "missing columns": (lambda x: [*x[:4], x[4].rsplit("\t", 3)[0], *x[5:]], "line 5 has 16 columns instead of 19"),
    "missing columns everywhere": (lambda x: [line.rsplit("\t", 1)[0] for line in x], "line 1 has 18 columns"),
    "too many columns": (lambda x: [*x[:4], x[4] + "\t1.0", *x[5:]], "line 5 has 20 columns instead of 19"),
    "text": (lambda x: _with_cell(x, 6, 3, "heel"), "line 6, column 3 (L2): 'heel' is not a finite number"),
    "decimal comma": (
        lambda x: _with_cell(x, 6, 18, "7,5"),
        "line 6, column 18 (total left): '7,5' is not a finite number",
    ),
    "underscore": (lambda x: _with_cell(x, 6, 3, "1_0"), "line 6, column 3 (L2): '1_0' is not a finite number"),
    "header": (lambda x: ["\t".join(["Time"] * 19), *x], "line 1, column 1 (time): 'Time' is not a finite number"),
    "comment": (lambda x: ["# GaCo", *x], "line 1 has 2 columns instead of 19"),
    "NaN": (lambda x: _with_cell(x, 7, 10, "nan"), "line 7, column 10 (R1): 'nan' is not a finite number"),
    "infinity": (lambda x: _with_cell(x, 7, 17, "-inf"), "line 7, column 17 (R8): '-inf' is not a finite number"),
    "beyond single precision": (
        lambda x: _with_cell(x, 7, 2, "1e39"),
        "line 7, column 2 (L1): '1e39' is not a finite single-precision number",
    ),
    "NaN in time": (lambda x: _with_cell(x, 7, 1, "nan"), "line 7, column 1 (time): 'nan' is not a finite number"),
    "doubled line": (lambda x: [*x[:3], x[2], *x[3:]], "line 4, column 1 (time): time does not increase: 0.02 s"),
    "time going back": (lambda x: [*x[:9], *x[4:]], "line 10, column 1 (time): time does not increase: 0.08 s"),
    "lost line": (lambda x: [*x[:5], *x[6:]], "line 6, column 1 (time): time jumps: 0.04 s, then 0.06 s"),
    "lost line behind a blank one": (lambda x: ["", *x[:5], *x[6:]], "line 7, column 1 (time): time jumps"),
    "before zero": (lambda x: _with_cell(x, 1, 1, "-0.01"), "line 1, column 1 (time): the recording begins at -0.01 s"),
    "wrong total left": (lambda x: _with_cell(x, 8, 18, "99999"), "line 8, column 18 (total left): total 99999 N"),
    "wrong total right": (lambda x: _with_cell(x, 8, 19, "-1"), "line 8, column 19 (total right): total -1 N"),
    "cut in the last line": (lambda x: [*x[:-1], x[-1][:30]], "line 1234 has"),
    "stray byte": (lambda x: _with_cell(x, 3, 5, "1\x00.5"), "line 3, column 5 (L4)"),
    "empty": (lambda x: [], "the file is empty"),
    "only white space": (lambda x: [" ", "\t", ""], "the file is empty"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_text_is_refused_with_file_line_and_column(name: str, text_file: Path) -> None:
    edit, expected = BAD_TEXTS[name]
    address = _edited(text_file, edit)
    with pytest.raises(RecordingError) as caught:
        read_recording(address)
    assert caught.value.detail.startswith(f"{text_file}: {expected}")


def test_another_sample_rate_is_refused(walk: Recording, tmp_path: Path) -> None:
    slow = Recording("slow", walk.sensor_type, walk.channels, walk.unit, 98.0, walk.samples)
    with pytest.raises(RecordingError, match=r"98.00 samples per second, expected 100"):
        read_recording(str(write_gaitpdb_text(slow, tmp_path / "slow.txt")))


@pytest.mark.parametrize("kept", [3, 500, -5, -1])
def test_gzip_that_is_cut_off_is_refused(kept: int, text_file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "cut.txt.gz"
    packed.write_bytes(gzip.compress(text_file.read_bytes())[:kept])
    with pytest.raises(RecordingError, match=r"gzip file is (cut off|damaged)"):
        read_recording(str(packed))


def test_gzip_with_a_flipped_bit_is_refused(text_file: Path, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(text_file.read_bytes()))
    content[len(content) // 2] ^= 0x10
    packed = tmp_path / "flipped.txt.gz"
    packed.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        read_recording(str(packed))
    assert str(packed) in caught.value.detail


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("\n\n" + "\t".join(["0.5"] * 19) + "\n", True),
        ("\t".join(["0.5"] * 18), False),
        ("\t".join(["Time"] * 19), False),
        ("", False),
    ],
    ids=["blank lines first", "18 columns", "header", "empty"],
)
def test_text_is_recognised_by_its_first_line(content: str, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / "walk.txt"
    path.write_text(content)
    assert recognises(path) == expected


def test_archive_is_recognised_by_its_first_array(tmp_path: Path, walk: Recording) -> None:
    assert recognises(write_gaitpdb_archive([walk], tmp_path / "pack.npz"))
    for name, arrays in {"empty": {}, "floats": {"Odd": np.zeros((10, 16))}}.items():
        assert not recognises(_archive(tmp_path / f"{name}.npz", **arrays))
    assert not recognises(tmp_path / "nowhere.npz")


def test_missing_file_and_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.txt: cannot be read: No such file"):
        read_recording(str(tmp_path / "nowhere.txt"))
    with pytest.raises(RecordingError, match="cannot be read: Is a directory"):
        read_recording(str(tmp_path))


def _archive(path: Path, **arrays: NDArray[Any]) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((10, 15), np.uint32),
        np.zeros((0, 16), np.uint32),
        np.zeros(16, np.uint32),
        np.zeros((10, 16), np.float64),
        np.array([{"a": 1}], dtype=object),
    ],
    ids=["15 columns", "no rows", "one axis", "floats", "pickled object"],
)
def test_archive_record_of_another_form_is_refused(array: NDArray[Any], tmp_path: Path) -> None:
    path = _archive(tmp_path / "odd.npz", Odd=array)
    with pytest.raises(RecordingError, match=r"odd\.npz#Odd"):
        read_recording(f"{path}#Odd")


def test_archive_without_the_record_says_what_it_holds(tmp_path: Path, walk: Recording) -> None:
    path = write_gaitpdb_archive([walk], tmp_path / "pack.npz")
    with pytest.raises(RecordingError, match="has no record 'GaCo99_01'; it holds WalkCo01_01"):
        read_recording(f"{path}#GaCo99_01")
    with pytest.raises(RecordingError, match="name one of its records"):
        read_recording(str(path))


def test_damaged_archives_are_refused(tmp_path: Path, walk: Recording) -> None:
    good = write_gaitpdb_archive([walk], tmp_path / "pack.npz").read_bytes()
    cut, text, empty, flipped = (tmp_path / f"{name}.npz" for name in ("cut", "text", "empty", "flipped"))
    cut.write_bytes(good[: len(good) // 2])
    text.write_text("no archive")
    _archive(empty)
    middle = len(good) // 2
    flipped.write_bytes(good[:middle] + bytes([good[middle] ^ 0x40]) + good[middle + 1 :])
    for path in (cut, text, empty, tmp_path / "nowhere.npz"):
        with pytest.raises(RecordingError, match=path.name):
            expand_address(str(path))
    with pytest.raises(RecordingError, match=r"flipped\.npz#WalkCo01_01: cannot be read"):
        read_recording(f"{flipped}#WalkCo01_01")


def test_single_array_under_an_npz_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "single.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros((10, 16), np.uint32))
    with pytest.raises(RecordingError, match="a single array"):
        expand_address(str(path))


def test_recording_errors_are_invalid_messages() -> None:
    assert issubclass(RecordingError, InvalidMessage)
