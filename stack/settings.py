"""The settings of the local stack: defaults < YAML file < environment (`BRAIN_STACK_*`) < flags."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import psutil
import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

from stack import ports
from stack.clickhouse_url import parse_clickhouse_url
from stack.errors import StackConfigError
from stack.home import REPOSITORY, StackHome

ENV_PREFIX = "BRAIN_STACK_"
HOME_VARIABLE = "BRAIN_HOME"
"""Shared with the other programs; the same as BRAIN_STACK_HOME and weaker than it."""
CONFIG_FILE_VARIABLE = "BRAIN_STACK_CONFIG"
_MIB = 1024 * 1024
_PLAIN_PATH = re.compile(r"[\w./+,@=~-]+")

Port = Annotated[int, Field(ge=1024, le=65_535)]


def default_taskmanager_memory_mb(total_bytes: int) -> int:
    """A fifth of the machine's memory, from 2,560 MiB (an 8 GiB laptop) to 6,144 MiB."""
    return min(max(total_bytes // (5 * _MIB), 2_560), 6_144)


class StackSettings(BaseSettings):
    """Everything that can be set about the local stack; built with `load_settings`.

    Ports are TCP ports on the loopback interface; sizes are MiB. `taskmanager_memory_mb` is the whole JVM
    process; the Python workers come on top (about 175 MB for each job and degree of parallelism).
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before the environment before the YAML file; no .env file and no secrets directory."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)

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


def load_settings(flags: Mapping[str, Any], *, config_file: Path | None = None) -> StackSettings:
    """Read the settings once, at a program's entry.

    Args:
        flags: setting name -> value as given on the command line; they win over everything else.
        config_file: YAML file; by default the one named by BRAIN_STACK_CONFIG, if any.

    Raises:
        StackConfigError: naming every wrong or unknown setting at once.
    """
    problems = _unknown_variables(os.environ)
    named = os.environ.get(CONFIG_FILE_VARIABLE)
    path = config_file or (Path(named) if named else None)
    if path is not None and not path.is_file():
        problems.append(f"{CONFIG_FILE_VARIABLE}: no such file: {path}")

    class FromFile(StackSettings):
        model_config = SettingsConfigDict(yaml_file=path)

    try:
        settings = FromFile(**{**_shared_home(os.environ), **flags})
    except ValidationError as error:
        raise StackConfigError([*problems, *map(_explain, error.errors())]) from error
    except (yaml.YAMLError, SettingsError, ValueError, TypeError) as error:
        # The file is not YAML, or its top is no mapping.
        raise StackConfigError([*problems, f"{path}: want setting names with values ({error})"]) from error
    if problems:
        raise StackConfigError(problems)
    return settings


def _shared_home(environment: Mapping[str, str]) -> dict[str, str]:
    # Not an alias of the field: an alias "home" would be read from the variable HOME.
    shared = environment.get(HOME_VARIABLE)
    return {"home": shared} if shared and f"{ENV_PREFIX}HOME" not in environment else {}


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {f"{ENV_PREFIX}{name.upper()}" for name in StackSettings.model_fields} | {CONFIG_FILE_VARIABLE}
    unknown = {name for name in environment if name.startswith(ENV_PREFIX)} - known
    return [f"{name}: there is no such setting" for name in sorted(unknown)]


def _explain(detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if not place:
        return detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"{place}: there is no such setting"
    # The address may hold a password.
    value = "" if place == "clickhouse_url" else f", got {detail['input']!r}"
    return f"{place} ({ENV_PREFIX}{place.upper()}): {detail['msg']}{value}"
