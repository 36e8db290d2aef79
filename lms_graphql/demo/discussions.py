"""What people ask and answer below lectures, what they vote for, and what they note for themselves."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo import resources
from lms_graphql.demo.courses import PlacedCourse, PlacedLecture
from lms_graphql.demo.lecture_progress import CourseTotals
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.discussion.models import Note, NoteCounter, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote

ASKS, NOTES, IS_FEATURED, IS_ACCEPTED, VOTES = 0.25, 0.35, 0.15, 0.85, 0.3
"""How likely each is: of a course that somebody has begun, of a question, of a good answer, of somebody who reads."""
MOST_FELLOWS = 12
"""Of a course: those who came first answer and vote, or a large demo would be mostly votes."""
MOST_NOTES = 3
QUICKEST, SLOWEST = 20 * 60, 3 * 24 * 3600
"""Seconds until somebody answers."""


class Participant(NamedTuple):
    id: int
    came_at: datetime


class DiscussionBuilder:
    """Of all courses: it knows who is in which, so that only those speak who have come by then."""

    def __init__(self, rows: RowBuffer) -> None:
        self._rows = rows
        self._fellows: defaultdict[int, list[Participant]] = defaultdict(list)
        self._accepted: list[dict[str, int]] = []

    def place(
        self, user_id: int, course: PlacedCourse, came_at: datetime, studies: Sequence[CourseTotals], rng: Random
    ) -> None:
        """What somebody says and notes who has studied these lectures."""
        if studies and rng.random() < ASKS:
            self._ask(user_id, course, rng.choice(studies), rng)
        if studies and rng.random() < NOTES:
            for study in rng.sample(studies, min(len(studies), rng.randint(1, MOST_NOTES))):
                self._note(user_id, course, study, rng)
        if len(fellows := self._fellows[course.id]) < MOST_FELLOWS:
            fellows.append(Participant(user_id, came_at))

    def accept(self, session: Session) -> None:
        """At the end, when everything is written: a question and its accepted answer point at each other."""
        table = cast(Table, QAQuestion.__table__)
        chosen = update(table).where(table.c.id == bindparam("question"))
        same = {"accepted_answer_id": bindparam("answer"), "updated_at": table.c.updated_at}
        if self._accepted:
            session.connection().execute(chosen.values(same), self._accepted)

    def _ask(self, user_id: int, course: PlacedCourse, study: CourseTotals, rng: Random) -> None:
        thread = rng.choice(resources.read("pools/words")[course.language]["threads"])
        asked_at, key = study.seen_at, self._rows.key(QAQuestion)
        self._rows.add(
            QAQuestion,
            id=key,
            created_at=asked_at,
            updated_at=asked_at,
            user_id=user_id,
            lecture_id=study.lecture.id,
            title=thread["title"],
            content=thread["content"].format(title=study.lecture.title),
            timestamp=_moment(study.lecture, rng),
            is_featured=rng.random() < IS_FEATURED,
            vote_count=self._vote(QAQuestionVote, "question_id", key, user_id, course, asked_at, rng),
        )
        said_at, is_open = asked_at, True
        for answer in thread.get("answers", ()):
            said_at = _later(said_at, rng)
            answer_key = self._answer(key, answer, user_id, course, said_at, rng)
            if answer_key is not None and is_open and answer.get("accepted") and rng.random() < IS_ACCEPTED:
                self._accepted.append({"question": key, "answer": answer_key})
                is_open = False

    def _answer(
        self, question: int, said: dict[str, Any], asker: int, course: PlacedCourse, said_at: datetime, rng: Random
    ) -> int | None:
        """With its replies. None where nobody is there to give it."""
        author = self._author(said["by"], asker, course, said_at, rng)
        if author is None:
            return None
        key = self._rows.key(QAAnswer)
        speakers, replied_at = [], said_at
        for reply in said.get("replies", ()):
            replied_at = _later(replied_at, rng)
            speaker = self._author(reply["by"], asker, course, replied_at, rng)
            if speaker not in (None, author):
                speakers.append((reply["content"], speaker, replied_at))
        votes = self._vote(QAAnswerVote, "answer_id", key, author, course, said_at, rng)
        self._speak(key, question, None, (said["content"], author, said_at), course, votes, len(speakers))
        for spoken in speakers:
            self._speak(self._rows.key(QAAnswer), question, key, spoken, course, 0, 0)
        return key

    def _speak(
        self,
        key: int,
        question: int,
        parent: int | None,
        spoken: tuple[str, int | None, datetime],
        course: PlacedCourse,
        votes: int,
        replies: int,
    ) -> None:
        content, author, said_at = spoken
        self._rows.add(
            QAAnswer,
            id=key,
            created_at=said_at,
            updated_at=said_at,
            user_id=author,
            question_id=question,
            parent_id=parent,
            content=content,
            is_instructor_answer=author == course.instructor_id,
            vote_count=votes,
            reply_count=replies,
        )

    def _author(self, by: str, asker: int, course: PlacedCourse, said_at: datetime, rng: Random) -> int | None:
        if by == "learner":
            others = [one.id for one in self._present(course, said_at) if one.id != asker]
            return rng.choice(others) if others else None
        return asker if by == "asker" else course.instructor_id

    def _vote(
        self, votes: Any, column: str, key: int, author: int, course: PlacedCourse, since: datetime, rng: Random
    ) -> int:
        """How many have voted for what this author has written."""
        number = 0
        for fellow in self._present(course, since):
            if fellow.id != author and rng.random() < VOTES:
                voted_at = _later(since, rng)
                times = {"created_at": voted_at, "updated_at": voted_at}
                self._rows.add(votes, id=self._rows.key(votes), **times, user_id=fellow.id, **{column: key})
                number += 1
        return number

    def _present(self, course: PlacedCourse, at: datetime) -> list[Participant]:
        return [one for one in self._fellows[course.id] if one.came_at <= at]

    def _note(self, user_id: int, course: PlacedCourse, study: CourseTotals, rng: Random) -> None:
        own = {"created_at": study.seen_at, "updated_at": study.seen_at, "user_id": user_id}
        there = {**own, "lecture_id": study.lecture.id}
        content = rng.choice(resources.read("pools/words")[course.language]["notes"])
        self._rows.add(NoteCounter, id=self._rows.key(NoteCounter), **there, note_count=1)
        moment = _moment(study.lecture, rng)
        self._rows.add(Note, id=self._rows.key(Note), **there, content=content, timestamp=moment)


def _later(instant: datetime, rng: Random) -> datetime:
    return min(instant + timedelta(seconds=rng.randint(QUICKEST, SLOWEST)), TODAY)


def _moment(lecture: PlacedLecture, rng: Random) -> int | None:
    """The second of a video that it is about."""
    return rng.randrange(lecture.duration) if lecture.kind is LectureType.VIDEO else None
