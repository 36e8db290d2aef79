"""The language guide of CONTRIBUTING.md, as far as a program can check it."""

import pytest

from scripts import language

FORBIDDEN = {
    '"""Whoever knows the code."""': "sentence without subject or verb",
    '"""Return what is kept of it."""': "“kept”",
    "# somebody else was first": "“somebody”",
    '"""Return ' + "word " * 30 + '."""': "words, at most 25",
}


def test_texts_follow_the_language_guide() -> None:
    assert [problem for path in language.all_files() for problem in language.check(path)] == []


@pytest.mark.parametrize(("source", "problem"), FORBIDDEN.items())
def test_language_check_finds_dropped_forms(source: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*language._docstrings(source), *language._comments(source)]
    problems = [line for text in texts for line in language.problems_of(text)]
    assert any(problem in line for line in problems), problems


def test_language_check_skips_code_and_quotes() -> None:
    text = language.Text(1, "Return `somebody` and the title “Whoever knows”.")
    assert list(language.problems_of(text)) == []
