from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from edge.sources.settings import SourceList
from schemas.errors import SettingsError
from schemas.sensors import SENSORS
from schemas.settings import ProgramSettings

LONG, SHORT = "a-word-of-enough-length", "sekrit"


class AgentSettings(ProgramSettings):
    prefix: ClassVar[str] = "BRAIN_TEST_AGENT_"
    yaml_variable: ClassVar[str] = "BRAIN_TEST_AGENT_CONFIG"

    sources: SourceList


def _load(tmp_path: Path, *sources: dict[str, Any]) -> AgentSettings:
    path = tmp_path / "edge.yaml"
    path.write_text(yaml.safe_dump({"sources": list(sources)}))
    return AgentSettings.load(yaml_file=path)


def _problems(tmp_path: Path, *sources: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, *sources)
    return str(caught.value)


def _serial(*sensors: dict[str, Any], **more: Any) -> dict[str, Any]:
    reading = {"format": {"kind": "json"}, "sensors": list(sensors) or [{"sensor_type": "TEMP"}]}
    return {"kind": "serial", "name": "board", "device_id": "b1", "port": "/dev/ttyUSB0", "reading": reading, **more}


def _push(**more: Any) -> dict[str, Any]:
    reading = {"sensors": [{"sensor_type": "TEMP"}]}
    return {"kind": "http_push", "name": "push", "token": LONG, "device_id": "d", "reading": reading, **more}


def _mqtt(*topics: str, **more: Any) -> dict[str, Any]:
    reading = {"sensors": [{"sensor_type": "TEMP"}]}
    subscriptions = [{"topic": topic, "reading": reading} for topic in topics or ("lab/{device}/data",)]
    base = {"kind": "mqtt", "name": "broker", "host": "127.0.0.1", "client_id": "agent"}
    return {**base, "subscriptions": subscriptions, **more}


def test_several_sources_of_every_kind(tmp_path: Path) -> None:
    reading = {"sensors": [{"sensor_type": "TEMP"}]}
    settings = _load(
        tmp_path,
        _serial(),
        _mqtt(),
        _push(),
        {"kind": "http_pull", "name": "pull", "url": "http://10.0.0.7/state", "device_id": "d", "reading": reading},
        {"kind": "replay", "name": "files", "addresses": ["walk.txt"]},
        {"kind": "synthetic", "name": "dummy", "device_id": "s", "sensors": [{"sensor_type": "CO2"}]},
    )
    assert [source.kind for source in settings.sources] == [
        "serial",
        "mqtt",
        "http_push",
        "http_pull",
        "replay",
        "synthetic",
    ]


def test_all_problems_of_all_sources_are_told_at_once(tmp_path: Path) -> None:
    text = _problems(
        tmp_path,
        _serial({"sensor_type": "TEMP", "unit": "kPa"}, {"sensor_type": "GRF", "channels": ["L9"]}),
        _push(token=SHORT),
        _mqtt("lab/{room}/x"),
    )
    assert "no way from unit 'kPa' to degC; known: degC, degF, K" in text
    assert "no channel 'L9'" in text
    assert "token: at least 16 characters" in text
    assert "level '{room}'" in text


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    text = _problems(tmp_path, _push(token=SHORT), _mqtt(host="broker.example", username="u", password=f"hush-{SHORT}"))
    assert "sekrit" not in text
    assert "hush" not in text
    assert "clear text" in text


@pytest.mark.parametrize(
    ("sensor", "words"),
    [
        ({"sensor_type": "NOISE"}, "'NOISE' is not in the catalogue"),
        ({"sensor_type": "SCANNER"}, "replay its files"),
        ({"sensor_type": "GRF", "sample_rate_hz": 5_000}, "at most 1000"),
        ({"sensor_type": "KWH", "sample_rate_hz": 1}, "one by one"),
        ({"sensor_type": "TEMP", "register": {"digits": 6}}, "only KWH"),
        ({"sensor_type": "TEMP", "scale": 0}, "scale=0"),
        ({"sensor_type": "TEMP", "count": {"field": "n"}}, "needs a sample_rate_hz"),
        ({"sensor_type": "GRF", "field": "x"}, "each of several channels"),
        ({"sensor_type": "GRF", "channels": ["L1", "L1"]}, "'L1' twice"),
        ({"sensor_type": "FORCE_PLATE", "channels": ["Fz", {"name": "Mx", "unit": "N"}]}, "unit 'N' to Nm"),
        ({"sensor_type": "TEMP", "unti": "K"}, "no such setting"),
    ],
)
def test_sensors_are_checked_against_the_catalogue(tmp_path: Path, sensor: dict[str, Any], words: str) -> None:
    assert words in _problems(tmp_path, _serial(sensor))


@pytest.mark.parametrize(
    ("format_", "words"),
    [
        ({"kind": "text", "columns": ["a", "b"]}, "the format has no field 'value': a, b"),
        ({"kind": "text"}, "one of pattern and columns"),
        ({"kind": "text", "pattern": "(value"}, "pattern:"),
        ({"kind": "text", "pattern": "value"}, "no named group"),
        ({"kind": "text", "columns": ["value", "value"]}, "value twice"),
        ({"kind": "struct", "layout": "<hh", "fields": ["value"]}, "2 values, fields names 1"),
        ({"kind": "struct", "layout": "<9999999999999999999h", "fields": ["value"]}, "layout"),
        ({"kind": "text", "columns": ["value"], "delimiter": ",", "decimal": ","}, "are the same"),
    ],
)
def test_formats_are_checked(tmp_path: Path, format_: dict[str, Any], words: str) -> None:
    reading = {"format": format_, "sensors": [{"sensor_type": "TEMP"}]}
    assert words in _problems(tmp_path, {**_serial(), "reading": reading})


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"kind": "frames", "sync": "AA55"}, "one of length_bytes and length_field"),
        ({"kind": "frames", "sync": "AA5"}, "sync"),
        ({"kind": "frames", "sync": "AA55", "length_bytes": 4, "checksum": "crc16-modbus"}, "leaves nothing"),
        ({"kind": "frames", "sync": "AA55", "length_field": {"offset": 1}}, "in the sync bytes"),
    ],
)
def test_frames_are_checked(tmp_path: Path, split: dict[str, Any], words: str) -> None:
    assert words in _problems(tmp_path, _serial(split=split))


def test_each_source_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert "2 sources are called 'board'" in _problems(tmp_path, _serial(), _serial())


def test_a_message_names_its_device_in_one_way(tmp_path: Path) -> None:
    assert "want one of device_id and device_field" in _problems(tmp_path, _push(device_field="id"))
    assert "want one of {device}" in _problems(tmp_path, _mqtt("lab/data"))


def test_tls_files_are_looked_at_before_anything_starts(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    assert "ca.pem" in _problems(tmp_path, _mqtt(tls={"ca_file": str(wrong)}))
    assert "go together" in _problems(tmp_path, _mqtt(tls={"certificate_file": str(wrong)}))


def test_all_channels_of_every_sensor_can_be_read(tmp_path: Path) -> None:
    kinds = [kind for kind in SENSORS if kind != "SCANNER"]
    settings = _load(tmp_path, _serial(*({"sensor_type": kind, "channels": "all"} for kind in kinds)))
    (source,) = settings.sources
    assert source.kind == "serial"
    for sensor in source.reading.sensors:
        channels = tuple(channel.name for channel in sensor.resolved_channels())
        assert channels == SENSORS[sensor.sensor_type].channel_names
        assert len(sensor.conversions()) == len(channels)
