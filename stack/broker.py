"""Kafka: its configuration, its storage directory and the command that runs it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from stack.endpoints import LOOPBACK
from stack.errors import StackStartError
from stack.home import StackHome
from stack.jars import KAFKA, KAFKA_LOGGING
from stack.settings import StackSettings

_FORMAT_TIMEOUT_S = 60


def server_properties(template: str, settings: StackSettings, home: StackHome) -> str:
    """The broker's configuration: the committed template, then ports and directories."""
    broker = f"{LOOPBACK}:{settings.kafka_port}"
    controller = f"{LOOPBACK}:{settings.kafka_controller_port}"
    generated = {
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        # A static voter, because a voter set stored in the log would keep the ports of the first start.
        "controller.quorum.voters": f"1@{controller}",
        "num.partitions": str(settings.partitions),
        "log.dirs": _escape(str(home.data / "kafka")),
    }
    return template + "\n" + "".join(f"{key}={value}\n" for key, value in generated.items())


def _escape(value: str) -> str:
    # In a Java properties file a backslash starts an escape.
    return value.replace("\\", "\\\\")


def prepare(settings: StackSettings, home: StackHome, *, java: Path) -> None:
    """Write the configuration and, the first time, format the storage directory.

    Raises:
        StackStartError: Kafka's storage tool refused; the message holds its output.
    """
    (home.conf / "kafka").mkdir(exist_ok=True)
    template = (KAFKA.pins / "server.properties").read_text()
    _properties(home).write_text(server_properties(template, settings, home))
    shutil.copyfile(KAFKA.pins / "log4j2.properties", _log_configuration(home))
    if not (home.data / "kafka" / "meta.properties").exists():
        _format_storage(home, java=java)


def _format_storage(home: StackHome, *, java: Path) -> None:
    command = [str(java), "-cp", _class_path(home), "kafka.tools.StorageTool", "format"]
    done = subprocess.run(  # noqa: S603  # our own Java, fixed arguments
        [*command, "-t", cluster_id(home.root), "-c", str(_properties(home))],
        capture_output=True,
        text=True,
        timeout=_FORMAT_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise StackStartError(f"Kafka's storage can't be formatted:\n{(done.stdout + done.stderr)[-800:]}")


def cluster_id(root: Path) -> str:
    """A Kafka cluster id (16 bytes, URL-safe base64) that is a function of the home directory."""
    identity = uuid.uuid5(uuid.NAMESPACE_URL, root.as_uri())
    # An id that starts with a minus sign would be read as an option of the storage tool.
    text = base64.urlsafe_b64encode(identity.bytes).decode().rstrip("=")
    return "A" + text[1:] if text.startswith("-") else text


def command(settings: StackSettings, home: StackHome, *, java: Path) -> list[str]:
    """The broker's command line."""
    return [
        str(java),
        f"-Xms{min(256, settings.kafka_heap_mb)}m",
        f"-Xmx{settings.kafka_heap_mb}m",
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dbrain.log.dir={home.logs}",
        f"-Dlog4j2.configurationFile=file:{_log_configuration(home)}",
        "-cp",
        _class_path(home),
        "kafka.Kafka",
        str(_properties(home)),
    ]


def _class_path(home: StackHome) -> str:
    return os.pathsep.join(f"{home.jars / jar_set.name}/*" for jar_set in (KAFKA, KAFKA_LOGGING))


def _properties(home: StackHome) -> Path:
    return home.conf / "kafka" / "server.properties"


def _log_configuration(home: StackHome) -> Path:
    return home.conf / "kafka" / "log4j2.properties"
