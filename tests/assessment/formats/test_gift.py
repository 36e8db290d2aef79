"""Reader of GIFT: what teachers write, case by case. G numbers are those of the collected cases."""

import pytest

from lms_graphql.assessment.formats.question_formats import QuestionFormat
from tests.assessment.formats.tables import NOTE, SKIPPED, Expected, assert_problems, read

NAME: Expected = (1, NOTE, "The name of 1 question is left out")

SMALL_CASES = [
    pytest.param(
        "::Tides:: How many high tides a day, mostly? {~one =two ~three}",
        ["choice: How many high tides a day, mostly? [one, *two, three]"],
        [NAME],
        id="G1",
    ),
    pytest.param(r"::Sum\: a\=b:: Is 2+3\=5? {T}", ["true: Is 2+3=5?"], [NAME], id="G2"),
    pytest.param(
        "Pick the primes. {~%33.33333%2 ~%33.33333%3 ~%33.33333%5 ~%-100%9}",
        ["choice: Pick the primes. [*2, *3, *5, 9] RIGHT_MINUS_WRONG"],
        [(1, NOTE, "The weights 33.33 %, 33.33 %, 33.33 %, −100 % are read as")],
        id="G4",
    ),
    pytest.param("{true}", [], [(1, SKIPPED, "Text of the question: This field is required.")], id="G6-no-text"),
    pytest.param("Rain is wet {true}", ["short: Rain is wet [true]"], [], id="G6-short-answer"),
    pytest.param(
        "Pi to two places? {#3.14:0.005}\n\nIs it round? {T}",
        ["true: Is it round?"],
        [(1, SKIPPED, "Numerical questions are not supported.")],
        id="G7",
    ),
    pytest.param(
        "Match. {=cat -> meow =dog -> bark = -> silence}", [], [(1, SKIPPED, "Matching questions")], id="G8"
    ),
    pytest.param("Say why. {####Look at page 3.}", ["essay: Say why. (Look at page 3.)"], [], id="G9"),
    pytest.param("Read this first, then go on.", [], [(1, SKIPPED, "it is a description")], id="G10"),
    pytest.param(
        "[markdown]**Bold** {=[plain]a*b ~[html]<b>c</b>}",
        [r"choice: **Bold** [*a\*b, c]"],
        [(1, NOTE, "Formatting in HTML is left out: b.")],
        id="G12",
    ),
    pytest.param(
        "// [id:q-9] [tag:unit 2]\n::Tagged:: x {T}",
        ["true: x"],
        [(2, NOTE, "The name of 1"), (2, NOTE, "id “q-9” is left out"), (2, NOTE, "no tags: “unit 2”")],
        id="G13",
    ),
    pytest.param(
        "$CATEGORY: $course$/top/Unit 1: Basics // start\n\nx {T}",
        ["true: x"],
        [(1, NOTE, "The category “$course$/top/Unit 1: Basics // start” is left out")],
        id="G14",
    ),
    pytest.param("Two {=a} gaps {=b}", [], [(1, SKIPPED, "more than one answer block")], id="G16"),
    pytest.param("Only one {~a}", [], [(1, SKIPPED, "Options: Give 2 to 20 options")], id="G18"),
    pytest.param("Star {=*}", [], [(1, SKIPPED, "wild cards are no exact answers")], id="G19-star"),
    pytest.param("Star {=ab*}", [], [(1, SKIPPED, "“ab*” is left out: wild cards")], id="G19-prefix"),
    pytest.param(r"Star {=2\*3}", ["short: Star [2*3]"], [], id="G19-escaped"),
    pytest.param(
        r'<img src\="@@PLUGINFILE@@/a.png"> What is it? {=cat ~dog}',
        ["choice: What is it? [*cat, dog]"],
        [(1, NOTE, "The picture a.png is not in the file.")],
        id="G22",
    ),
]

