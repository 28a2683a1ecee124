"""How every program reads its settings: defaults < YAML file < environment < flags, once, at its entry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar, Self, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource

from schemas.errors import SettingsError

_NESTED = "__"


class ProgramSettings(BaseModel):
    """Base of a program's settings object; a subclass adds fields and names its variables.

    The variable of a field is the prefix and the field's name: `BRAIN_EDGE_SPEED`; of a field of a nested section
    `BRAIN_JOBS_CLICKHOUSE__HOST`; a mapping may also be given as JSON. A field that holds a secret is a SecretStr.
    The constructor checks values and reads nothing; `load` reads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prefix: ClassVar[str]
    """Of the program's own variables. One that has it and belongs to no field is an error: it is misspelt."""

    yaml_variable: ClassVar[str]
    """The variable that names the YAML file; its keys are the names of the fields."""

    shared_variables: ClassVar[Mapping[str, str]] = {}
    """Variables that other programs read too -> the field that each gives (`host`, or `clickhouse.host` in a section).

    They are weaker than the program's own variables; of two for one field the first is the stronger.
    """

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None, *, yaml_file: Path | None = None) -> Self:
        """Reads the settings.

        Args:
            flags: from the command line; a value of None means that the flag was not given.
            yaml_file: instead of the file that the environment names.

        Raises:
            SettingsError: naming every wrong, missing and unknown setting at once, and never showing a secret.
        """
        problems = _misspelt_variables(cls)
        from_file: dict[str, Any] = {}
        try:
            from_file = _read_yaml(yaml_file or os.environ.get(cls.yaml_variable))
        except SettingsError as error:
            problems.append(f"{cls.yaml_variable}: {error}")
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        layers = (from_file, _from_shared_variables(cls), _from_own_variables(cls), given)
        try:
            settings = cls(**reduce(_overlaid, layers))
        except ValidationError as error:
            problems += [_explain(cls, detail) for detail in error.errors()]
        if problems:
            # Not inside the handler: a traceback would show the validation's error too, with the values.
            raise SettingsError("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
        return settings


def _read_yaml(path: Path | str | None) -> dict[str, Any]:
    """The settings in a file; none if there is no path.

    Raises:
        SettingsError: without a word of the file's text, which may hold a password.
    """
    if not path:
        return {}
    try:
        values = yaml.safe_load(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"can't read {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{path}{place}: not YAML in UTF-8, or a date that is none") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SettingsError(f"{path}: want setting names with values")
    return values


def _from_shared_variables(program: type[ProgramSettings]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, name in program.shared_variables.items():
        if variable in os.environ:
            section, _, field = name.rpartition(".")
            given = {field: os.environ[variable]}
            values = _overlaid({section: given} if section else given, values)
    return values


def _from_own_variables(program: type[ProgramSettings]) -> dict[str, Any]:
    # The source asks for the fields only, which every pydantic model has.
    model = cast("type[BaseSettings]", program)
    return _OwnVariables(model, env_prefix=program.prefix, env_nested_delimiter=_NESTED)()


class _OwnVariables(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The mapping in a JSON text; other text as it is, for the validation to name it with all that is wrong."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both together; where both give a value, the one above counts. Sections are joined field by field."""
    joined = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            joined[name] = _overlaid(below[name], above[name])
    return joined


def _misspelt_variables(program: type[ProgramSettings]) -> list[str]:
    fields = {_variable(program, name): field for name, field in _fields(program)}
    known = {program.yaml_variable, *program.shared_variables, *fields}
    # What stands in a section or mapping is checked with its values.
    open_ended = tuple(f"{name}{_NESTED}" for name, field in fields.items() if _is_one_of(field, BaseModel, Mapping))
    return [
        f"{variable}: there is no such setting"
        for variable in sorted(os.environ)
        if (upper := variable.upper()).startswith(program.prefix)
        and upper not in known
        and not upper.startswith(open_ended)
    ]


def _explain(program: type[ProgramSettings], detail: ErrorDetails) -> str:
    """One problem as `name (variable): what is wrong, got value`."""
    name = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if not name:
        return message
    if detail["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    field = dict(_fields(program)).get(name)
    if field is None:
        return f"{name}: {message}"
    shared = [variable for variable, target in program.shared_variables.items() if target == name]
    variables = " or ".join([_variable(program, name), *shared])
    # Sections and mappings may hold secrets; the "value" of a missing field is all that was given beside it.
    secret = _is_one_of(field, SecretStr, BaseModel, Mapping) or isinstance(detail["input"], dict | list)
    return f"{name} ({variables}): {message}" + ("" if secret else f", got {detail['input']!r}")


def _fields(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field with its name, `section.field` in a nested section."""
    for name, field in model.model_fields.items():
        yield section + name, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{section}{name}.")


def _variable(program: type[ProgramSettings], name: str) -> str:
    return f"{program.prefix}{name.replace('.', _NESTED)}".upper()


def _is_one_of(field: FieldInfo, *kinds: type) -> bool:
    """Whether a field's type, or a part of it (`X | None`), is one of these."""
    types = [get_origin(part) or part for part in (field.annotation, *get_args(field.annotation))]
    return any(isinstance(part, type) and issubclass(part, kinds) for part in types)
