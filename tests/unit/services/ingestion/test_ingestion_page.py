"""docs/ingestion.md says what is true: every setting with its default, and examples that work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from services.ingestion.problems import Fault
from services.ingestion.settings import IngestionSettings
from tests.builders import scalar_records
from tests.ingestion_client import Service, batch, new_key, reading

Make = Callable[..., Service]

PAGE = (Path(__file__).parents[4] / "docs" / "ingestion.md").read_text()
EXAMPLES = [block for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if block.startswith("curl")]


def test_the_documentation_has_every_setting_with_its_default() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| `")]
    documented = {name.strip("`"): default for name, default, *_ in (row for row in rows if len(row) == 3)}
    fields = IngestionSettings.model_fields
    own = {name for name in fields if not name.startswith(("sasl_", "ssl_", "security_"))}
    assert own == own & documented.keys()
    for name in own:
        default = fields[name].default
        text = f"{default:,}" if isinstance(default, int | float) and not isinstance(default, bool) else str(default)
        assert documented[name] == text.removesuffix(".0").replace("None", "none").replace("False", "false"), name


def test_every_status_is_explained() -> None:
    explained = {int(line.split("|")[1]) for line in PAGE.splitlines() if re.match(r"\| \d{3} \|", line)}
    assert explained == {202, *(fault.status for fault in Fault if fault.status not in (404, 405, 500))}


@pytest.mark.parametrize("example", EXAMPLES, ids=["json", "protobuf"])
def test_the_examples_are_accepted(make_service: Make, example: str) -> None:
    service = make_service()
    service.token = new_key(service.keys_path, devices=["*"])
    service.keys.refresh()
    words = shlex.split(example.replace("\\\n", " "))
    given = dict(words[i + 1].split(": ") for i, word in enumerate(words) if word == "-H")
    assert given.pop("Authorization") == "Bearer $KEY"
    if "-d" in words:
        body = words[words.index("-d") + 1].encode()
    else:
        body = zstandard.compress(batch([record.value for record in scalar_records(3)]))
    response = service.post(headers=given, content=body)
    assert response.status_code == 202, response.text
    assert f'"accepted":{len(service.writer.stored)},"rejected":0' in response.text


def test_the_example_of_an_error_is_what_is_answered(service: Service) -> None:
    response = service.post(json=reading(block={"unit": "degF"}))
    example = re.search(r'^\{"type":.*?"errors":.*?\}\]', PAGE, re.DOTALL | re.MULTILINE)
    assert example is not None
    assert example.group().replace("\n ", "") in response.text
    assert service.writer.stored == []