CONSTRUCTS = [
    pytest.param("Which\nof them? {\n\t=right\n\t~wrong\n}", ["choice: Which\nof them? [*right, wrong]"], [], id="1"),
    pytest.param(
        "// question: 0  name: Switch category to $course$/ä\n$CATEGORY: $module$ / top / a//b\n\n"
        "// question: 4711  name: x\nx {F}",
        ["false: x"],
        [(2, NOTE, "“$module$ / top / a//b”")],
        id="2",
    ),
    pytest.param(
        "It is. {TRUE#if wrong#if right}",
        ["true: It is. (- ✗: if wrong\n- ✓: if right)"],
        [(1, NOTE, "The feedback of the answers became a part of the explanation.")],
        id="3",
    ),
    pytest.param("It is. {FALSE}", ["false: It is."], [], id="3-false"),
    pytest.param(
        "¿Cuál? {=sí ~%-33.33333%no ~%-33.33333%nunca}",
        ["choice: ¿Cuál? [*sí, no, nunca]"],
        [(1, NOTE, "The weights 100 %, −33.33 %, −33.33 % are left out")],
        id="4-penalty-beside-single",
    ),
    pytest.param("x {~%50,0%a ~%50%b ~%-50%c}", ["choice: x [*a, *b, c] RIGHT_MINUS_WRONG"], [], id="4-comma"),
    pytest.param("x {~%33.33%a ~%33.33%b ~%33.33%c ~d}", ["choice: x [*a, *b, *c, d] RIGHT_ONLY"], [], id="4-two"),
    pytest.param("x {~%100%a ~%-15%b}", ["choice: x [*a, b]"], [(1, NOTE, "−15 %")], id="4-minus-15"),
    pytest.param("x {~%101%a ~b}", [], [(1, SKIPPED, "“101” is not a percentage")], id="4-above-100"),
    pytest.param(
        "x {=%100%Asia# =%50%Cat =%0%*#No.}",
        ["short: x [Asia] (- *: No.)"],
        [
            (1, NOTE, "“Cat” is left out: it gives only 50 %"),
            (1, NOTE, "“*” is left out: wild"),
            (1, NOTE, "feedback"),
        ],
        id="4-short-answers",
    ),
    pytest.param(
        "x {=a =b ~c}",
        ["choice: x [*a, *b, c] RIGHT_ONLY"],
        [(1, NOTE, "each of the 2 correct options alone gives all points")],
        id="5",
    ),
    pytest.param("x {=four =4}", ["short: x [four, 4]"], [], id="6"),
    pytest.param("x {four}", ["short: x [four]"], [], id="6-without-sign"),
    pytest.param("The {~cat =dog} barks.", ["choice: The _____ barks. [cat, *dog]"], [], id="6-missing-word"),
    pytest.param("x {#1822}", [], [(1, SKIPPED, "Numerical")], id="7-exact"),
    pytest.param("x {#=1822:0 =%50%1822:2}", [], [(1, SKIPPED, "Numerical")], id="7-several"),
    pytest.param("x {#=3:2 ~#Wrong}", [], [(1, SKIPPED, "Numerical")], id="7-wrong"),
    pytest.param("x {=Italy->Rome =Spain->Madrid}", [], [(1, SKIPPED, "Matching")], id="8"),
    pytest.param("x {~a -> b =c}", ["choice: x [a -> b, *c]"], [], id="8-choice"),
    pytest.param("x { }", ["essay: x"], [], id="9"),
    pytest.param(
        "x {=a#good\nreally ~b# \n####Both.}",
        ["choice: x [*a, b] (Both.\n\n- a: good\nreally)"],
        [(1, NOTE, "feedback")],
        id="10",
    ),
    pytest.param("[x] or [1]? {T}", ["true: [x] or [1]?"], [], id="11-text"),
    pytest.param("[html]<p>a&nbsp;b<br>c</p> {T}", ["true: a b\nc"], [], id="11-html"),
    pytest.param("[plain]1. a <b> _c_ {T}", [r"true: 1\. a \<b> \_c\_"], [], id="11-plain"),
    pytest.param(r"a\{b\}\~\#\n$1 \\neq 0$ \[x\] {T}", ["true: a{b}~#\n$1 \\neq 0$ \\[x\\]"], [], id="12"),
    pytest.param("Time: 10:30, a=b {T}", ["true: Time: 10:30, a=b"], [], id="12-unescaped"),
    pytest.param(
        "  // [id:my-1] [tag:week 3] [tag:a\\]b]\nx {\n// a comment\n=a // text\n~b}",
        ["choice: x [*a // text, b]"],
        [(2, NOTE, "“my-1”"), (2, NOTE, "“week 3”, “a]b”")],
        id="13",
    ),
    pytest.param(r'<span style\="color\: \#ff6600;">Orange</span>? {T}', ["true: Orange?"], [], id="14-word"),
    pytest.param(
        "if x:\n\n    pass {T}",
        ["true: pass"],
        [(1, SKIPPED, "description")],
        id="14-blank-line",
    ),
    pytest.param("\ufeffx {T}\r\n\r\ny {F}\r\n \t\r\nz {T}", ["true: x", "false: y", "true: z"], [], id="15-crlf"),
    pytest.param("x {T}\r\ry {F}\r", ["true: x", "false: y"], [], id="15-old-mac"),
    pytest.param(
        "x {T}\ny\nmore {F}\n// [points:2]\n::z:: z {T}",
        ["true: x", "false: y\nmore", "true: z 2 points"],
        [(2, NOTE, "There is no blank line before this question."), (5, NOTE, "name")],
        id="15-no-blank-line",
    ),
]

ERRORS = [
    pytest.param("x {=a ~b\n\ny {T}", ["true: y"], [(1, SKIPPED, "is not closed")], id="unclosed"),
    pytest.param("x {=a ~b\n::y:: y {T}", ["true: y"], [(1, SKIPPED, "not closed"), (2, NOTE, "name")], id="named"),
    pytest.param("x =a} {T}", [], [(1, SKIPPED, "was not opened")], id="unopened"),
    pytest.param("x {=a {b} ~c}", [], [(1, SKIPPED, "has an opening brace in it")], id="brace-inside"),
    pytest.param("::n:: x {=a ~a}", [], [(1, SKIPPED, "“n”: Option 2: Another option has this text")], id="same"),
    pytest.param("x {=a ~b ~}", [], [(1, SKIPPED, "Option 3: This field is required.")], id="empty-option"),
    pytest.param("x {~%0%a ~b}", [], [(1, SKIPPED, "Mark at least one option as correct")], id="none-correct"),
    pytest.param("x {" + "~a" * 300 + "}", [], [(1, SKIPPED, "more than 200 answers")], id="many-answers"),
    pytest.param("// [points:0]\nx {T}", [], [(2, SKIPPED, "Points: Use a number from 0.01")], id="no-points"),
    pytest.param("x" * 10_001 + "{T}", [], [(1, SKIPPED, "Use at most 10000 characters")], id="long-text"),
    pytest.param("\n// only a comment\n", [], [], id="nothing"),
]


@pytest.mark.parametrize(("text", "questions", "problems"), [*SMALL_CASES, *CONSTRUCTS, *ERRORS])
def test_gift_is_imported_or_reported(text: str, questions: list[str], problems: list[Expected]) -> None:
    result = read(QuestionFormat.GIFT, text)
    assert result.questions == questions
    assert_problems(result.problems, problems)
