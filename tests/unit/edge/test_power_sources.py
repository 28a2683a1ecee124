"""Readers of power recordings: what they read, and how they name what they cannot."""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edge.framer import Stamp, frame
from edge.framing import Framing
from edge.identity import Identity
from edge.recordings import alucol, comtrade, household, plaid
from edge.recordings.even_runs import Grid, cut_runs
from edge.recordings.recording import Recording
from schemas.envelope import unseal
from schemas.errors import InvalidMessage, RecordingError
from schemas.proto.envelope_pb2 import CounterReading, SampleBlock
from schemas.samples import decode_samples

READERS: tuple[ModuleType, ...] = (plaid, comtrade, alucol, household)


def write_plaid(path: Path, **arrays: np.ndarray) -> Path:
    given = {"voltage": np.arange(1_500.0).reshape(3, 500), "current": np.ones((3, 500)), "label": np.array([1, 2, 3])}
    np.savez_compressed(path, **(given | arrays))
    return path


CFG = """station,device,1999
3,3A,0D
1,Ia,A,line,A,0.5,1,,-99999,99999,1,1,P
2,U1,V1,line,kV,0.001,0,,-99999,99999,1,1,P
3,U4,V4,line,V,1,0,,-99999,99999,1,1,P
50
1
1000,4
01/01/2020,00:00:00.0
01/01/2020,00:00:00.0
ASCII
1
"""
DAT = "1,,10,100,7\r\n2,,-10,-100,7\r\n3,,0,50,7\r\n4,,2,0,7\r\n\x1a"


def write_comtrade(folder: Path, cfg: str = CFG, dat: str | None = DAT) -> Path:
    folder.mkdir(exist_ok=True)
    if dat is not None:
        (folder / "fault.DAT").write_bytes(dat.encode("latin-1"))
    path = folder / "fault.CFG"
    path.write_bytes(cfg.encode("latin-1"))
    return path


def analyser_row(number: int, second: int, *, amp: str = "500.0", cosine: str = "0.98") -> str:
    values = (
        "240.0,241.0,242.0,0.5," + amp + ",501.0,502.0,-7.7,-135.9,-248.5,350000,360000,70000,0.99,0.96,0.99," + cosine
    )
    return f"{number},2019-08-31,11:{second // 60:02d}:{second % 60:02d} PM.135,{values}"


def write_analyser(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([",".join(alucol.HEADER), *rows]) + "\n")
    return path


def household_row(minute: int, *, power: str = "1.5", day: str = "16/12/2006") -> str:
    return f"{day};17:{minute:02d}:00;{power};0.4;234.84;18.4;0.000;1.000;17.000"


def write_household(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([";".join(household.HEADER), *rows]) + "\n")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[ModuleType, Path]:
    return {
        plaid: write_plaid(tmp_path / "plaid.npz"),
        comtrade: write_comtrade(tmp_path),
        alucol: write_analyser(tmp_path / "meter.csv", analyser_row(0, 0), analyser_row(1, 30)),
        household: write_household(tmp_path / "house.txt", household_row(1), household_row(2)),
    }


def test_every_reader_knows_its_own_files_and_no_others(files: dict[ModuleType, Path], tmp_path: Path) -> None:
    strange = tmp_path / "strange.bin"
    strange.write_bytes(b"\x00\xff" * 100)
    for reader in READERS:
        for owner, path in files.items():
            assert reader.recognises(path) is (owner is reader)
        assert reader.recognises(strange) is False
        assert reader.recognises(tmp_path / "absent.npz") is False
        assert reader.recognises(tmp_path) is False


