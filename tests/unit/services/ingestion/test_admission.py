"""Who may send what: every request needs a key, and a key speaks for its own tenant and devices only."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from services.ingestion.key_file import read_keys, write_keys
from services.ingestion.keys import revoke_key
from tests.builders import FrameBuilder
from tests.ingestion_client import NOW, PROTOBUF, Service, batch, new_key, reading

GOOD = FrameBuilder().record().value


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer kzz.0000", "Bearer " + "x" * 5_000, "Bearer k.\xff"],
    ids=["none", "no token", "empty", "basic", "unknown", "long", "latin"],
)
def test_without_a_key_nobody_is_let_in(service: Service, header: str) -> None:
    headers = {**PROTOBUF, "Authorization": header.encode("latin-1")}
    response = service.run(service.request("POST", "/v1/ingest", headers=headers, content=batch([GOOD])))
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"][0]["field"] == "Authorization"
    assert service.writer.calls == []


def test_a_key_in_the_address_is_no_key(service: Service) -> None:
    path = f"/v1/ingest?key={service.token}&access_token={service.token}"
    response = service.run(service.request("POST", path, headers=PROTOBUF, content=batch([GOOD])))
    assert response.status_code == 401


def test_a_revoked_and_an_expired_key_are_refused(service: Service) -> None:
    expiring = new_key(service.keys_path, devices=["walker-2"], expires=NOW + timedelta(hours=1))
    service.keys.refresh()
    assert service.post(token=expiring, json=reading(device_id="walker-2")).status_code == 202
    service.wall[0] += timedelta(hours=1)
    assert service.post(token=expiring, json=reading(device_id="walker-2")).status_code == 401
    key_id = service.token.split(".")[0]
    write_keys(service.keys_path, revoke_key(read_keys(service.keys_path), key_id, now=NOW))
    service.keys.refresh()
    response = service.post(json=reading())
    assert response.status_code == 401
    assert "revoked" in response.json()["detail"]


def test_both_keys_of_a_rotation_are_let_in(service: Service) -> None:
    second = new_key(service.keys_path)
    service.keys.refresh()
    assert [service.post(token=token, json=reading()).status_code for token in (service.token, second)] == [202, 202]


def test_records_of_another_tenant_or_device_are_rejected_one_by_one(service: Service) -> None:
    values = [
        FrameBuilder(**fields).record().value  # type: ignore[arg-type]
        for fields in ({}, {"tenant_id": "clinic"}, {"device_id": "walker-2"}, {"sequence": 1})
    ]
    response = service.post_envelopes(values)
    assert response.status_code == 202
    results = response.json()["results"]
    assert [result.get("reason") for result in results] == [None, "foreign_tenant", "foreign_device", None]
    assert [result.get("field") for result in results[1:3]] == ["envelopes[1].tenant_id", "envelopes[2].device_id"]
    assert [record.value for _, record in service.writer.stored] == [values[0], values[3]]


@pytest.mark.parametrize("fields", [{"tenant_id": "clinic"}, {"device_id": "walker-2"}])
def test_a_request_that_another_key_would_open_is_forbidden(service: Service, fields: dict[str, str]) -> None:
    for response in (
        service.post_envelopes([FrameBuilder(**fields).record().value]),  # type: ignore[arg-type]
        service.post(json=reading(**fields)),
    ):
        assert response.status_code == 403
        assert response.json()["results"][0]["reason"].startswith("foreign_")
    assert service.writer.stored == []


def test_two_tenants_with_the_same_names_have_different_events(service: Service) -> None:
    other = new_key(service.keys_path, tenant="clinic")
    service.keys.refresh()
    answers = [service.post(token=token, json=reading()).json() for token in (service.token, other)]
    assert len({answer["results"][0]["event_id"] for answer in answers}) == 2
    assert [record.key for _, record in service.writer.stored] == [
        b"lab/walker-1/s-1/TEMP",
        b"clinic/walker-1/s-1/TEMP",
    ]


def test_keys_that_cannot_be_read_for_too_long_let_nobody_in(service: Service) -> None:
    service.now_s[0] = 61.0
    response = service.post(json=reading())
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


def test_neither_key_nor_payload_is_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    wrong = "secret" * 2
    with caplog.at_level(logging.DEBUG):
        service.post(json=reading(session_id="private-session"))
        service.post(token=f"kzz.{wrong}", json=reading())
        service.post(json=reading(block={"unit": "private-unit"}))
    for secret in (service.token.split(".")[1], wrong, "private-unit", "private-session"):
        assert secret not in caplog.text
