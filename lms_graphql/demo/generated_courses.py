"""Demo courses generated from pools of texts, for catalogs larger than the set of written courses."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from lms_graphql.catalog.models import CourseStatus, LectureType
from lms_graphql.demo import resources
from lms_graphql.demo.outlines import CourseOutline, LectureOutline, SectionOutline, parse_lecture
from lms_graphql.demo.quiz_outlines import QuizOutline, short_quiz
from lms_graphql.demo.subjects import Subject, Theme, all_subjects

TOPIC_SECTIONS = 8
DOLLARS = ("0", "9.99", "14.99", "19.99", "24.99", "29.99", "39.99", "49.99", "64.99", "79.99", "99.00", "129.00")
EUROS = ("12.90", "19.90", "29.90", "49.00", "79.00")
YEN = ("1980", "4800", "9800")
STATUSES = (CourseStatus.PUBLISHED, CourseStatus.DRAFT, CourseStatus.ARCHIVED)


def generated_course(theme: Theme, rng: Random) -> CourseOutline:
    subject = theme.subject
    topics = sorted(rng.sample(subject.topics, TOPIC_SECTIONS), key=subject.topics.index)
    currency, prices = rng.choices((("USD", DOLLARS), ("EUR", EUROS), ("JPY", YEN)), (89, 9, 2))[0]
    return CourseOutline(
        title=theme.title,
        short_description=_short_description(theme, topics, rng),
        description=_description(theme, topics, rng),
        category=subject.category,
        instructor=Random(theme.series).choice(_instructors(subject.field)),  # the same for all parts of a series
        difficulty=theme.level,
        language="en",
        price=Decimal(rng.choice(prices)),
        currency=currency,
        status=rng.choices(STATUSES, (94, 3, 3))[0],
        is_featured=rng.random() < 0.02,
        sections=(
            _framing_section("first_section", subject, rng),
            *(_topic_section(topic, subject, rng) for topic in topics),
            _framing_section("last_section", subject, rng),
        ),
    )


@cache
def _instructors(field: str) -> Sequence[str]:
    return [key for key, person in resources.read("pools/instructors").items() if field in person["fields"]]


def _short_description(theme: Theme, topics: Sequence[str], rng: Random) -> str:
    template: str = rng.choice(_pool("descriptions", theme.level)["short"])
    audience = f" for {theme.audience}" if theme.audience else ""
    return template.format(subject=theme.subject.name, audience=audience, first=topics[0], second=topics[-1])


def _description(theme: Theme, topics: Sequence[str], rng: Random) -> str:
    pool = _pool("descriptions", "all")
    return "\n\n".join(
        (
            rng.choice(pool["opening"]).format(about=theme.subject.about),
            rng.choice(pool["list_heading"]),
            "\n".join(f"- {topic}" for topic in topics),
            _pool("descriptions", theme.level)["closing"],
        )
    )


def _framing_section(name: str, subject: Subject, rng: Random) -> SectionOutline:
    """Return the first or last section of a course."""
    pool = _pool(name)
    lines: list[str] = pool["lectures"]
    return SectionOutline(
        title=rng.choice(pool["titles"]),
        description=pool["description"],
        lectures=tuple(_lecture(line, "", subject) for line in lines[: rng.randint(len(lines) - 2, len(lines))]),
        quiz=None,
    )


def _topic_section(topic: str, subject: Subject, rng: Random) -> SectionOutline:
    pool = _pool("sections")
    middle = sorted(rng.sample(range(len(pool["middle"])), rng.randint(7, 9)))
    lines = [rng.choice(pool["first"]), *(pool["middle"][index] for index in middle), rng.choice(pool["last"])]
    has_quiz = rng.random() < 0.4
    if has_quiz:
        lines.append(pool["quiz"])
    return SectionOutline(
        title=_fill(rng.choice(pool["titles"]), topic, subject),
        description=_fill(rng.choice(pool["descriptions"]), topic, subject),
        lectures=tuple(_lecture(line, topic, subject) for line in lines),
        quiz=_quiz(topic, subject, rng) if has_quiz else None,
    )


def _quiz(topic: str, subject: Subject, rng: Random) -> QuizOutline:
    """Return a quiz about the subject. The wrong options come from a subject of another field."""
    other = rng.choice([other for other in all_subjects() if other.field != subject.field])
    is_true = rng.random() < 0.5
    second = rng.choice([other_topic for other_topic in subject.topics if other_topic != topic])
    wrong_topics = rng.sample([foreign for foreign in other.topics if foreign not in subject.topics], 2)
    return short_quiz(
        statement=f"{subject.name} {subject.purpose if is_true else other.purpose}",
        is_true=is_true,
        reason=f"That is what {subject.name if is_true else other.name} is for.",
        prompt=f"Which of these belong to {subject.name}?",
        correct_options=(_capitalize(topic), _capitalize(second)),
        wrong_options=(_capitalize(wrong_topics[0]), _capitalize(wrong_topics[1])),
        explanation=f"The others you would meet in a course on {other.name}.",
    )


def _lecture(line: str, topic: str, subject: Subject) -> LectureOutline:
    outline = parse_lecture(line, {})
    return LectureOutline(LectureType(outline.kind), _fill(outline.title, topic, subject))


def _fill(template: str, topic: str, subject: Subject) -> str:
    if template.startswith("{topic}"):
        topic = _capitalize(topic)
    return template.format(topic=topic, subject=subject.name)


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pool(*path: str) -> dict[str, Any]:
    pool = resources.read("pools/curriculum")
    for name in path:
        pool = pool[name]
    return pool