def test_recordings_of_one_measurement_share_their_name_and_fit_into_frames(files: dict[ModuleType, Path]) -> None:
    identity = Identity(tenant_id="lab", site_id="hall", device_id="meter", session_id="s", boot_id="b")
    for reader, path in files.items():
        recordings = [
            recording
            for address in reader.expand_address(str(path))[:1]
            for recording in reader.read_recordings(address)
        ]
        assert len({recording.name for recording in recordings}) == 1
        assert {"VOLT", "AMP"} <= {recording.sensor_type for recording in recordings}
        for recording in recordings:
            assert np.isfinite(recording.samples).all()
            taken = next(recording.measurements(0, Framing(block_s=3_600.0)))
            record = frame(taken.measurement, identity, Stamp(0), Framing())
            envelope = unseal(record.value)
            if recording.register is None:
                block = SampleBlock.FromString(envelope.payload)
                assert decode_samples(block) == pytest.approx(recording.samples, rel=1e-6)
            else:
                assert CounterReading.FromString(envelope.payload).value == recording.samples[0, 0]


def test_a_run_ends_at_lost_rows_and_at_gaps() -> None:
    values = np.array([[1.0], [2.0], [np.nan], [4.0], [5.0], [6.0]])
    runs = cut_runs("x", "VOLT", ("value",), values, Grid(30.0, np.array([0, 1, 2, 3, 4, 9]), 5.0))
    assert [(run.start_s, run.samples[:, 0].tolist()) for run in runs] == [
        (5.0, [1.0, 2.0]),
        (95.0, [4.0, 5.0]),
        (275.0, [6.0]),
    ]
    assert cut_runs("x", "VOLT", ("value",), np.full((3, 1), np.nan), Grid(1.0, np.arange(3))) == []


