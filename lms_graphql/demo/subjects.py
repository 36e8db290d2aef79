"""Subjects and titles of generated courses. Each seed combines them differently, and no title repeats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from random import Random

from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.demo import resources


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Subject of courses. `field` is the slug of a category of `db init`, and `category` the slug of the subject's own
    category. `purpose` completes a sentence that starts with the name.
    """

    name: str
    field: str
    category: str
    purpose: str
    topics: tuple[str, ...]

    @property
    def about(self) -> str:
        return f"{self.name} {self.purpose}"


@dataclass(frozen=True, slots=True)
class Theme:
    """Subject for a level and an audience. The parts of a series differ only in their title."""

    subject: Subject
    level: DifficultyLevel
    audience: str
    series: str
    title: str


@cache
def all_subjects() -> Sequence[Subject]:
    subjects = []
    for path in resources.paths("pools/subjects"):
        field = resources.read(path)
        for text in field["subjects"]:
            topics = tuple(text["topics"])
            subjects.append(Subject(text["name"], field["category"], text["category"], text["does"], topics))
    return subjects


def themes(seed: int) -> Iterator[Theme]:
    """Yield themes without end. After all combinations of subject, level, title and audience come new editions."""
    rng = Random(f"{seed}/themes")
    combinations = _combinations()
    for edition in count(1):
        rng.shuffle(combinations)
        for subject, level, template, audience in combinations:
            title = template.format(subject=subject.name)
            title += f" for {audience.title()}" if audience else ""
            title += f", Edition {edition}" if edition > 1 else ""
            parts = rng.choices((1, 2, 3), (12, 1, 2))[0]
            for part in range(1, parts + 1):
                suffix = f", Part {part}" if parts > 1 else ""
                yield Theme(subject, level, audience, title, f"{title}{suffix}")


def _combinations() -> list[tuple[Subject, DifficultyLevel, str, str]]:
    fields = {resources.read(path)["category"]: resources.read(path) for path in resources.paths("pools/subjects")}
    return [
        (subject, DifficultyLevel(level), template, audience)
        for subject in all_subjects()
        for level, templates in fields[subject.field]["forms"].items()
        for template in templates
        for audience in fields[subject.field]["audiences"]
    ]
