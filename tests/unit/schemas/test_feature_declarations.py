"""Every feature is declared in full: its meaning, unit, formula, source and limits."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from schemas.columns import Kind
from schemas.feature_page import SECTIONS, Section
from schemas.health import GAIT_FEATURES
from tests.builders_gait import human_walk
from udfs.gait import extract_gait_features

EACH_SECTION = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)


@EACH_SECTION
def test_every_feature_has_meaning_unit_formula_and_source(section: Section) -> None:
    for feature in section.features:
        for text in (feature.doc, feature.unit, feature.formula, feature.source):
            assert text.strip(), feature.name
            assert text == text.strip(), feature.name
            assert "{" not in text, feature.name
            assert "\n" not in text, feature.name


@EACH_SECTION
def test_names_are_snake_case_and_unique(section: Section) -> None:
    names = [feature.name for feature in section.features]
    assert names
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in names)
    assert len(set(names)) == len(names)


@EACH_SECTION
def test_limits_leave_room(section: Section) -> None:
    for feature in section.features:
        assert feature.lowest < feature.highest, feature.name
        if feature.kind is Kind.INT32:
            assert feature.unit == "1", feature.name
            assert feature.lowest == 0.0, feature.name
        else:
            assert feature.kind is Kind.FLOAT64, feature.name
        if feature.name.endswith("_pct"):
            assert feature.unit == "%", feature.name
        assert feature.nullable, feature.name


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_lies_within_the_limits_of_every_gait_feature(seed: int) -> None:
    force = human_walk(duration_s=120.0, seed=seed)
    values = extract_gait_features(force, sample_rate_hz=100.0).values
    known = dict(zip(GAIT_FEATURES, values.tolist(), strict=True))
    assert sum(math.isfinite(value) for value in known.values()) > 150
    outside = [each.name for each, value in known.items() if value < each.lowest or value > each.highest]
    assert not outside
    # Limits that would let any number pass say nothing: most features have at least one.
    assert np.mean([math.isfinite(each.lowest) or math.isfinite(each.highest) for each in GAIT_FEATURES]) > 0.9