class TestPlaid:
    """One cycle of voltage and current each."""

    def test_an_event_is_two_recordings_of_one_device(self, tmp_path: Path) -> None:
        path = write_plaid(tmp_path / "plaid.npz")
        assert plaid.expand_address(str(path)) == [f"{path}#{number}" for number in range(3)]
        volt, amp = plaid.read_recordings(f"{path}#1")
        assert (volt.name, amp.name) == ("plaid-001", "plaid-001")
        assert (volt.sensor_type, volt.unit, amp.sensor_type, amp.unit) == ("VOLT", "V", "AMP", "A")
        assert volt.channels == ("value",)
        assert volt.sample_rate_hz == 30_000.0
        assert volt.samples[:, 0].tolist() == list(range(500, 1_000))

    def test_the_label_changes_nothing(self, tmp_path: Path) -> None:
        first = plaid.read_recordings(f"{write_plaid(tmp_path / 'a.npz', label=np.array([1, 2, 3]))}#2")
        second = plaid.read_recordings(f"{write_plaid(tmp_path / 'a.npz', label=np.array([9, 9, 9]))}#2")
        assert [each.name for each in first] == [each.name for each in second]
        assert all(np.array_equal(one.samples, two.samples) for one, two in zip(first, second, strict=True))

    @pytest.mark.parametrize("event", ["3", "-1", "x", "", "1.0", "٣", "9" * 30])
    def test_an_unknown_event_is_named(self, tmp_path: Path, event: str) -> None:
        path = write_plaid(tmp_path / "plaid.npz")
        with pytest.raises(RecordingError, match=r"has no event .*; it holds 0 to 2"):
            plaid.read_recordings(f"{path}#{event}")

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            (
                {"voltage": np.zeros((3, 499))},
                r"array 'voltage' is float64 \(3, 499\), expected float64 \(n >= 1, 500\)",
            ),
            ({"voltage": np.zeros((0, 500))}, r"array 'voltage' is float64 \(0, 500\)"),
            ({"current": np.zeros((3, 500), dtype=np.int16)}, r"array 'current' is int16"),
            ({"current": np.zeros((2, 500))}, r"differ in their number of events: \[2, 3\]"),
            ({"current": np.full((3, 500), np.nan)}, r"array 'current', event 1, sample 0: nan A is out of range"),
            ({"voltage": np.full((3, 500), 1e6)}, r"array 'voltage', event 1, sample 0: 1e\+06 V is out of range"),
        ],
    )
    def test_a_wrong_array_is_named(self, tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
        path = write_plaid(tmp_path / "plaid.npz", **arrays)
        with pytest.raises(RecordingError, match=message):
            plaid.read_recordings(f"{path}#1")

    def test_archives_that_are_none_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "plaid.npz"
        for content in (b"", b"PK\x03\x04 cut off", b"no archive"):
            path.write_bytes(content)
            with pytest.raises(RecordingError, match=r"plaid\.npz: cannot be read as an npz archive"):
                plaid.expand_address(str(path))
        with path.open("wb") as target:
            np.save(target, np.zeros(3))
        with pytest.raises(RecordingError, match="single array"):
            plaid.expand_address(str(path))
        np.savez(path, voltage=np.array([[None] * 500], dtype=object), current=np.zeros((1, 500)))
        with pytest.raises(RecordingError, match="array 'voltage' cannot be read"):
            plaid.read_recordings(f"{path}#0")
        np.savez(path, other=np.zeros(3))
        with pytest.raises(RecordingError, match="has no array 'voltage'"):
            plaid.expand_address(str(path))
        with pytest.raises(RecordingError, match="name one of its events"):
            plaid.read_recordings(str(path))

    def test_a_cut_archive_is_named_at_every_length(self, tmp_path: Path) -> None:
        path = write_plaid(tmp_path / "plaid.npz")
        whole = path.read_bytes()
        for length in range(0, len(whole) - 1, 97):
            path.write_bytes(whole[:length])
            with pytest.raises(RecordingError, match=r"plaid\.npz"):
                plaid.read_recordings(f"{path}#0")


class TestComtrade:
    """IEEE C37.111-1999, ASCII."""

    def test_channels_are_scaled_and_put_on_their_phases(self, tmp_path: Path) -> None:
        volt, amp = comtrade.read_recordings(str(write_comtrade(tmp_path)))
        assert (volt.sensor_type, volt.channels, amp.sensor_type, amp.channels) == ("VOLT", ("L1",), "AMP", ("L1",))
        assert volt.samples[:, 0] == pytest.approx([100.0, -100.0, 50.0, 0.0])
        assert amp.samples[:, 0] == pytest.approx([6.0, -4.0, 1.0, 2.0])
        assert (volt.sample_rate_hz, volt.name) == (1_000.0, "fault")

    def test_secondary_values_become_primary_ones(self, tmp_path: Path) -> None:
        cfg = CFG.replace("99999,1,1,P", "99999,100,5,S", 1)
        _, amp = comtrade.read_recordings(str(write_comtrade(tmp_path, cfg)))
        assert amp.samples[0, 0] == pytest.approx(120.0)

    def test_a_lost_sample_cuts_the_recording_of_its_sensor(self, tmp_path: Path) -> None:
        recordings = comtrade.read_recordings(str(write_comtrade(tmp_path, dat=DAT.replace("-10,", "99999,"))))
        assert [(each.sensor_type, each.start_s, len(each.samples)) for each in recordings] == [
            ("VOLT", 0.0, 4),
            ("AMP", 0.0, 1),
            ("AMP", 0.002, 2),
        ]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("device,1999", "device,1991", "CFG: line 1 is not that of a COMTRADE record of revision 1999"),
            ("3,3A,0D", "three", "CFG: line 2 does not count the channels"),
            ("3,3A,0D", "4,3A,0D", "CFG: line 2: 4 channels, but 3 analogue and 0 status"),
            (",-99999,99999,1,1,P", ",1,1,P", "CFG: line 3 has 11 fields instead of 13"),
            ("0.5,1,", "half,1,", "CFG: line 3, field 6: 'half' is not a number"),
            ("0.5,1,", "1e999,1,", "CFG: line 3, field 6: '1e999' is not a number"),
            ("0.5,1,,", "0.5,1,20,", "CFG: line 3, field 8: a skew"),
            ("99999,1,1,P", "99999,1,0,S", "CFG: line 3, field 12: a secondary of 0"),
            ("2,U1,V1,line,kV", "2,U1,A,line,A", "CFG: two channels of the same quantity and phase"),
            ("50\n1\n", "50\n2\n", "CFG: line 7: '2' sample rates"),
            ("1000,4", "1000", "CFG: line 8 is not a rate and a last sample"),
            ("1000,4", "0,4", "CFG: line 8, field 1: 0 samples per second"),
            ("1000,4", "1e6,4", "CFG: line 8, field 1"),
            ("1000,4", "1000,4.5", "CFG: line 8, field 2: 4.5 samples"),
            ("1000,4", "1000,5", "DAT: has 4 samples, the CFG says 5"),
            ("ASCII\n1\n", "BINARY\n1\n", "CFG: line 11: file type 'BINARY'"),
            ("01/01/2020,00:00:00.0\nASCII\n1\n", "", "CFG: ends after line"),
            ("0.001,0", "1e9,0", "CFG: sample 1: VOLT 1e\\+14 V is out of range"),
            (",line,A,", ",line,degC,", None),
        ],
    )
    def test_what_is_wrong_with_a_configuration_is_named(
        self, tmp_path: Path, old: str, new: str, message: str | None
    ) -> None:
        assert old in CFG
        path = write_comtrade(tmp_path, CFG.replace(old, new, 1))
        if message is None:
            assert [each.sensor_type for each in comtrade.read_recordings(str(path))] == ["VOLT"]
            return
        with pytest.raises(RecordingError, match=message):
            comtrade.read_recordings(str(path))

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("2,,-10,-100,7", "2,,-10,-100", "DAT: line 2 has 4 columns instead of 5"),
            ("2,,-10,-100,7", "3,,-10,-100,7", "DAT: line 2, column 1: sample '3', expected 2"),
            ("2,,-10,-100,7", "2,,-10,x,7", "DAT: line 2, column 4: 'x' is not a whole number"),
            ("2,,-10,-100,7", "2,,-10,1_0,7", "DAT: line 2, column 4: '1_0' is not a whole number"),
            ("2,,-10,-100,7", "2,,-10,1.5,7", "DAT: line 2, column 4: '1.5' is not a whole number"),
            ("2,,-10,-100,7\r\n", "", "DAT: has 3 samples, the CFG says 4"),
            (DAT, "", "DAT: the file is empty"),
        ],
    )
    def test_what_is_wrong_with_the_data_is_named(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        path = write_comtrade(tmp_path, dat=DAT.replace(old, new, 1))
        with pytest.raises(RecordingError, match=message):
            comtrade.read_recordings(str(path))

    def test_missing_files_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match=r"there is no fault\.DAT beside it"):
            comtrade.read_recordings(str(write_comtrade(tmp_path, dat=None)))
        with pytest.raises(RecordingError, match=r"absent\.cfg: cannot be read"):
            comtrade.read_recordings(str(tmp_path / "absent.cfg"))


