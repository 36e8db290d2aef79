"""Reader of Moodle XML. X numbers are those of the collected cases."""

import pytest

from lms_graphql.assessment.formats.parsed_questions import QuestionFileError
from lms_graphql.assessment.formats.question_formats import QuestionFormat
from tests.assessment.formats.tables import NOTE, SKIPPED, Expected, assert_problems, read


def text(content: str) -> str:
    return f"<text><![CDATA[{content}]]></text>"


def question(kind: str, inner: str, prompt: str = "<p>Which?</p>") -> str:
    """Return a file with one question, which begins in line 3."""
    body = f'<questiontext format="html">{text(prompt)}</questiontext>{inner}'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n<question type="{kind}">{body}</question>\n</quiz>'


def answer(fraction: str, content: str, inner: str = "", text_format: str = "html") -> str:
    return f'<answer fraction="{fraction}" format="{text_format}">{text(content)}{inner}</answer>'


HALVES = "<single>false</single>" + answer("50", "<p>a</p>") + answer("50", "b") + answer("-100", "c")
CASES = [
    pytest.param(
        question("multichoice", HALVES),
        ["choice: Which? [*a, *b, c] RIGHT_MINUS_WRONG"],
        [(3, NOTE, "The weights 50 %, 50 %, −100 % are read as")],
        id="X1",
    ),
    pytest.param(
        question("essay", "<attachments>2</attachments><defaultgrade>5.0000000</defaultgrade>"),
        ["essay: Which? 5.00 points"],
        [(3, NOTE, "Learners cannot attach files here.")],
        id="X2",
    ),
    pytest.param(
        question("essay", "<responseformat>noinline</responseformat>"), [], [(3, SKIPPED, "is a file")], id="X2-file"
    ),
    pytest.param(
        question("cloze", "<name><text>Gap</text></name>", "{1:SHORTANSWER:=water~%50%H2O}"),
        [],
        [(3, SKIPPED, "“Gap”: Questions of the type “cloze” are not supported.")],
        id="X3",
    ),
    pytest.param(
        '<quiz><question type="hotspot"/>\n<question type="essay"><questiontext format="plain_text"><text>a_b *c*'
        "</text></questiontext></question></quiz>",
        [r"essay: a_b \*c\*"],
        [(1, SKIPPED, "type “hotspot”")],
        id="X4",
    ),
    pytest.param(
        question("multichoice", "<single>false</single>" + answer("33.333", "a") * 1 + answer("66.667", "b")),
        ["choice: Which? [*a, *b] RIGHT_ONLY"],
        [(3, NOTE, "The weights 33.33 %, 66.67 % are read as equal shares")],
        id="X5",
    ),
    pytest.param(
        question("truefalse", answer("0", "Verdadero") + answer("100", "Falso")),
        ["false: Which?"],
        [],
        id="localised",
    ),
    pytest.param(
        question("truefalse", answer("100", "Oui") + answer("0", "Non", f"<feedback>{text('No.')}</feedback>")),
        ["true: Which? (- Non: No.)"],
        [(3, NOTE, "“Oui” and “Non” are read as true and false"), (3, NOTE, "feedback")],
        id="unknown-words",
    ),
    pytest.param(
        question("shortanswer", "<usecase>1</usecase>" + answer("100", "H2O") + answer("100", "H*")),
        ["short: Which? [H2O]"],
        [(3, NOTE, "Upper and lower case"), (3, NOTE, "“H*” is left out")],
        id="short-answer",
    ),
    pytest.param(
        question("multichoice", answer("100", "x<sup>2</sup>") + answer("0", "&lt;b&gt; &amp; 3 &lt; 4")),
        [r"choice: Which? [*x2, \<b> & 3 < 4]"],
        [(3, NOTE, "HTML is left out: sup")],
        id="html",
    ),
    pytest.param(
        question("essay", "", '<ul><li>a</li><li><a href="https://x.org/y">b</a></li></ul><!-- c --><img alt="d">'),
        ["essay: - a\n- b <https://x.org/y>\n\nd"],
        [(3, NOTE, "The picture in the text is not imported.")],
        id="list",
    ),
    pytest.param(
        question(
            "essay",
            "<name><text>N</text></name><idnumber>7</idnumber><tags><tag><text>t</text></tag></tags><hidden>1</hidden>"
            "<defaultgrade>0.3333333</defaultgrade><penalty>0.1</penalty><graderinfo><text>see</text></graderinfo>",
            '<img src="@@PLUGINFILE@@/my%20cat.png"> x',
        ),
        ["essay: x 0.33 points"],
        [
            (3, NOTE, "The name of 1 question"),
            (3, NOTE, "do not have them: graderinfo, penalty."),
            (3, NOTE, "rounded to 0.33"),
            (3, NOTE, "The id “7”"),
            (3, NOTE, "no tags: “t”"),
            (3, NOTE, "hidden in the file"),
            (3, NOTE, "The picture my cat.png is not imported."),
        ],
        id="settings",
    ),
    pytest.param(
        '\ufeff\n<quiz><question type="category"><category><text>$course$/top/A</text></category></question></quiz>',
        [],
        [(2, NOTE, "The category “$course$/top/A”")],
        id="category-and-byte-order-mark",
    ),
    pytest.param(question("multichoice", answer("x", "a")), [], [(3, SKIPPED, "not a percentage")], id="weight"),
    pytest.param(question("essay", "<defaultgrade>NaN</defaultgrade>"), [], [(3, SKIPPED, "no number")], id="grade"),
    pytest.param(question("essay", "<defaultgrade>0</defaultgrade>"), [], [(3, SKIPPED, "Points")], id="no-grade"),
    pytest.param(question("truefalse", answer("0", "true") * 2), [], [(3, SKIPPED, "two answers")], id="no-truth"),
    pytest.param(
        question("multichoice", answer("0", "a") * 300), [], [(3, SKIPPED, "more than 200 answers")], id="many"
    ),
    pytest.param("<quiz><other/></quiz>", [], [(1, NOTE, "“other” is unknown")], id="unknown-element"),
]
REFUSED = [
    pytest.param('<!DOCTYPE quiz [<!ENTITY a "b">]><quiz>&a;</quiz>', "has a DOCTYPE", id="X7"),
    pytest.param('<!DOCTYPE quiz SYSTEM "file:///etc/passwd"><quiz/>', "has a DOCTYPE", id="X7-external"),
    pytest.param("<quiz>\n <question>\n</quiz>", "line 3, column 3: mismatched tag", id="X8"),
    pytest.param("<quiz>&nbsp;</quiz>", "line 1, column 7: undefined entity", id="entity"),
    pytest.param("<a/>", "“a” instead of quiz", id="other-root"),
    pytest.param("<quiz>" * 60, "deeper than 50", id="deep"),
    pytest.param("no xml", "line 1, column 1", id="no-xml"),
    pytest.param("<quiz>" + "<question/>" * 5_001 + "</quiz>", "more than 5,000 questions", id="many-questions"),
]


@pytest.mark.parametrize(("content", "questions", "problems"), CASES)
def test_moodle_xml_is_imported_or_reported(content: str, questions: list[str], problems: list[Expected]) -> None:
    result = read(QuestionFormat.MOODLE_XML, content)
    assert result.questions == questions
    assert_problems(result.problems, problems)


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_unreadable_xml_is_refused(content: str, message: str) -> None:
    with pytest.raises(QuestionFileError, match=message):
        read(QuestionFormat.MOODLE_XML, content)


def test_declared_encoding_of_decoded_xml_does_not_count() -> None:
    content = question("essay", "", "<p>ä</p>").replace("UTF-8", "ISO-8859-1")
    assert read(QuestionFormat.MOODLE_XML, content).questions == ["essay: ä"]


def test_embedded_picture_of_a_megabyte_is_left_out() -> None:
    file = f'<file name="a.png" encoding="base64">{"QUJD" * 250_000}</file>'
    content = question("essay", "").replace("</questiontext>", f"{file}</questiontext>")
    result = read(QuestionFormat.MOODLE_XML, content)
    assert result.questions == ["essay: Which?"]
    assert_problems(result.problems, [(3, NOTE, "The picture a.png is not imported.")])
