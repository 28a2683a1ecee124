"""TLS of a source: what it trusts, and what it shows."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from edge.sources.model import Section, complain


class TlsSettings(Section):
    """TLS with the system's authorities, or with those in `ca_file`; a certificate of our own where the peer asks."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        problems = []
        if (self.certificate_file is None) != (self.key_file is None):
            problems.append("certificate_file and key_file go together")
        else:
            try:
                tls_context(self)
            except OSError as error:
                files = ", ".join(str(path) for path in (self.ca_file, self.certificate_file, self.key_file) if path)
                problems.append(f"{files}: {error}")
        complain(problems)
        return self


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """What a TLS connection trusts and shows.

    Raises:
        OSError: if a file is not there, or not what it should be.
    """
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file is not None:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context