class TestAnalyser:
    """Rows of 30 s."""

    def test_overflowed_rows_are_rejected_counted_and_cut_the_recordings(self, tmp_path: Path) -> None:
        rows = [analyser_row(number, 30 * number) for number in range(6)]
        rows[2] = analyser_row(2, 60, cosine="327.67")
        rows[4] = analyser_row(4, 120, amp="12000.0")
        log = alucol.read_log(str(write_analyser(tmp_path / "meter.csv", *rows)))
        assert (log.rows, log.rejected_lines) == (6, (4, 6))
        volts = [each for each in log.recordings if each.sensor_type == "VOLT"]
        midnight_s = 23 * 3_600 + 0.135
        assert [(each.start_s, len(each.samples)) for each in volts] == [
            (midnight_s, 2),
            (midnight_s + 90.0, 1),
            (midnight_s + 150.0, 1),
        ]
        assert volts[0].channels == ("L1", "L2", "L3")
        assert volts[0].samples[0].tolist() == [240.0, 241.0, 242.0]
        assert volts[0].sample_rate_hz == pytest.approx(1 / 30.0)
        watts = next(each for each in log.recordings if each.sensor_type == "WATT")
        assert (watts.channels, watts.samples[0, 0]) == (("value",), 350_000.0)

    def test_rows_without_voltage_are_an_interruption_and_stay(self, tmp_path: Path) -> None:
        dead = analyser_row(1, 30).replace("240.0,241.0,242.0", "0.2,0.02,0.06")
        log = alucol.read_log(str(write_analyser(tmp_path / "meter.csv", analyser_row(0, 0), dead)))
        assert log.rejected_lines == ()
        assert log.recordings[0].samples[1].tolist() == [0.2, 0.02, 0.06]

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (
                lambda row: row.replace("2019-08-31", "2019-02-30"),
                r"line 3, column 2 \(Date\): '2019-02-30' is not a date",
            ),
            (lambda row: row.replace("PM", "XM"), r"line 3, column 3 \(Time\): .* is not a time"),
            (lambda row: row.replace("11:00", "13:00"), r"line 3, column 3 \(Time\)"),
            (lambda row: row.replace("11:00:30", "11:00:00"), r"line 3, column 3 \(Time\): 0 s after the first row"),
            (lambda row: row.replace("11:00:30", "11:00:44"), r"line 3, column 3 \(Time\): 44 s after the first row"),
            (lambda row: row.replace("501.0", "?"), r"line 3, column 6 \(Current B Avg\): '\?' is not a finite number"),
            (
                lambda row: row.replace("501.0", "nan"),
                r"line 3, column 6 \(Current B Avg\): 'nan' is not a finite number",
            ),
            (lambda row: row + ",1", r"line 3 has 21 columns instead of 20"),
            (lambda row: row[:30], r"line 3 has 4 columns instead of 20"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, edit: Callable[[str], str], message: str) -> None:
        path = write_analyser(tmp_path / "meter.csv", analyser_row(0, 0), edit(analyser_row(1, 30)))
        with pytest.raises(RecordingError, match=message):
            alucol.read_recordings(str(path))

    def test_a_file_without_a_usable_row_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="none of its 1 rows is usable"):
            alucol.read_log(str(write_analyser(tmp_path / "meter.csv", analyser_row(0, 0, cosine="327.67"))))
        with pytest.raises(RecordingError, match="no line of numbers under the header"):
            alucol.read_log(str(write_analyser(tmp_path / "meter.csv")))


