"""Loading the settings from the environment and the .env file."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from lms_graphql.core.errors import OperatorError
from lms_graphql.settings.model import DATABASE_VARIABLES, PREFIX, Settings, variable_of


def load_settings(environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """Return the settings. The environment overrides the file, and an empty value counts as unset.

    Raise OperatorError with one line that names the setting if one is unknown or invalid.
    """
    values = _read_file(dotenv)
    if environment is None:
        _export_tracing_variables(values)
    values |= os.environ if environment is None else environment
    values = {name: value for name, value in values.items() if value and _is_setting(name)}
    fields = {variable_of(field): field for field in Settings.model_fields}
    if unknown := sorted(values.keys() - fields.keys()):
        raise OperatorError(f"{unknown[0]} is not a setting. `docs/operations.md` lists all settings.")
    try:
        return Settings(**{fields[name]: value for name, value in values.items()})  # type: ignore[arg-type]
    except ValidationError as error:
        raise OperatorError(_first_problem(error)) from None


def _export_tracing_variables(values: Mapping[str, str]) -> None:
    """Add those of the file to the environment, because OpenTelemetry looks nowhere else."""
    for name, value in values.items():
        if name.startswith("OTEL_") and value:
            os.environ.setdefault(name, value)


def _is_setting(name: str) -> bool:
    return name.startswith(PREFIX) or name in DATABASE_VARIABLES


def _read_file(dotenv: Path) -> dict[str, str]:
    """Return the values of the .env file as they are written: `$` and braces in a password are not interpolated.

    Unknown names that begin with DB_ are errors only here. In the environment they may belong to another program.
    """
    try:
        values = dotenv_values(dotenv, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OperatorError(f"The file {dotenv} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise OperatorError(f"The file {dotenv} cannot be read: {error.strerror}. Check its permissions.") from None
    if unknown := sorted(name for name in values if name.startswith("DB_") and name not in DATABASE_VARIABLES):
        known = ", ".join(DATABASE_VARIABLES)
        raise OperatorError(f"{unknown[0]} in {dotenv} is not a setting. The names with DB_ are {known}.")
    return {name: value for name, value in values.items() if value is not None}


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if not problem["loc"]:
        return f"{message}."
    name = str(problem["loc"][0])
    variable = variable_of(name) if name in Settings.model_fields else name
    return f"{variable}: {message[0].lower()}{message[1:]}."
