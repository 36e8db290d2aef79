"""The table of settings in the documents: complete, and the one that the code generates."""

import pytest

from lms_graphql.settings import Settings
from scripts import settings_table


def test_settings_table_is_up_to_date() -> None:
    _, documented, _ = settings_table.parts(settings_table.DOCUMENT.read_text())
    assert documented == settings_table.table(), "Run .venv/bin/python scripts/settings_table.py --write"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_has_a_description(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.strip().endswith(".")
