from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.interpreter import Interpreted, Interpreter
from edge.sources.sensor_settings import ReadingSettings
from schemas.errors import Reason

CLIMATE = {
    "format": {"kind": "json"},
    "time": {"field": "at", "format": "epoch_ms"},
    "sensors": [
        {"sensor_type": "TEMP", "field": "env.temp_f", "unit": "degF"},
        {"sensor_type": "HUMID", "field": "env.rh.0", "unit": "1"},
    ],
}
COLUMNS = {
    "format": {"kind": "text", "columns": ["t", "-", "l1", "l2"], "delimiter": ";", "decimal": ","},
    "sensors": [{"sensor_type": "VOLT", "channels": [{"name": "L1", "field": "l1"}, {"name": "L2", "field": "l2"}]}],
}
PATTERN = {
    "format": {"kind": "text", "pattern": r"T=(?P<t>\S+)( H=(?P<h>\S+))?"},
    "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "h"}],
}
STRUCT = {
    "format": {"kind": "struct", "layout": "<BxhI", "fields": ["n", "raw", "uptime"]},
    "sensors": [
        {
            "sensor_type": "GRF",
            "channels": [{"name": "L1", "field": "raw", "scale": 0.5}],
            "sample_rate_hz": 100,
            "count": {"field": "n"},
        }
    ],
}
NUMBER = {"format": {"kind": "number"}, "sensors": [{"sensor_type": "CO2"}]}
BINARY = {
    "format": {"kind": "number", "type": "int16", "byte_order": "big"},
    "sensors": [{"sensor_type": "TEMP", "scale": 0.01}],
}
LISTS = {
    "format": {"kind": "json"},
    "sensors": [{"sensor_type": "AMP", "channels": ["L1", "L2"], "sample_rate_hz": 1000}],
}
ALL = [CLIMATE, COLUMNS, PATTERN, STRUCT, NUMBER, BINARY, LISTS]


def _read(configuration: dict[str, Any], body: bytes, sensor: str | None = None) -> Interpreted:
    return Interpreter(ReadingSettings.model_validate(configuration)).read(body, sensor)


def _error(configuration: dict[str, Any], body: bytes) -> tuple[Reason, str]:
    said = _read(configuration, body)
    error = said.error()
    assert error is not None
    assert said.values == []
    return error.reason, error.detail


