"""The table of settings in the documents: complete, and the one that the code generates."""

from lms_graphql.settings import Settings
from scripts import settings_table


def test_settings_table_is_up_to_date() -> None:
    _, documented, _ = settings_table.parts(settings_table.DOCUMENT.read_text())
    assert documented == settings_table.table(), "Run .venv/bin/python scripts/settings_table.py --write"


def test_settings_have_descriptions() -> None:
    descriptions = {name: field.description or "" for name, field in Settings.model_fields.items()}
    assert [name for name, text in descriptions.items() if not text.strip().endswith(".")] == []
