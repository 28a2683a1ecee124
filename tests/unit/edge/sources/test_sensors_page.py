"""The examples in docs/sensors.md are configurations that an agent takes, and the page names every key and unit."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.build import build_source
from edge.sources.format_settings import (
    FramesSettings,
    JsonSettings,
    LinesSettings,
    NumberSettings,
    StructSettings,
    TextSettings,
)
from edge.sources.sensor_settings import ReadingSettings, SensorSettings, TimeSettings
from edge.sources.settings import (
    HttpPullSettings,
    HttpPushSettings,
    MqttSettings,
    SerialSettings,
    SourceList,
    SyntheticSettings,
)
from edge.sources.tls import TlsSettings
from edge.sources.units import channel_unit, known_units
from schemas.sensors import SENSORS

PAGE = (Path(__file__).parents[4] / "docs" / "sensors.md").read_text("utf-8")


def _examples() -> list[dict[str, Any]]:
    """The sources of all examples; the files that they name are not on this machine."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    text = "sources:\n" + "".join(block.removeprefix("sources:\n") for block in blocks)
    sources: list[dict[str, Any]] = yaml.safe_load(text)["sources"]
    for source in sources:
        if source.pop("tls", None):
            source["host"] = "127.0.0.1"
    return sources


def test_every_example_is_taken_and_built() -> None:
    sources = TypeAdapter(SourceList).validate_python(_examples())
    kinds = {source.kind for source in sources}
    assert kinds == {"serial", "mqtt", "http_push", "http_pull", "replay", "synthetic"}
    clock = InstantClock(SystemClock(), lambda: True)
    for source in sources:
        assert build_source(source, clock, random.Random(1)).name == source.name


@pytest.mark.parametrize(
    "section",
    [
        SerialSettings,
        MqttSettings,
        HttpPushSettings,
        HttpPullSettings,
        SyntheticSettings,
        TlsSettings,
        LinesSettings,
        FramesSettings,
        JsonSettings,
        TextSettings,
        StructSettings,
        NumberSettings,
        ReadingSettings,
        TimeSettings,
        SensorSettings,
    ],
)
def test_every_key_is_named(section: type[BaseModel]) -> None:
    names = {field.alias or name for name, field in section.model_fields.items()}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", PAGE)] == []


def test_every_unit_is_named() -> None:
    listed = PAGE[PAGE.index("Units:") : PAGE.index("## Clocks")]
    words = set(re.split(r"[ ,·\n]+", listed.replace("ng/m3.", "ng/m3")))
    wanted = {
        unit
        for sensor in SENSORS.values()
        if sensor.unit not in ("raw", "mm")
        for channel in sensor.channel_names[:6]
        for unit in known_units(channel_unit(sensor.sensor_type, channel, sensor.unit))
    }
    assert wanted - words == set()
