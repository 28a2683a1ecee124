"""What one key may send in a second."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.limits import KeyRates, TokenBucket
from services.ingestion.problems import ProblemError
from tests.builders import scalar_records
from tests.ingestion_client import Service, new_key, reading

Make = Callable[..., Service]


@given(
    st.floats(0.1, 1_000),
    st.floats(1, 1_000),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 50)), max_size=60),
)
def test_no_more_passes_than_burst_and_rate_allow_and_the_wait_is_long_enough(
    rate: float, burst: float, takes: list[tuple[float, float]]
) -> None:
    bucket = TokenBucket(rate, burst, burst, 0.0)
    now_s = passed = 0.0
    for pause_s, amount in takes:
        now_s += pause_s
        wait_s = bucket.take(amount, now_s)
        if wait_s == 0:
            passed += amount
        elif amount <= burst:
            assert bucket.take(amount, now_s + wait_s + 1e-6) == 0.0
            passed, now_s = passed + amount, now_s + wait_s + 1e-6
        assert passed <= burst + rate * now_s + 1e-6 * (1 + rate * now_s)


def test_each_key_has_a_bucket_of_its_own() -> None:
    now_s = [0.0]
    rates = KeyRates("requests", rate_per_s=1.0, burst=2.0, now_s=lambda: now_s[0])
    rates.take("a", 1)
    rates.take("a", 1)
    with pytest.raises(ProblemError) as raised:
        rates.take("a", 1)
    assert raised.value.retry_after_s == 1.0
    rates.take("b", 2)
    now_s[0] = 1.0
    rates.take("a", 1)


def test_too_many_requests_of_one_key_wait_and_another_key_does_not(make_service: Make) -> None:
    service = make_service(requests_per_s=0.01, requests_burst=2)
    other = new_key(service.keys_path, devices=["walker-2"])
    service.keys.refresh()
    responses = [service.post(json=reading(sequence=n)) for n in range(3)]
    assert [response.status_code for response in responses] == [202, 202, 429]
    assert 90 <= int(responses[2].headers["retry-after"]) <= 101
    assert responses[2].json()["type"].endswith("rate_exceeded")
    assert service.post(token=other, json=reading(device_id="walker-2")).status_code == 202


def test_too_many_records_of_one_key_wait(make_service: Make) -> None:
    service = make_service(max_records=10, records_per_s=0.1, records_burst=15)
    values = [record.value for record in scalar_records(10)]
    assert service.post_envelopes(values).status_code == 202
    assert service.post_envelopes(values).status_code == 429
    assert service.post_envelopes(values[:5]).status_code == 202
    assert len(service.writer.stored) == 15
