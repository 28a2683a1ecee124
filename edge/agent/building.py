"""From the agent's settings to its parts."""

from __future__ import annotations

import random
from collections.abc import Callable

from edge.agent.agent import Parts
from edge.agent.settings import AgentSettings, Way
from edge.clock_state import kernel_clock_is_synchronised
from edge.instant import InstantClock
from edge.interruption import Interruption
from edge.pace import Clock
from edge.senders.http import HttpSender
from edge.senders.kafka import KafkaSender
from edge.senders.sender import Sender
from edge.sources.build import build_source


def build_parts(settings: AgentSettings, clock: Clock, *, boot_id: str, interruption: Interruption) -> Parts:
    """What an agent of these settings is made of; nothing is opened yet."""
    instants = InstantClock(clock, kernel_clock_is_synchronised)
    rng = random.Random(boot_id)  # noqa: S311 - spreads tries in time, keeps no secret
    sources = [build_source(source, instants, rng) for source in settings.sources]
    return Parts(sources, _sender_maker(settings, clock, interruption), boot_id, instants)


def _sender_maker(settings: AgentSettings, clock: Clock, interruption: Interruption) -> Callable[[], Sender]:
    def kafka() -> Sender:
        way = settings.kafka
        sender = KafkaSender(way.kafka_config(), topic=way.topic, clock=clock, interruption=interruption)
        sender.check_topic()
        return sender

    def http() -> Sender:
        return HttpSender(settings.http, clock=clock, interruption=interruption)

    return kafka if settings.send is Way.KAFKA else http
