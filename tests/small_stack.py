"""The settings of a stack for tests."""

from __future__ import annotations

import random
from pathlib import Path

from stack.home import REPOSITORY
from stack.settings import StackSettings

# Shared with the developer's own stack: the jars are downloaded once.
JARS = REPOSITORY / ".brain" / "jars"


def small_stack_settings(home: Path) -> StackSettings:
    """A stack for tests: free ports and a small TaskManager."""
    sizes = {"taskmanager_memory_mb": 2_560, "kafka_heap_mb": 512}
    # A machine that runs other tests beside these may be very slow.
    flags = {"home": home, "jars_dir": JARS, "start_timeout_s": 300, **sizes}
    return StackSettings.load(flags).with_free_ports(random.SystemRandom())