class TestHousehold:
    """Rows of one minute."""

    def test_power_is_in_watt_and_gaps_and_question_marks_cut(self, tmp_path: Path) -> None:
        rows = [household_row(minute) for minute in (24, 25, 29, 30, 31)]
        rows[3] = household_row(30, power="?")
        recordings = household.read_recordings(str(write_household(tmp_path / "house.txt", *rows)))
        register = [recording for recording in recordings if recording.register is not None]
        recordings = [recording for recording in recordings if recording.register is None]
        # 1.5 kW are 25 Wh a minute; where the power is not known the register stands still.
        assert [recording.samples[:, 0].tolist() for recording in register] == [[0.0, 0.025], [0.05], [0.075]]
        assert {(recording.sensor_type, recording.unit) for recording in register} == {("KWH", "kWh")}
        start_s = (17 * 60 + 24) * 60.0
        assert [(each.sensor_type, each.start_s - start_s, len(each.samples)) for each in recordings] == [
            ("WATT", 0.0, 2),
            ("WATT", 300.0, 1),
            ("WATT", 420.0, 1),
            ("VOLT", 0.0, 2),
            ("VOLT", 300.0, 3),
            ("AMP", 0.0, 2),
            ("AMP", 300.0, 3),
        ]
        assert recordings[0].samples[:, 0].tolist() == [1_500.0, 1_500.0]
        assert recordings[0].sample_rate_hz == pytest.approx(1 / 60.0)

    def test_gzipped_text_is_the_same(self, tmp_path: Path) -> None:
        plain = write_household(tmp_path / "house.txt", household_row(1), household_row(2))
        packed = tmp_path / "house.txt.gz"
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        one, two = (household.read_recordings(str(path)) for path in (plain, packed))
        assert household.recognises(packed)
        assert [(each.name, each.samples.tolist()) for each in one] == [
            (each.name, each.samples.tolist()) for each in two
        ]
        packed.write_bytes(packed.read_bytes()[:-9])
        with pytest.raises(RecordingError, match=r"house\.txt\.gz: the gzip file is"):
            household.read_recordings(str(packed))

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (household_row(2, day="31/2/2007"), r"line 3, column 1 \(Date\): '31/2/2007' is not a date d/m/yyyy"),
            (household_row(2).replace("17:02", "25:02"), r"line 3, column 2 \(Time\)"),
            (household_row(2).replace("17:02:00", "17:02:30"), r"line 3, column 2 \(Time\): .* not a whole minute"),
            (household_row(1), r"line 3, column 2 \(Time\): time does not increase"),
            (household_row(2, power="one"), r"line 3, column 3 \(Global_active_power\): 'one' is not a number"),
            (household_row(2, power="1e5"), r"line 3, column 3 \(Global_active_power\): '1e5' is not a number"),
            (household_row(2, power="nan"), r"line 3, column 3 \(Global_active_power\): 'nan' is not a number"),
            (household_row(2).replace("234.84", "234840000"), r"line 3, column 5 \(Voltage\): out of range"),
            (household_row(2) + ";1", "line 3 has 10 columns instead of 9"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, row: str, message: str) -> None:
        path = write_household(tmp_path / "house.txt", household_row(1), row)
        with pytest.raises(RecordingError, match=message):
            household.read_recordings(str(path))

    def test_files_without_values_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="no row under the header"):
            household.read_recordings(str(write_household(tmp_path / "house.txt")))
        missing = household_row(1).rsplit(";", 7)[0] + ";?" * 7
        with pytest.raises(RecordingError, match="every value of its 1 rows is missing"):
            household.read_recordings(str(write_household(tmp_path / "house.txt", missing)))


