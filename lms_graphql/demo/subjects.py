"""What courses may be about, and what they are called: combined anew for every seed, never twice the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from random import Random

from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.demo import resources


@dataclass(frozen=True, slots=True)
class Subject:
    """`field` is the slug of a category of `db init`, `category` that of the subject's own."""

    name: str
    field: str
    category: str
    does: str
    topics: tuple[str, ...]

    @property
    def about(self) -> str:
        return f"{self.name} {self.does}"


@dataclass(frozen=True, slots=True)
class Theme:
    """A subject as it is taught to someone. The parts of a series share all but their title."""

    subject: Subject
    level: DifficultyLevel
    audience: str
    series: str
    title: str


@cache
def all_subjects() -> Sequence[Subject]:
    found = []
    for path in resources.paths("pools/subjects"):
        field = resources.read(path)
        for text in field["subjects"]:
            topics = tuple(text["topics"])
            found.append(Subject(text["name"], field["category"], text["category"], text["does"], topics))
    return found


def themes(seed: int) -> Iterator[Theme]:
    """Without end. Where all combinations are used up, their next editions follow."""
    rng = Random(f"{seed}/themes")
    combinations = _combinations()
    for edition in count(1):
        rng.shuffle(combinations)
        for subject, level, form, audience in combinations:
            title = form.format(subject=subject.name)
            title += f" for {audience.title()}" if audience else ""
            title += f", Edition {edition}" if edition > 1 else ""
            parts = rng.choices((1, 2, 3), (12, 1, 2))[0]
            for part in range(1, parts + 1):
                suffix = f", Part {part}" if parts > 1 else ""
                yield Theme(subject, level, audience, title, f"{title}{suffix}")


def _combinations() -> list[tuple[Subject, DifficultyLevel, str, str]]:
    fields = {resources.read(path)["category"]: resources.read(path) for path in resources.paths("pools/subjects")}
    return [
        (subject, DifficultyLevel(level), form, audience)
        for subject in all_subjects()
        for level, forms in fields[subject.field]["forms"].items()
        for form in forms
        for audience in fields[subject.field]["audiences"]
    ]
