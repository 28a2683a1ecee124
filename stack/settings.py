"""The settings of the local stack: defaults < YAML file < environment (`BRAIN_STACK_*`) < flags."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

import psutil
from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.settings import ProgramSettings
from stack import ports
from stack.clickhouse_url import parse_clickhouse_url
from stack.home import REPOSITORY, StackHome

_MIB = 1024 * 1024
_PLAIN_PATH = re.compile(r"[\w./+,@=~-]+")

Port = Annotated[int, Field(ge=1024, le=65_535)]


def default_taskmanager_memory_mb(total_bytes: int) -> int:
    """A fifth of the machine's memory, from 2,560 MiB (an 8 GiB laptop) to 6,144 MiB."""
    return min(max(total_bytes // (5 * _MIB), 2_560), 6_144)


class StackSettings(ProgramSettings):
    """Everything that can be set about the local stack.

    Ports are TCP ports on the loopback interface; sizes are MiB. `taskmanager_memory_mb` is the whole JVM
    process; the Python workers come on top (about 175 MB for each job and degree of parallelism).
    """

    prefix: ClassVar[str] = "BRAIN_STACK_"
    yaml_variable: ClassVar[str] = "BRAIN_STACK_CONFIG"
    # The variable HOME, the user's own directory, must never give `home`.
    shared_variables: ClassVar[Mapping[str, str]] = {"BRAIN_HOME": "home"}

    home: Path = REPOSITORY / ".brain"
    jars_dir: Path | None = None
    java_home: Path | None = None

    kafka_port: Port = 9092
    kafka_controller_port: Port = 9093
    flink_rest_port: Port = 8081
    flink_jobmanager_rpc_port: Port = 6123
    flink_blob_port: Port = 6124
    flink_taskmanager_rpc_port: Port = 6122
    flink_taskmanager_data_port: Port = 6121
    clickhouse_tcp_port: Port = 9000
    clickhouse_http_port: Port = 8123

    clickhouse_url: SecretStr | None = None
    partitions: int = Field(4, ge=1, le=1_000)
    task_slots: int = Field(12, ge=1, le=512)

    kafka_heap_mb: int = Field(768, ge=256)
    jobmanager_memory_mb: int = Field(1_280, ge=1_024)
    taskmanager_memory_mb: int = Field(
        default_factory=lambda: default_taskmanager_memory_mb(psutil.virtual_memory().total), ge=1_792
    )
    clickhouse_memory_mb: int = Field(2_048, ge=512)
    start_timeout_s: float = Field(180.0, gt=0)
    stop_timeout_s: float = Field(60.0, gt=0)

    @field_validator("home", "jars_dir", "java_home", mode="before")
    @classmethod
    def _not_empty(cls, path: object) -> object:
        if path == "":
            # It would mean the current directory.
            raise ValueError("is empty")
        return path

    @field_validator("home", "jars_dir", "java_home")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        absolute = path.expanduser().absolute()
        if not _PLAIN_PATH.fullmatch(str(absolute)):
            # Flink's scripts split paths at spaces, Java's class path at colons.
            raise ValueError("may hold letters, digits and . _ - + , @ = ~ only")
        return absolute

    @field_validator("clickhouse_url")
    @classmethod
    def _is_clickhouse_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            parse_clickhouse_url(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        seen: dict[int, str] = {}
        for name, port in self.ports().items():
            if port in seen:
                raise ValueError(f"{name} and {seen[port]} are both {port}")
            seen[port] = name
        return self

    def ports(self) -> dict[str, int]:
        """Setting name -> port, for every port on which the stack will listen."""
        names = [name for name in type(self).model_fields if name.endswith("_port")]
        if self.clickhouse_url is not None:
            names = [name for name in names if not name.startswith("clickhouse_")]
        return {name: getattr(self, name) for name in names}

    def with_free_ports(self, rng: random.Random) -> Self:
        """The same settings with every port replaced by a free one."""
        return self.model_copy(update=ports.pick_free(self.ports(), rng=rng))

    def stack_home(self) -> StackHome:
        """The stack's directories."""
        return StackHome(self.home, self.jars_dir or self.home / "jars")
