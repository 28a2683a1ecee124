"""docs/features.md, made from the declarations: `make features-page` writes it, a contract test holds it to them."""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from schemas.balance import BALANCE_FEATURES, BalanceGroup, BalanceReason
from schemas.environment import ENVIRONMENT_FEATURES, ENVIRONMENT_GROUPS, EnvironmentReason
from schemas.features import Feature
from schemas.health import GAIT_FEATURES, GaitGroup, GaitReason
from schemas.plantar import PLANTAR_FEATURES, PlantarGroup, PlantarReason
from schemas.power import POWER_FEATURES, PowerGroup, PowerReason
from schemas.scanner import SCANNER_FEATURES, ScanGroup, ScanReason

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
COMMAND = "make features-page"
_MARKUP = re.compile(r"\||\*(?=\S)|(?<=\S)\*|<(?=[A-Za-z/!?])")


@dataclass(frozen=True, slots=True)
class Section:
    """The features of one kind of measurement.

    Attributes:
        title: its heading.
        intro: what is measured, and the symbols of its formulas.
        missing: how a missing value is told; the codes follow.
        features: in the order of the row.
        reasons: the codes, each with a docstring.
        groups: what the part of a reason before the colon may be; empty when reasons have no such part.
    """

    title: str
    intro: str
    missing: str
    features: tuple[Feature, ...]
    reasons: type[StrEnum]
    groups: tuple[str, ...] = ()


_BY_GROUP = "Features of a group are missing together, and each missing group is reported as `group:reason`."
_BY_WINDOW = (
    "The column `missing` holds `group:reason` for each group in which a feature is missing or limited; `quality` says "
    "why when the window has no feature at all."
)
_BY_FOOT = f"{_BY_GROUP} A reason of one foot has `_left` or `_right` behind the group."

SECTIONS: tuple[Section, ...] = (
    Section(
        "Health: gait",
        "Walking in insoles with eight force sensors under each foot; one row a session (`udfs.gait`). HS is a heel "
        "strike and TO a toe-off, when the total force of the foot crosses 20 N; F is that force in body weights (BW), "
        "BW the session's own `walking_force_mean_newton`. A quantity of a foot has three columns: left, right and "
        "their mean, which is missing when one foot is. x points sideways, y to the toes, both in `au`, the arbitrary "
        "length unit of the sensors' coordinates.",
        "The column `quality` says why features are missing, and `missing` of which groups: `group:reason`.",
        GAIT_FEATURES,
        GaitReason,
        tuple(GaitGroup),
    ),
    Section(
        "Health: balance",
        "Quiet standing on a force plate; one row a trial (`udfs.balance`). x and y are the coordinates of the centre "
        "of pressure (CoP) on the plate; which of its axes points forward is part of the trial. N is the number of "
        "samples and T = N / sample rate.",
        _BY_GROUP,
        BALANCE_FEATURES,
        BalanceReason,
        tuple(BalanceGroup),
    ),
    Section(
        "Health: plantar pressure",
        "Pressure under the foot from insoles, soles and platforms (`udfs.plantar`). p_i is the pressure of a sensor "
        "in kPa and A_i its area in cm2; F is the force of the foot and FTI its integral over a stance. A value of a "
        "foot is the mean over its stances, in columns for left, right and the mean of the feet measured.",
        _BY_FOOT,
        PLANTAR_FEATURES,
        PlantarReason,
        tuple(PlantarGroup),
    ),
    Section(
        "Health: foot scan",
        "One triangle mesh of each foot, in mm, z up (`udfs.scanner`). Every quantity has columns for left, right, the "
        "mean of the feet scanned and the difference left - right.",
        _BY_FOOT,
        SCANNER_FEATURES,
        ScanReason,
        tuple(ScanGroup),
    ),
    Section(
        "Power",
        "Voltage, current, power and energy over a window (`udfs.power`). Waveforms give every feature, readings of a "
        "meter those that need no waveform. u and i are samples, U and I their RMS values, U_din the declared voltage "
        "of the supply; the index 1 marks the fundamental. A quantity of a phase has columns for l1, l2 and l3; the "
        "worst phase is the one with the largest value.",
        _BY_WINDOW,
        POWER_FEATURES,
        PowerReason,
        tuple(PowerGroup),
    ),
    Section(
        "Environment",
        "Temperature, humidity, CO2 and PM2.5 over a window (`udfs.environment`). T is the temperature in degC, RH the "
        "relative humidity in %, e the vapour pressure, C the CO2 and Cout that of outdoor air. Readings outside the "
        "valid range of the sensor enter no feature but the share of such readings.",
        _BY_WINDOW,
        ENVIRONMENT_FEATURES,
        EnvironmentReason,
        tuple(ENVIRONMENT_GROUPS),
    ),
)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def meanings(reasons: type[StrEnum]) -> dict[str, str]:
    """The docstring under each member of an enumeration, by the member's value.

    Python keeps no docstring of a member, so it is read from the source.
    """
    (enum,) = ast.parse(textwrap.dedent(inspect.getsource(reasons))).body
    if not isinstance(enum, ast.ClassDef):
        raise TypeError(f"{reasons!r} is no class")
    found = {}
    for member, doc in zip(enum.body, enum.body[1:], strict=False):
        match member, doc:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[reasons[name].value] = " ".join(text.split())
    return found


def _lines() -> Iterator[str]:
    yield f"<!-- Written by `{COMMAND}` from the declarations in schemas/. Change those, not this page. -->"
    yield from ("", "# Features", "")
    yield "What iot-brain derives from the signals of each domain, with formula and source of every number."
    yield from ("", "| chapter | features |", "|---|---|")
    for section in SECTIONS:
        yield f"| [{section.title}](#{_anchor(section.title)}) | {len(section.features)} |"
    yield ""
    yield (
        "A missing feature is NaN in memory and null in rows and tables, never a made-up number, and a code says why. "
        "The unit `1` marks counts and pure numbers. A value outside its range would be wrong, not just unusual; no "
        "range means that nothing bounds it. SD (n-1) is the standard deviation with n-1 in the denominator, CV the "
        "coefficient of variation."
    )
    for section in SECTIONS:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from ("", f"## {section.title}", "", section.intro, "", section.missing)
    if section.groups:
        yield f"The groups: {', '.join(f'`{group}`' for group in section.groups)}."
    yield ""
    yield from _table(("code", "meaning"), ((f"`{code}`", text) for code, text in meanings(section.reasons).items()))
    yield ""
    yield from _table(
        ("name", "unit", "meaning", "formula", "source", "range"),
        (
            (f"`{each.name}`", each.unit, each.doc, each.formula, each.source, _range(each.lowest, each.highest))
            for each in section.features
        ),
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(_cell(text) for text in row)} |"


def _cell(text: str) -> str:
    """Text that Markdown leaves as it is: a bar would end the cell, `a*b` turn italic, `<x` become a tag."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _range(lowest: float, highest: float) -> str:
    if math.isinf(lowest):
        return "" if math.isinf(highest) else f"up to {_number(highest)}"
    return f"{_number(lowest)} or more" if math.isinf(highest) else f"{_number(lowest)} to {_number(highest)}"


def _number(value: float) -> str:
    return f"{value:.12g}"


def _anchor(title: str) -> str:
    """The link target that GitHub gives a heading."""
    return title.lower().replace(":", "").replace(" ", "-")


if __name__ == "__main__":
    main()
