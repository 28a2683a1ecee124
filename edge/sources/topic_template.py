"""A topic template: which topics it stands for, and which of their levels name the device and the sensor."""

from __future__ import annotations

import re
from typing import NamedTuple

_DEVICE, _SENSOR = "{device}", "{sensor}"
_PATTERNS = {_DEVICE: "(?P<device>[^/]*)", _SENSOR: "(?P<sensor>[^/]*)", "+": "[^/]*", "#": ".*"}


class Named(NamedTuple):
    """What a topic tells; None where its template has no such level."""

    device: str | None
    sensor: str | None


class TopicTemplate:
    """Reads topics.

    Args:
        template: levels joined by slashes: `{device}`, `{sensor}`, `+`, a last `#`, or plain text.

    Raises:
        ValueError: naming every level that is none of these.
    """

    def __init__(self, template: str) -> None:
        levels = template.split("/")
        problems = [
            f"level {level!r}" for level in levels if level not in _PATTERNS and re.search(r"[{}+#\x00]", level)
        ]
        if "#" in levels[:-1]:
            problems.append("'#' before the end")
        problems += [f"{name} twice" for name in (_DEVICE, _SENSOR) if levels.count(name) > 1]
        if problems:
            raise ValueError(f"topic {template!r}: {', '.join(problems)}; want {{device}}, {{sensor}}, +, # or text")
        self.has_device = _DEVICE in levels
        self.topic_filter = "/".join("+" if level in (_DEVICE, _SENSOR) else level for level in levels)
        # "a/#" stands for "a" too.
        pattern = "/".join(_PATTERNS.get(level) or re.escape(level) for level in levels)
        self._pattern = re.compile(re.sub(r"/\.\*$", "(/.*)?", pattern))

    def read(self, topic: str) -> Named | None:
        """The names in a topic; None if the template does not stand for it."""
        match = self._pattern.fullmatch(topic)
        if match is None:
            return None
        groups = match.groupdict()
        return Named(groups.get("device"), groups.get("sensor"))