@given(
    st.sampled_from(ALL),
    st.one_of(
        st.binary(max_size=64),
        st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.sampled_from(["at", "env", "temp_f", "rh", "L1", "L2"]), inner, max_size=4),
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_any_bytes_become_values_or_reasons_and_never_an_error(configuration: dict[str, Any], body: bytes) -> None:
    said = _read(configuration, body)
    assert said.values or said.errors
    for one in said.values:
        assert one.values.ndim == 2
        assert np.isfinite(one.values).all()


def test_json_paths_units_and_time() -> None:
    temp, humid = _read(CLIMATE, b'{"at": 1700000000123, "env": {"temp_f": 69.8, "rh": [0.45]}}').values
    assert temp.values.tolist() == [[pytest.approx(21.0, abs=1e-12)]]
    assert humid.values.tolist() == [[45.0]]
    assert temp.device_us == humid.device_us == 1_700_000_000_123_000


def test_a_key_with_dots_is_a_path_too() -> None:
    configuration = {"format": {"kind": "json"}, "sensors": [{"sensor_type": "WATT", "field": "ENERGY.Power"}]}
    assert _read(configuration, b'{"ENERGY.Power": 12}').values[0].values[0, 0] == 12.0
    assert _read(configuration, b'{"ENERGY": {"Power": 13}}').values[0].values[0, 0] == 13.0


def test_columns_with_a_decimal_comma() -> None:
    (one,) = _read(COLUMNS, b"12:00;x;230,5;-1,5e1").values
    assert one.values.tolist() == [[230.5, -15.0]]


def test_a_sensor_that_the_message_does_not_speak_of_is_no_error() -> None:
    said = _read(PATTERN, b"T=21.5")
    assert [one.sensor for one in said.values] == [0]
    assert said.errors == []


def test_each_sensor_of_a_message_is_judged_on_its_own() -> None:
    said = _read(PATTERN, b"T=21.5 H=130")
    assert [one.values[0, 0] for one in said.values] == [21.5]
    (error,) = said.errors
    assert error.reason is Reason.VALUE_OUT_OF_RANGE
    assert "'h'" in error.detail
    assert "130" in error.detail


def test_a_struct_with_a_count() -> None:
    (one,) = _read(STRUCT, struct.pack("<BxhI", 255, -7, 12345)).values
    assert (one.values.tolist(), one.count) == ([[-3.5]], 255)


def test_numbers_in_text_and_binary() -> None:
    assert _read(NUMBER, b" 812.5\n").values[0].values[0, 0] == 812.5
    assert _read(BINARY, struct.pack(">h", -1234)).values[0].values[0, 0] == -12.34


def test_lists_are_samples_and_must_be_of_one_length() -> None:
    (one,) = _read(LISTS, b'{"L1": [1, 2, 3], "L2": [4, 5, 6]}').values
    assert one.values.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    reason, detail = _error(LISTS, b'{"L1": [1, 2, 3], "L2": [4]}')
    assert reason is Reason.SAMPLE_COUNT_MISMATCH
    assert "'L2' has 1" in detail


def test_a_list_of_readings_is_read_one_by_one() -> None:
    items = {**CLIMATE, "format": {"kind": "json", "items": "data"}}
    reading = {"at": 1_700_000_000_000, "env": {"temp_f": 50}}
    later = {"at": 1_700_000_060_000, "env": {"temp_f": 59}}
    for configuration, document in ((items, {"data": [reading, later]}), (CLIMATE, [reading, later])):
        said = _read(configuration, json.dumps(document).encode())
        assert [one.values[0, 0] for one in said.values] == [10.0, 15.0]
        assert [one.device_us for one in said.values] == [1_700_000_000_000_000, 1_700_000_060_000_000]


def test_a_topic_may_choose_the_sensor() -> None:
    body = b"T=21.5 H=40"
    assert [one.sensor for one in _read(PATTERN, body, "HUMID").values] == [1]
    (error,) = _read(PATTERN, body, "NOISE").errors
    assert error.reason is Reason.UNKNOWN_SENSOR
    assert "TEMP, HUMID" in error.detail


@pytest.mark.parametrize(
    ("configuration", "body", "reason", "words"),
    [
        (CLIMATE, b'{"at": 1700000000000, "env": {"temp_f": null}}', Reason.MALFORMED_PAYLOAD, "temp_f"),
        (CLIMATE, b'{"at": 1700000000000, "env": {"temp_f": true}}', Reason.MALFORMED_PAYLOAD, "True"),
        (CLIMATE, b'{"at": 1700000000000, "env": {"temp_f": "1_0"}}', Reason.MALFORMED_PAYLOAD, "1_0"),
        (CLIMATE, b'{"at": 1700000000000, "env": {"temp_f": "nan"}}', Reason.NON_FINITE_VALUE, "nan"),
        (CLIMATE, b'{"at": 1700000000000, "env": {"temp_f": 900}}', Reason.VALUE_OUT_OF_RANGE, "482.222"),
        (CLIMATE, b'{"env": {"temp_f": 50}}', Reason.MALFORMED_PAYLOAD, "'at' is missing"),
        (CLIMATE, b'{"at": 1.7e9, "env": {"temp_f": 50}}', Reason.BAD_TIMESTAMP, "clock is not set"),
        (CLIMATE, b'{"at": 1e30, "env": {"temp_f": 50}}', Reason.BAD_TIMESTAMP, "no time in epoch_ms"),
        (CLIMATE, b'{"at": 1700000000000}', Reason.MALFORMED_PAYLOAD, "none of the fields"),
        (CLIMATE, b"[]", Reason.MALFORMED_PAYLOAD, "empty list"),
        (CLIMATE, b"{", Reason.MALFORMED_PAYLOAD, "no JSON"),
        (COLUMNS, b"1;2;3", Reason.MALFORMED_PAYLOAD, "3 columns, want 4"),
        (COLUMNS, b"\xff;;;", Reason.MALFORMED_PAYLOAD, "no utf-8 at byte 0"),
        (PATTERN, b"hello", Reason.MALFORMED_PAYLOAD, "does not match"),
        (STRUCT, b"short", Reason.MALFORMED_PAYLOAD, "5 bytes, want 8"),
        (NUMBER, b"0x1F", Reason.MALFORMED_PAYLOAD, "0x1F"),
        (NUMBER, b"1e999", Reason.NON_FINITE_VALUE, "1e999"),
        (NUMBER, b"-5", Reason.VALUE_OUT_OF_RANGE, "-5 ppm"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    configuration: dict[str, Any], body: bytes, reason: Reason, words: str
) -> None:
    got_reason, detail = _error(configuration, body)
    assert got_reason is reason
    assert words in detail


@pytest.mark.parametrize(
    ("text", "want_us"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000),
        ("2023-11-14T23:13:20.25+01:00", 1_700_000_000_250_000),
    ],
)
def test_iso_times(text: str, want_us: int) -> None:
    configuration = {**NUMBER, "format": {"kind": "json"}, "time": {"field": "at", "format": "iso8601"}}
    body = json.dumps({"at": text, "value": 400}).encode()
    assert _read(configuration, body).values[0].device_us == want_us


def test_a_time_without_a_zone_is_rejected_unless_it_is_said_to_be_utc() -> None:
    body = b'{"at": "2023-11-14 22:13:20", "value": 400}'
    time = {"field": "at", "format": "iso8601"}
    configuration = {**NUMBER, "format": {"kind": "json"}, "time": time}
    assert _error(configuration, body)[0] is Reason.BAD_TIMESTAMP
    said = _read({**configuration, "time": {**time, "without_zone_is_utc": True}}, body)
    assert said.values[0].device_us == 1_700_000_000_000_000


def test_a_device_whose_clock_is_not_set_may_be_timed_by_the_agent() -> None:
    configuration = {**NUMBER, "format": {"kind": "json"}, "time": {"field": "at", "if_unset": "agent"}}
    assert _read(configuration, b'{"at": 12, "value": 400}').values[0].device_us is None


def test_epoch_seconds_keep_their_microseconds() -> None:
    configuration = {**NUMBER, "format": {"kind": "json"}, "time": {"field": "at"}}
    body = b'{"at": 1700000000.123456, "value": 400}'
    assert _read(configuration, body).values[0].device_us == 1_700_000_000_123_456


def test_all_errors_of_a_message_are_one_error_without_repetition() -> None:
    error = _read(PATTERN, b"T=x H=y").error()
    assert error is not None
    assert error.detail == "field 't': 'x' is no number; field 'h': 'y' is no number"
