"""The settings of the edge agent: defaults < YAML file < environment (`BRAIN_EDGE_*`) < flags.

The YAML file is named by BRAIN_EDGE_CONFIG; its keys are the names of the fields below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AliasChoices, AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from edge.framer import BlockEncoding, Framing
from edge.pace import AS_FAST_AS_POSSIBLE
from schemas.envelope import IDENTIFIER
from schemas.errors import SettingsError
from schemas.topics import MAX_MESSAGE_BYTES, Topic

ENV_PREFIX = "BRAIN_EDGE_"
CONFIG_FILE_VARIABLE = "BRAIN_EDGE_CONFIG"
BOOTSTRAP_VARIABLE = "KAFKA_BOOTSTRAP_SERVERS"

Identifier = Annotated[str, Field(pattern=rf"^{IDENTIFIER.pattern}$")]


class EdgeSettings(BaseSettings):
    """Everything that can be set about the edge agent; built with `load_settings`.

    Attributes:
        device_id: of every recording; by default each recording is a device of its own, named as the recording.
        session_id: of every recording; by default the recording's name.
        boot_id: by default new at every start. The same boot id and start time give the same events again.
        speed: multiple of real time; 0 or "max" is as fast as possible.
        start: wall clock at the recordings' own zero, with time zone; "now" keeps every sample behind the clock.
        limit_s: only the first seconds of each recording.
        batch_max_bytes: a topic whose max.message.bytes is less refuses whole batches.
        security_protocol ... ssl_key_password: passed to librdkafka as they are.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, populate_by_name=True)

    bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        min_length=1,
        validation_alias=AliasChoices(f"{ENV_PREFIX}BOOTSTRAP_SERVERS", BOOTSTRAP_VARIABLE, "bootstrap_servers"),
    )
    topic: str = Field(Topic.RAWFRAMES.value, pattern=r"^[A-Za-z0-9._-]{1,249}$")
    security_protocol: str = Field("PLAINTEXT", pattern="^(?i:plaintext|ssl|sasl_plaintext|sasl_ssl)$")
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: Path | None = None
    ssl_certificate_location: Path | None = None
    ssl_key_location: Path | None = None
    ssl_key_password: SecretStr | None = None
    compression: str = Field("lz4", pattern="^(none|gzip|snappy|lz4|zstd)$")
    queue_max_frames: int = Field(20_000, ge=1, le=10_000_000)
    queue_max_kib: int = Field(65_536, ge=8_192, le=2_097_151)

    batch_max_bytes: int = Field(1_000_000, ge=1_000, le=MAX_MESSAGE_BYTES)

    tenant_id: Identifier = "local"
    site_id: Identifier = "local"
    device_id: Identifier | None = None
    session_id: Identifier | None = None
    boot_id: Identifier | None = None

    speed: float = Field(1.0, ge=0.0, allow_inf_nan=False)
    start: AwareDatetime | None = None
    limit_s: float | None = Field(None, gt=0.0, allow_inf_nan=False)
    one_after_another: bool = False
    block_s: float = Field(1.0, gt=0.0, le=60.0)
    encoding: BlockEncoding = BlockEncoding.FLOAT32
    int16_scale: float = Field(0.1, gt=0.0, allow_inf_nan=False)

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
        config_file = os.environ.get(CONFIG_FILE_VARIABLE)
        if not config_file:
            return init_settings, env_settings
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=config_file)

    @field_validator("speed", mode="before")
    @classmethod
    def _max_is_zero(cls, value: object) -> object:
        return AS_FAST_AS_POSSIBLE if value == "max" else value

    @field_validator("start", mode="before")
    @classmethod
    def _now_is_none(cls, value: object) -> object:
        return None if value == "now" else value

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> Self:
        if self.security_protocol.lower().startswith("sasl") and self.sasl_mechanism is None:
            raise ValueError(f"sasl_mechanism is missing: security_protocol={self.security_protocol} needs it")
        if (self.sasl_mechanism or "").upper().startswith(("PLAIN", "SCRAM")):
            missing = [name for name in ("sasl_username", "sasl_password") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"{' and '.join(missing)} missing: sasl_mechanism={self.sasl_mechanism} needs it")
        return self

    def framing(self) -> Framing:
        """How recordings are cut into blocks."""
        return Framing(self.block_s, self.encoding, self.int16_scale)

    def kafka_config(self) -> dict[str, Any]:
        """The connection as librdkafka names it; options that are not set are left to its defaults."""
        options = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol.lower(),
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": _revealed(self.sasl_password),
            "ssl.ca.location": _text(self.ssl_ca_location),
            "ssl.certificate.location": _text(self.ssl_certificate_location),
            "ssl.key.location": _text(self.ssl_key_location),
            "ssl.key.password": _revealed(self.ssl_key_password),
            "compression.type": self.compression,
            # librdkafka's own 10 s would let a broker that is back wait for its frames.
            "reconnect.backoff.max.ms": 2_000,
            "batch.size": self.batch_max_bytes,
            "queue.buffering.max.messages": self.queue_max_frames,
            "queue.buffering.max.kbytes": self.queue_max_kib,
        }
        return {name: value for name, value in options.items() if value is not None}


def load_settings(flags: Mapping[str, Any]) -> EdgeSettings:
    """Read the settings once, at a program's entry.

    Args:
        flags: setting name -> value as given on the command line; they win over everything else.

    Raises:
        SettingsError: naming every wrong or unknown setting at once.
    """
    problems = _unknown_variables(os.environ)
    settings: EdgeSettings | None = None
    config_file = os.environ.get(CONFIG_FILE_VARIABLE)
    if config_file and not Path(config_file).is_file():
        problems.append(f"{CONFIG_FILE_VARIABLE}: no such file: {config_file}")
    try:
        settings = EdgeSettings(**flags)
    except ValidationError as error:
        problems += [_explain(detail) for detail in error.errors()]
    except (yaml.YAMLError, OSError, UnicodeDecodeError, TypeError, ValueError) as error:
        problems.append(f"{CONFIG_FILE_VARIABLE}: {config_file} is not a YAML mapping of settings: {error}")
    if problems or settings is None:
        raise SettingsError("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
    return settings


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {f"{ENV_PREFIX}{name.upper()}" for name in EdgeSettings.model_fields} | {CONFIG_FILE_VARIABLE}
    unknown = {name for name in environment if name.startswith(ENV_PREFIX)} - known
    return [f"{name}: there is no such setting" for name in sorted(unknown)]


def _explain(detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if not place:
        return detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"{place}: there is no such setting"
    name = place.removeprefix(ENV_PREFIX).lower()
    shown = "" if "password" in name else f", got {detail['input']!r}"
    return f"{name} ({ENV_PREFIX}{name.upper()}): {detail['msg'].removeprefix('Value error, ')}{shown}"


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
