"""From a source's settings to the source."""

from __future__ import annotations

import random
from typing import assert_never

from edge.instant import InstantClock
from edge.sources.http_pull import HttpPullSource
from edge.sources.http_push import HttpPushSource
from edge.sources.mqtt import MqttSource
from edge.sources.replaying import ReplaySource
from edge.sources.serial_line import SerialSource
from edge.sources.settings import (
    HttpPullSettings,
    HttpPushSettings,
    MqttSettings,
    ReplaySettings,
    SerialSettings,
    SourceSettings,
    SyntheticSettings,
)
from edge.sources.source import LiveSource
from edge.sources.synthetic.device import SyntheticSource


def build_source(settings: SourceSettings, clock: InstantClock, rng: random.Random) -> LiveSource:
    """The source of a section; nothing is opened before it runs.

    Args:
        settings: of the source.
        clock: tells the time of readings and paces the source.
        rng: spreads the tries of many agents in time.
    """
    source: LiveSource
    match settings:
        case SerialSettings():
            source = SerialSource(settings, clock, rng)
        case MqttSettings():
            source = MqttSource(settings, clock, rng)
        case HttpPushSettings():
            source = HttpPushSource(settings, clock)
        case HttpPullSettings():
            source = HttpPullSource(settings, clock, rng)
        case ReplaySettings():
            source = ReplaySource(settings, clock)
        case SyntheticSettings():
            source = SyntheticSource(settings, clock)
        case _:
            assert_never(settings)
    return source
