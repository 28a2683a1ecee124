"""How every program reads its settings: defaults < YAML file < environment < flags, once, at its entry."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from schemas.errors import SettingsError


class ProgramSettings(BaseSettings):
    """Base of a program's settings object; a subclass adds fields and names its YAML variable.

    Fields are frozen. An unknown name in the YAML file or among the variables with the program's prefix is an
    error, so that a misspelt setting is not silently the default.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, populate_by_name=True, env_nested_delimiter="__")

    yaml_variable: ClassVar[str]
    """The environment variable that names the YAML file."""

    shared_variables: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Variables that other programs read too -> the nested field that each gives: section and name."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the YAML file; no .env file and no secrets folder."""
        path = os.environ.get(cls.yaml_variable)
        yaml = (YamlConfigSettingsSource(settings_cls, yaml_file=path),) if path else ()
        return (init_settings, env_settings, _SharedVariables(settings_cls), *yaml)

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None) -> Self:
        """Reads the settings.

        Args:
            flags: from the command line; a value of None means that the flag was not given.

        Raises:
            SettingsError: naming every wrong, missing and unknown setting at once.
        """
        problems = cls._unknown_variables(os.environ)
        path = os.environ.get(cls.yaml_variable)
        if path and not Path(path).is_file():
            raise SettingsError(f"{cls.yaml_variable}={path}: no such file")
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        try:
            settings = cls(**given)
        except ValidationError as error:
            problems += [_explain(detail["loc"], detail["msg"], detail.get("input")) for detail in error.errors()]
        if problems:
            raise SettingsError("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
        return settings

    @classmethod
    def _unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        prefix = cls.model_config.get("env_prefix", "")
        if not prefix:
            return []
        known = {f"{prefix}{name}".upper() for name in cls.model_fields} | {cls.yaml_variable.upper()}
        return [
            f"{name}: there is no such setting"
            for name in sorted(environment)
            if name.upper().startswith(prefix.upper()) and name.upper().split("__")[0] not in known
        ]


class _SharedVariables(PydanticBaseSettingsSource):
    """Fields of nested sections from variables that carry no prefix of ours."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: `__call__` gives all values at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Section -> name -> value, for the variables that are set."""
        sections: dict[str, dict[str, str]] = {}
        shared: Mapping[str, tuple[str, str]] = getattr(self.settings_cls, "shared_variables", {})
        for variable, (section, name) in shared.items():
            if variable in os.environ:
                sections.setdefault(section, {})[name] = os.environ[variable]
        return dict(sections)


def _explain(place: tuple[int | str, ...], message: str, value: object) -> str:
    name = ".".join(str(part) for part in place)
    shown = "" if isinstance(value, dict) or "secret" in name.lower() or "password" in name.lower() else f"={value!r}"
    return f"{name}{shown}: {message}"
