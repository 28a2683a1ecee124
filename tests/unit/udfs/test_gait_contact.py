"""Foot contact: crossings to a fraction of a sample, hysteresis, minimum durations, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.gait.contact import ContactRule, find_contacts

RATE_HZ = 100.0


def trapezoid(
    *, at: float, length: int = 60, peak: float = 700.0, samples: int = 200, ramp: float = 10.0
) -> np.ndarray:
    """A contact whose ramps are straight lines: the force is peak * (t - at) / ramp on the way up."""
    time = np.arange(samples, dtype=np.float64)
    return peak * np.clip(np.minimum((time - at) / ramp, (at + length - time) / ramp), 0.0, 1.0)


@pytest.mark.parametrize("at", [40.0, 40.25, 40.5, 40.999])
def test_a_crossing_is_dated_between_samples(at: float) -> None:
    # The ramps are not straight in the sample step where they begin, so the threshold lies on the straight part.
    rule = ContactRule(threshold=140.0)
    contacts = find_contacts(trapezoid(at=at), sample_rate_hz=RATE_HZ, rule=rule)
    assert contacts.strike == pytest.approx([at + 2.0], abs=1e-9)
    assert contacts.off == pytest.approx([at + 58.0], abs=1e-9)


def test_noise_about_the_threshold_makes_no_contact() -> None:
    force = 20.0 + 4.0 * np.where(np.arange(400) // 30 % 2, 1.0, -1.0)
    assert find_contacts(force, sample_rate_hz=RATE_HZ).first.size == 0


def test_without_hysteresis_the_same_noise_would_make_contacts() -> None:
    force = 20.0 + 4.0 * np.where(np.arange(400) // 30 % 2, 1.0, -1.0)
    assert find_contacts(force, sample_rate_hz=RATE_HZ, rule=ContactRule(hysteresis=0.0)).first.size > 3


def test_a_contact_shorter_than_its_minimum_is_no_contact() -> None:
    assert find_contacts(trapezoid(at=40, length=18, ramp=1), sample_rate_hz=RATE_HZ).first.size == 0
    assert find_contacts(trapezoid(at=40, length=24, ramp=1), sample_rate_hz=RATE_HZ).first.size == 1


def test_an_unloaded_time_shorter_than_its_minimum_joins_two_contacts() -> None:
    short, long = trapezoid(at=40, ramp=1), trapezoid(at=40, ramp=1)
    short[62:68] = 0.0
    long[62:76] = 0.0
    assert find_contacts(short, sample_rate_hz=RATE_HZ).first.size == 1
    assert find_contacts(long, sample_rate_hz=RATE_HZ).first.size == 2


def test_contacts_that_the_record_cuts_have_no_date_there() -> None:
    force = np.concatenate([np.full(50, 500.0), np.zeros(30), np.full(50, 500.0)])
    contacts = find_contacts(force, sample_rate_hz=RATE_HZ)
    assert np.isnan(contacts.strike[0])
    assert np.isfinite(contacts.off[0])
    assert np.isfinite(contacts.strike[1])
    assert np.isnan(contacts.off[1])


def test_an_event_beside_lost_samples_has_no_date() -> None:
    force = trapezoid(at=40, ramp=1)
    force[30:50] = np.nan
    contacts = find_contacts(force, sample_rate_hz=RATE_HZ)
    assert np.isnan(contacts.strike).all()
    assert np.isfinite(contacts.off).all()


def test_negative_offsets_of_an_unloaded_sensor_do_no_harm() -> None:
    force = trapezoid(at=40.0) - 15.0
    assert find_contacts(force, sample_rate_hz=RATE_HZ).first.size == 1


@pytest.mark.parametrize("samples", [0, 1, 2])
def test_a_signal_too_short_for_a_contact_has_none(samples: int) -> None:
    assert find_contacts(np.full(samples, 500.0), sample_rate_hz=RATE_HZ).first.size == 0
