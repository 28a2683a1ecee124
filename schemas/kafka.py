"""How a program connects to Kafka: what is the same for every client of librdkafka."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

SAFE_PRODUCER: dict[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    # The partition in which the JVM's own producer puts the same key.
    "partitioner": "murmur2_random",
}
"""Of every producer that writes frames: each once, stored by all in-sync replicas, where its key belongs."""


class KafkaSecurity(BaseModel):
    """The security options of a connection; a program's settings inherit them.

    Attributes:
        security_protocol ... ssl_key_password: passed to librdkafka as they are.
    """

    security_protocol: str = Field("PLAINTEXT", pattern="^(?i:plaintext|ssl|sasl_plaintext|sasl_ssl)$")
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: Path | None = None
    ssl_certificate_location: Path | None = None
    ssl_key_location: Path | None = None
    ssl_key_password: SecretStr | None = None

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> Self:
        if self.security_protocol.lower().startswith("sasl") and self.sasl_mechanism is None:
            raise ValueError(f"sasl_mechanism is missing: security_protocol={self.security_protocol} needs it")
        if (self.sasl_mechanism or "").upper().startswith(("PLAIN", "SCRAM")):
            missing = [name for name in ("sasl_username", "sasl_password") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"{' and '.join(missing)} missing: sasl_mechanism={self.sasl_mechanism} needs it")
        return self

    def kafka_security(self) -> dict[str, Any]:
        """The options as librdkafka names them; those that are not set are left to its defaults."""
        options = {
            "security.protocol": self.security_protocol.lower(),
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": _revealed(self.sasl_password),
            "ssl.ca.location": _text(self.ssl_ca_location),
            "ssl.certificate.location": _text(self.ssl_certificate_location),
            "ssl.key.location": _text(self.ssl_key_location),
            "ssl.key.password": _revealed(self.ssl_key_password),
        }
        return {name: value for name, value in options.items() if value is not None}


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
