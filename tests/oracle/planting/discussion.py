"""Notes, questions and answers, in lectures that are open, closed and gone."""

from tests.oracle.planting.catalog import deleted
from tests.oracle.world import Texts, World


def plant_notes(world: World) -> None:
    """In lectures that are open to who took them, closed by now, and removed."""
    for place, author in (
        ("published-closed", "enrolled"),
        ("published-last", "cancelled"),
        ("published-gonelecture", "enrolled"),
        ("draft-closed", "teacher"),
        ("archived-closed", "cancelled"),
    ):
        texts = Texts(f"note-{place}", content="Note.content")
        row = world.given.note(world.people[author], world.lectures[place], timestamp=5, **texts.columns)
        world.plant("Note", f"note-{place}", row, texts, seen=frozenset({author}), empty=missing(place))
    closed = world.lectures["published-closed"]
    world.given.note(world.people["gone"], closed, content="canary-gone-note")  # goes with the account


def plant_questions(world: World) -> None:
    """Each with an answer that is accepted, and a reply to that."""
    for place, author in (
        ("published-preview", "enrolled"),
        ("published-closed", "enrolled"),
        ("published-gonelecture", "enrolled"),
        ("draft-preview", "teacher"),
        ("archived-preview", "enrolled"),
        ("orphan-closed", "gone"),
    ):
        lecture, teacher = world.lectures[place], world.people["teacher"]
        course = world.by_label[f"{place.split('-')[0]}-closed"]
        seen = world.by_label[place].circles["access"] or course.circles["access"]
        label = f"asked-{place}"
        texts = Texts(label, title="QAQuestion.title", content="QAQuestion.content")
        question = world.given.question(world.people[author], lecture, timestamp=5, **texts.columns)
        world.plant("QAQuestion", label, question, texts, seen=seen, empty=missing(place))
        parent = None
        for name in ("answer", "reply"):
            texts = Texts(f"{name}-{place}", content="QAAnswer.content")
            row = world.given.answer(teacher, question, parent, accepted=parent is None, **texts.columns)
            world.plant("QAAnswer", f"{name}-{place}", row, texts, seen=seen, empty="" if parent else "parent")
            parent = row


def missing(place: str) -> str:
    return "lecture" if deleted(place) else ""
