"""The commands `lms-graphql quiz import` and `quiz export`."""

import codecs
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_graphql.core.database import Database
from tests.cli import RunCli, assert_one_line_error, row_count
from tests.factories import Factories, global_id

pytestmark = pytest.mark.slow


@pytest.fixture
def quiz_id(run: RunCli, empty_database: str) -> Iterator[str]:
    """Return the id of a quiz without questions in a migrated database."""
    assert run("db", "migrate").exit_code == 0
    database = Database(empty_database)
    make = Factories(database)
    yield global_id("Quiz", make.quiz(make.course()))
    database.dispose()


def test_file_is_imported_then_exported(run: RunCli, quiz_id: str, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "questions.gift"
    file.write_text("A {T}\n\nB {#5}\n\nC {=c}\n")
    dry = run("quiz", "import", quiz_id, str(file), "--format", "gift", "--dry-run")
    assert (dry.exit_code, row_count(empty_database, "questions")) == (0, 0)
    assert "2 questions can be imported, 1 left out" in dry.stdout
    result = run("quiz", "import", quiz_id, str(file), "--format", "gift")
    assert result.exit_code == 0, result.stderr
    assert "line 3: skipped: Numerical questions are not supported." in result.stderr
    assert "2 questions imported, 1 left out" in result.stdout
    assert (row_count(empty_database, "questions"), row_count(empty_database, "question_versions")) == (2, 2)
    exported = run("quiz", "export", quiz_id, "--format", "moodle-xml", "--output", "questions.xml")
    assert exported.exit_code == 0, exported.stderr
    assert run("quiz", "import", quiz_id, "questions.xml", "--format", "moodle-xml").exit_code == 0
    assert row_count(empty_database, "questions") == 4
    assert run("quiz", "export", quiz_id, "--format", "json").stdout.count('"prompt": "A"') == 2


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("content", "has_note"),
    [
        pytest.param(codecs.BOM_UTF8 + "“é” {T}".encode(), False, id="utf-8-with-mark"),
        pytest.param("“é” {T}".encode("utf-16"), False, id="utf-16"),
        pytest.param(codecs.BOM_UTF16_BE + "“é” {T}".encode("utf-16-be"), False, id="utf-16-big-endian"),
        pytest.param("“é” {T}".encode("cp1252"), True, id="windows-1252"),
    ],
)
def test_encoding_of_a_file_is_recognized(
    run: RunCli, quiz_id: str, tmp_path: Path, content: bytes, has_note: bool
) -> None:
    (tmp_path / "q.gift").write_bytes(content)
    result = run("quiz", "import", quiz_id, "q.gift", "--format", "gift")
    assert result.exit_code == 0, result.stderr
    assert ("not in UTF-8" in result.stderr) == has_note
    assert '"prompt": "“é”"' in run("quiz", "export", quiz_id, "--format", "json").stdout


@pytest.mark.sqlite_only
def test_unusable_files_fail_in_one_line(run: RunCli, quiz_id: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 10_000_001)
    (tmp_path / "xml").write_text("<!DOCTYPE quiz><quiz/>")
    (tmp_path / "good").write_text("x {T}")
    (tmp_path / "many").write_text("x {T}\n\n" * 201)
    assert_one_line_error(run("quiz", "import", quiz_id, "large", "--format", "gift"), "10,000,000 bytes")
    assert_one_line_error(run("quiz", "import", quiz_id, "xml", "--format", "moodle-xml"), "DOCTYPE")
    assert_one_line_error(run("quiz", "import", quiz_id, "many", "--format", "gift"), "at most 200 questions")
    assert_one_line_error(run("quiz", "import", "nonsense", "good", "--format", "gift"), "does not exist")
    assert_one_line_error(run("quiz", "export", "nonsense", "--format", "gift"), "no quiz")
    assert run("quiz", "import", quiz_id, "good", "--format", "word").exit_code == 2
    nothing = run("quiz", "import", quiz_id, "good", "--format", "aiken")
    assert nothing.exit_code == 1
    assert "line 1: skipped: The question has no line ANSWER:" in nothing.stderr