@pytest.mark.parametrize("reader", [alucol, household, comtrade], ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_foreign_content_is_named_and_never_anything_but_a_recording_error(reader: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "file.cfg"
    (tmp_path / "file.DAT").write_text(DAT)
    random = np.random.default_rng(3)
    for content in (
        b"",
        b"\n\n",
        b"a;b\nc",
        b"\x00" * 500,
        random.bytes(2_000),
        b"\x1f\x8b\x08broken",
        CFG.encode()[:40],
    ):
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=r"file\.cfg"):
            reader.read_recordings(str(path))
    with pytest.raises(InvalidMessage):
        reader.read_recordings(str(tmp_path))


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_a_flipped_byte_anywhere_is_read_or_named(reader: ModuleType, files: dict[ModuleType, Path]) -> None:
    path = files[reader]
    whole = path.read_bytes()
    random = np.random.default_rng(11)
    address = f"{path}#0" if reader is plaid else str(path)
    read: list[Recording] = []
    for position in random.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[position] ^= int(random.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            read += reader.read_recordings(address)
        except RecordingError as error:
            assert path.stem in str(error)
    assert all(np.isfinite(recording.samples).all() for recording in read)


@pytest.mark.data
def test_the_comtrade_reader_agrees_with_the_comtrade_package(brain_data: Path) -> None:
    package = importlib.import_module("comtrade")
    path = brain_data / "power" / "comtrade_keating" / "keating_1999.CFG"
    volt, amp = comtrade.read_recordings(str(path))
    theirs = package.Comtrade(ignore_warnings=True)
    text = path.with_suffix(".DAT").read_text().replace("\x1a", "")
    theirs.read(path.read_text(), text)
    expected = np.array(theirs.analog)
    assert pytest.approx(expected[0:3], rel=1e-6) == amp.samples.T
    assert pytest.approx(expected[4:7], rel=1e-6) == volt.samples.T
    assert volt.sample_rate_hz == pytest.approx(30_707.244140625)
    assert volt.samples.shape == (2_048, 3)
