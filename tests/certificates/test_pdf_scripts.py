"""Texts of a certificate in the scripts of the world: shaped, in order, and readable when they are copied."""

import io
import time
import unicodedata

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_graphql.certificates.pdf import document
from lms_graphql.certificates.pdf.document import render_pdf
from lms_graphql.pdf import fonts, shaping
from lms_graphql.pdf.printable_text import printable
from tests.certificates.test_pdf import content, pdf_text

pytestmark = pytest.mark.slow

NAMES = {
    "Arabic": "محمد الهاشمي",
    "Armenian": "Հայկ Պետրոսյան",
    "Bengali": "প্রিয়াঙ্কা চট্টোপাধ্যায়",
    "Devanagari": "प्रिया शर्मा",
    "Ethiopic": "አበበ ቢቂላ",
    "Georgian": "ნინო ბერიძე",
    "Gujarati": "પ્રિયા પટેલ",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Hebrew": "יוסף כהן",
    "Kannada": "ಕೃಷ್ಣಮೂರ್ತಿ",
    "Khmer": "សុខ ស្រីមុំ",
    "Lao": "ສົມສັກ ແກ້ວ",
    "Malayalam": "കൃഷ്ണൻ നായർ",
    "Myanmar": "အောင်ဆန်း",
    "Oriya": "ପ୍ରିୟଙ୍କା ଦାସ",
    "Persian": "مریم می\u200cخواهم",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Tamil": "கிருஷ்ணமூர்த்தி ஸ்ரீதர்",
    "Telugu": "కృష్ణమూర్తి",
    "Thaana": "މުހައްމަދު",
    "Thai": "สมชาย น้ำทิพย์",
    "Tifinagh": "ⴰⵎⴰⵣⵉⵖ",
    "mixed": "Anna שלום",
}


def glyphs_of(text: str) -> list[shaping.Glyph]:
    """Return the glyphs of a line from left to right."""
    line = printable(text)
    assert line is not None
    runs = shaping.shape_line(line, fonts.DISPLAY, shaping.is_right_to_left(line))
    return [glyph for run in runs for glyph in run.glyphs]


def copied_words(text: str) -> set[str]:
    """Return the words without invisible characters. pypdf leaves words of right-to-left scripts in visual order."""
    without_invisible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return set(without_invisible.split())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_has_a_glyph_for_each_letter(name: str) -> None:
    assert all(glyph.number for glyph in glyphs_of(name))
    assert printable(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("script", ["Arabic", "Armenian", "Ethiopic", "Georgian", "Hebrew", "Persian", "mixed"])
def test_name_can_be_copied(script: str) -> None:
    text = pdf_text(render_pdf(content(learner_name=NAMES[script])))
    assert copied_words(NAMES[script]) <= copied_words(text)


def test_complex_name_can_be_copied_by_its_actual_text() -> None:
    name = NAMES["Devanagari"]
    assert f"<FEFF{name.encode('utf-16-be').hex()}>" in uncompressed(content(learner_name=name))


def uncompressed(certificate: document.CertificateContent) -> str:
    (page,) = pypdf.PdfReader(io.BytesIO(render_pdf(certificate))).pages
    contents = page.get_contents()
    assert contents is not None
    return contents.get_data().decode("latin-1")


def test_arabic_letters_are_joined() -> None:
    """The letter in the middle of a word has another glyph than the same letter alone."""
    (alone,), joined = glyphs_of("م"), glyphs_of("ممم")
    assert len({glyph.number for glyph in [alone, *joined]}) == 4


def test_right_to_left_words_run_from_the_right() -> None:
    assert "".join(glyph.text for glyph in glyphs_of("שלום עולם")) == "םלוע םולש"
    assert "".join(glyph.text for glyph in glyphs_of("Anna שלום Li")) == "Anna םולש Li"
    assert "".join(glyph.text for glyph in glyphs_of("שלום Anna 12")) == "Anna 12 םולש"


def test_brackets_face_their_content_in_both_directions() -> None:
    numbers = {glyph.number: glyph.text for glyph in glyphs_of("()")}
    for text, expected in (("Go (שלום)", "Go (םולש)"), ("שלום (Go)", "(Go) םולש"), ("(שלום)", "(םולש)")):
        assert "".join(numbers.get(glyph.number, glyph.text) for glyph in glyphs_of(text)) == expected


def test_devanagari_conjuncts_and_vowel_signs_are_shaped() -> None:
    assert len(glyphs_of("क्ष")) == 1
    vowel = fonts.load_font("NotoSerifDevanagari-Regular").face.charToGlyph[ord("क")]
    assert [glyph.number == vowel for glyph in glyphs_of("कि")] == [False, True]


def test_stacked_marks_leave_the_next_letter_on_the_line() -> None:
    (run,) = shaping.shape_line("Z\u0302\u0303o", fonts.DISPLAY, right_to_left=False)
    letter, mark, next_letter = run.pieces()
    assert letter.y == 0 < mark.y
    assert (next_letter.y, next_letter.chars) == (0, "o")
    assert next_letter.x == pytest.approx(run.glyphs[0].advance)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ann\u200ea\u202c\u200d\u2066", "Anna"),
        ("Star⭐️ Heart❤️", "Star Heart"),
        ("Jo 😀👩🏽\u200d💻 1️⃣ 🇩🇪🏴\U000e0067\U000e0062\U000e007f Li", "Jo Li"),
        ("Learn™️ ©", "Learn™ ©"),
        ("🎉 Ame\u0301lie 🎉", "Amélie"),
        ("\u200dGo\ufe0f \u3164\u115f", "Go"),
        ("𝒜da ①", "Ada 1"),
        ("𠮷田", "𠮷田"),
        ("Letters: 𐤀𐤁 and ሰላም", "Letters: 𐤀𐤁 and ሰላም"),
        ("می\u200cخواهم\u200c", "می\u200cخواهم"),
        ("Z" + "\u0336" * 50, "Z" + "\u0336" * 4),
        ("𐤀𐤁", None),
        ("\U000f0000😀", None),
        ("!?", "!?"),
    ],
)
def test_printable_text_drops_signs_one_by_one(text: str, shown: str | None) -> None:
    assert printable(text) == shown


def test_letters_without_glyph_keep_the_rest_of_a_title() -> None:
    text = pdf_text(render_pdf(content(course_title="Letters: 𐤀 and ሰላም")))
    assert copied_words("Letters: 𐤀 and ሰላም") <= copied_words(text)


def test_shaped_text_gives_same_bytes_after_other_documents() -> None:
    first = render_pdf(content(learner_name=NAMES["Bengali"]))
    render_pdf(content(learner_name=NAMES["Devanagari"], course_title="বাংলা ভাষা"))
    assert render_pdf(content(learner_name=NAMES["Bengali"])) == first


@pytest.mark.slow
@settings(max_examples=30)
@given(st.text(min_size=1, max_size=200), st.sampled_from(sorted(NAMES.values())))
def test_any_text_is_rendered(text: str, name: str) -> None:
    assert render_pdf(content(learner_name=text, course_title=f"{name}{text}", issuer=text)).startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_longest_texts_are_rendered_in_time(name: str) -> None:
    """Measured: 40 ms for short names, 70 ms for these."""
    longest = ("".join(name.split()) * 40)[:200]
    started = time.thread_time()
    render_pdf(content(learner_name=longest, course_title=longest, instructor_name=longest))
    assert time.thread_time() - started < 2
