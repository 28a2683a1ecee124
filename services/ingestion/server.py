"""Runs the application under uvicorn until a signal comes; requests under way are answered first."""

from __future__ import annotations

import logging
import resource
import time

import uvicorn
from fastapi import FastAPI

from schemas.errors import SettingsError
from services.ingestion.app import create_app
from services.ingestion.kafka import KafkaWriter
from services.ingestion.key_file import KeyFileError, KeyRing
from services.ingestion.keys import utc_now
from services.ingestion.protocol import guarded_by
from services.ingestion.settings import IngestionSettings, is_loopback

LOG = logging.getLogger(__name__)

_OTHER_FILES = 256
"""Open files besides connections: Kafka's, the log, the libraries."""


def serve(settings: IngestionSettings) -> None:
    """Runs the service; returns when a signal has ended it.

    Raises:
        SettingsError: if it must not start: no keys, or fewer files allowed than connections.
    """
    keys = _open_keys(settings)
    _allow_files(settings.max_connections + _OTHER_FILES)
    if settings.tls_certificate is None and not is_loopback(settings.host):
        LOG.warning("plain HTTP on %s: keys can be read on the way, unless a proxy speaks TLS", settings.host)
    app = create_app(settings, writer=KafkaWriter(settings.kafka_config()), keys=keys)
    uvicorn.Server(uvicorn_config(app, settings)).run()


def uvicorn_config(app: FastAPI, settings: IngestionSettings) -> uvicorn.Config:
    """How uvicorn serves the application: with our deadlines, without what we do not use."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=guarded_by(settings),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


def _open_keys(settings: IngestionSettings) -> KeyRing | None:
    if settings.insecure_dev:
        LOG.warning("no keys: every program on this machine may write as tenant %r", settings.insecure_tenant)
        return None
    try:
        return KeyRing(
            settings.keys_file, max_stale_s=settings.keys_max_stale_s, monotonic_s=time.monotonic, now=utc_now
        )
    except KeyFileError as error:
        raise SettingsError(
            f"{error}\nmake a key with: brain-services ingestion-keys add --tenant NAME --device NAME\n"
            "or start with --insecure-dev, without any keys, on loopback"
        ) from error


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    if hard not in (resource.RLIM_INFINITY, -1) and hard < count:
        raise SettingsError(f"max_connections needs {count} open files, the system allows {hard} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
