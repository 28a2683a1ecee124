"""docs/features.md says what the code declares."""

from __future__ import annotations

import re

import pytest

from schemas.feature_page import COMMAND, PAGE, SECTIONS, Section, meanings, page
from schemas.features import Feature
from schemas.rows import ROWS


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table row, as Markdown divides them."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_the_committed_page_is_what_the_declarations_give() -> None:
    # Not `==` in the assert: its difference would be thousands of lines.
    same = PAGE.read_text(encoding="utf-8") == page()
    assert same, f"docs/features.md is not what the code declares: run `{COMMAND}`"


def test_every_feature_has_its_own_row_of_six_cells() -> None:
    found = [row[0].strip("`") for row in table_rows(page()) if len(row) == 6]
    assert [name for name in found if name != "name"] == [each.name for part in SECTIONS for each in part.features]
    assert {len(row) for row in table_rows(page())} == {2, 6}


def test_every_feature_of_a_row_that_travels_is_on_the_page() -> None:
    travelling = {each.name for row in ROWS for each in row.columns if isinstance(each, Feature)}
    assert travelling
    assert travelling <= {each.name for part in SECTIONS for each in part.features}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_every_reason_is_explained(section: Section) -> None:
    explained = meanings(section.reasons)
    assert list(explained) == [reason.value for reason in section.reasons]
    assert all(text.endswith(".") for text in explained.values())
    rows = table_rows(page())
    assert all([f"`{code}`", text.replace("|", r"\|")] in rows for code, text in explained.items())
