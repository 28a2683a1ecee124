"""The live sources of an agent: `sources` in its YAML file, each a section of one kind.

Everything that can be wrong with them is told before any of them starts.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, model_validator

from edge.sources.format_settings import LinesSettings, SplitSettings, known_fields
from edge.sources.model import Identifier, Section, complain
from edge.sources.sensor_settings import ReadingSettings
from edge.sources.synthetic.settings import SignalSettings
from edge.sources.tls import TlsSettings
from edge.sources.topic_template import TopicTemplate

LONGEST_WAIT_S = 3_600.0


class RetrySettings(Section):
    """How long a source waits before it tries again: doubling from the first to the longest, in s."""

    first_s: float = Field(0.5, gt=0.0, le=LONGEST_WAIT_S)
    longest_s: float = Field(30.0, gt=0.0, le=LONGEST_WAIT_S)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        complain([f"first_s={self.first_s:g} > longest_s={self.longest_s:g}"] if self.first_s > self.longest_s else [])
        return self


class SourceSection(Section):
    """What every source has.

    Attributes:
        name: in logs and status; each source has its own.
    """

    name: Identifier
    retry: RetrySettings = RetrySettings()


class SerialSettings(SourceSection):
    """A serial line.

    Attributes:
        port: such as /dev/ttyUSB0 (better: its link in /dev/serial/by-id), or socket://host:port.
        split: how the bytes are cut into messages.
        silence_s: without a byte for so long the state says so; the port stays open.
    """

    kind: Literal["serial"]
    device_id: Identifier
    port: str = Field(min_length=1)
    baud_rate: int = Field(115_200, ge=50, le=12_000_000)
    data_bits: Literal[5, 6, 7, 8] = 8
    parity: Literal["none", "even", "odd", "mark", "space"] = "none"
    stop_bits: Literal["1", "1.5", "2"] = "1"
    flow_control: Literal["none", "rts_cts", "xon_xoff", "dsr_dtr"] = "none"
    split: SplitSettings = LinesSettings()
    reading: ReadingSettings
    silence_s: float = Field(60.0, gt=0.0, le=86_400.0)


class SubscriptionSettings(Section):
    """Topics of one form.

    Attributes:
        topic: a template: levels that are `{device}`, `{sensor}`, `+` (any) or text; `#` (all that follows) at its end.
        device_id: where the topic has no `{device}`.
    """

    topic: str = Field(min_length=1, max_length=1_024)
    device_id: Identifier | None = None
    reading: ReadingSettings

    @model_validator(mode="after")
    def _names_a_device(self) -> Self:
        template = TopicTemplate(self.topic)
        if template.has_device == (self.device_id is not None):
            raise ValueError(f"topic {self.topic!r}: want one of {{device}} in it and device_id")
        return self


class MqttSettings(SourceSection):
    """A broker.

    Attributes:
        version: "5" or "3.1.1".
        client_id: under which the broker keeps the session: messages wait there while the agent is away.
        session_expiry_s: how long the broker keeps it (version 5).
        receive_maximum: messages on the way to the disk at once (version 5; with 3.1.1 the broker decides).
    """

    kind: Literal["mqtt"]
    host: str = Field(min_length=1)
    port: int | None = Field(None, ge=1, le=65_535)
    version: Literal["5", "3.1.1"] = "5"
    client_id: str = Field(min_length=1, max_length=256)
    username: str | None = None
    password: SecretStr | None = None
    tls: TlsSettings | None = None
    keep_alive_s: int = Field(30, ge=5, le=65_535)
    session_expiry_s: int = Field(7 * 86_400, ge=0, le=0xFFFF_FFFF)
    receive_maximum: int = Field(100, ge=1, le=65_535)
    subscriptions: tuple[SubscriptionSettings, ...] = Field(min_length=1)

    @property
    def port_number(self) -> int:
        """1883, with TLS 8883, where none is given."""
        return self.port or (1_883 if self.tls is None else 8_883)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = []
        if self.password is not None and self.username is None:
            problems.append("password without username")
        if self.password is not None and self.tls is None and not _is_loopback(self.host):
            problems.append(f"password: would cross the network in clear text to {self.host}; set tls")
        repeated = [topic for topic, count in Counter(one.topic for one in self.subscriptions).items() if count > 1]
        problems += [f"subscriptions: {topic} twice" for topic in repeated]
        complain(problems)
        return self


class HttpPushSettings(SourceSection):
    """A small HTTP endpoint for devices that push: `POST path` with `Authorization: Bearer token`.

    Attributes:
        host: loopback by default; behind another address should stand a proxy with TLS.
        port: 0 takes any free one.
        device_id: of all messages; or `device_field`: the field that names it.
        answer_s: a message that is not on disk by then is answered with 503.
    """

    kind: Literal["http_push"]
    host: str = "127.0.0.1"
    port: int = Field(8_095, ge=0, le=65_535)
    path: str = Field("/v1/readings", pattern=r"^/[A-Za-z0-9._~/-]*$")
    token: SecretStr
    device_id: Identifier | None = None
    device_field: str | None = Field(None, min_length=1)
    reading: ReadingSettings
    max_body_bytes: int = Field(1024 * 1024, ge=1, le=16 * 1024 * 1024)
    max_connections: int = Field(32, ge=1, le=1_024)
    answer_s: float = Field(10.0, gt=0.0, le=300.0)
    request_s: float = Field(10.0, gt=0.0, le=300.0)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = _device_problems(self.device_id, self.device_field, self.reading)
        if len(self.token.get_secret_value()) < 16:
            problems.append("token: at least 16 characters")
        complain(problems)
        return self


class HttpPullSettings(SourceSection):
    """A device that is asked: `GET url` every `interval_s`.

    Attributes:
        token: sent as `Authorization: Bearer`.
        headers: sent as they are.
        device_id: of all answers; or `device_field`: the field that names it.
    """

    kind: Literal["http_pull"]
    url: str = Field(pattern=r"^https?://\S+$")
    interval_s: float = Field(10.0, ge=0.05, le=86_400.0)
    timeout_s: float = Field(5.0, gt=0.0, le=300.0)
    token: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    tls: TlsSettings | None = None
    device_id: Identifier | None = None
    device_field: str | None = Field(None, min_length=1)
    reading: ReadingSettings
    max_body_bytes: int = Field(1024 * 1024, ge=1, le=16 * 1024 * 1024)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        complain(_device_problems(self.device_id, self.device_field, self.reading))
        return self


class ReplaySettings(SourceSection):
    """Recordings, as `brain-edge replay` reads them.

    Attributes:
        addresses: FILE or FILE#PART.
        device_id, session_id, start, one_after_another, block_s: as those of the agent's settings of the same names.
        speed: multiple of real time; 0 is as fast as possible.
    """

    kind: Literal["replay"]
    addresses: tuple[str, ...] = Field(min_length=1)
    device_id: Identifier | None = None
    session_id: Identifier | None = None
    speed: float = Field(1.0, ge=0.0, allow_inf_nan=False)
    start: AwareDatetime | None = None
    one_after_another: bool = False
    scan_store: str | None = Field(None, min_length=1)
    block_s: float = Field(1.0, gt=0.0, le=60.0)


class SyntheticSettings(SourceSection):
    """A device that does not exist, measuring signals with known truth.

    Attributes:
        seed: the same seed gives the same values.
        sensors: each with the signal that it measures.
        duration_s: without it the device measures until the agent stops.
    """

    kind: Literal["synthetic"]
    device_id: Identifier
    seed: int = Field(1, ge=0, le=2**32 - 1)
    sensors: tuple[SignalSettings, ...] = Field(min_length=1)
    block_s: float = Field(1.0, gt=0.0, le=60.0)
    duration_s: float | None = Field(None, gt=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        counts = Counter(sensor.sensor_type for sensor in self.sensors)
        complain([f"sensors: {kind} twice" for kind, count in counts.items() if count > 1])
        return self


SourceSettings = Annotated[
    SerialSettings | MqttSettings | HttpPushSettings | HttpPullSettings | ReplaySettings | SyntheticSettings,
    Field(discriminator="kind"),
]
"""One live source."""


def _have_names_of_their_own(sources: list[SourceSettings]) -> list[SourceSettings]:
    counts = Counter(source.name for source in sources)
    complain([f"{count} sources are called {name!r}" for name, count in counts.items() if count > 1])
    return sources


SourceList = Annotated[list[SourceSettings], AfterValidator(_have_names_of_their_own)]
"""The live sources of one agent."""


def _device_problems(device_id: str | None, device_field: str | None, reading: ReadingSettings) -> list[str]:
    problems = []
    if (device_id is None) == (device_field is None):
        problems.append("want one of device_id and device_field")
    known = known_fields(reading.format)
    if device_field is not None and known is not None and device_field not in known:
        problems.append(f"device_field: the format has no field {device_field!r}: {', '.join(known)}")
    return problems


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
