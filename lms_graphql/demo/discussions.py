"""Demo discussions: questions, answers, replies and votes below lectures, and private notes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo import resources
from lms_graphql.demo.courses import DemoCourse, DemoLecture
from lms_graphql.demo.lecture_progress import ViewedLecture
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.discussion.models import (
    Note,
    NoteCounter,
    QAAnswer,
    QAAnswerVote,
    QAQuestion,
    QAQuestionTerm,
    QAQuestionVote,
)
from lms_graphql.discussion.search_index import question_terms

QUESTION_PROBABILITY = 0.25
"""Probability that a learner asks a question in a course that the learner has started."""
NOTES_PROBABILITY = 0.35
"""Probability that a learner takes notes in a course that the learner has started."""
FEATURED_PROBABILITY = 0.15
ACCEPTED_PROBABILITY = 0.85
"""Probability that an answer is accepted if the pool marks it as acceptable."""
VOTE_PROBABILITY = 0.3
"""Probability that a participant votes for a question or an answer."""
MAX_PARTICIPANTS = 12
"""Learners of a course who answer and vote. Without this limit, a large demo would consist mostly of votes."""
MAX_NOTES = 3
MIN_RESPONSE_SECONDS, MAX_RESPONSE_SECONDS = 20 * 60, 3 * 24 * 3600
"""Time until an answer, a reply or a vote."""


class Participant(NamedTuple):
    """Learner who can answer and vote in a course."""

    user_key: int
    enrolled_at: datetime


class Post(NamedTuple):
    """Text of an answer or a reply, with its author."""

    content: str
    author_key: int
    posted_at: datetime


class DiscussionBuilder:
    """
    Builder of the discussions of all courses. It remembers the participants of each course, so that only learners
    who were enrolled at that time answer and vote.
    """

    def __init__(self, rows: RowBuffer) -> None:
        self._rows = rows
        self._participants: defaultdict[int, list[Participant]] = defaultdict(list)
        self._accepted: list[dict[str, int]] = []

    def add_learner(
        self, user_key: int, course: DemoCourse, enrolled_at: datetime, viewed: Sequence[ViewedLecture], rng: Random
    ) -> None:
        """Add a learner's question and notes about viewed lectures. From then on the learner is a participant."""
        if viewed and rng.random() < QUESTION_PROBABILITY:
            self._add_question(user_key, course, rng.choice(viewed), rng)
        if viewed and rng.random() < NOTES_PROBABILITY:
            for viewed_lecture in rng.sample(viewed, min(len(viewed), rng.randint(1, MAX_NOTES))):
                self._add_note(user_key, course, viewed_lecture, rng)
        if len(participants := self._participants[course.key]) < MAX_PARTICIPANTS:
            participants.append(Participant(user_key, enrolled_at))

    def write_accepted_answers(self, session: Session) -> None:
        """
        Store which answers are accepted. The questions and answers must have been written before, because a question
        and its accepted answer refer to each other.
        """
        table = cast(Table, QAQuestion.__table__)
        statement = update(table).where(table.c.id == bindparam("question"))
        values = {"accepted_answer_id": bindparam("answer"), "updated_at": table.c.updated_at}
        if self._accepted:
            session.connection().execute(statement.values(values), self._accepted)

    def _add_question(self, user_key: int, course: DemoCourse, viewed: ViewedLecture, rng: Random) -> None:
        thread = rng.choice(resources.read("pools/words")[course.language]["threads"])
        asked_at, key = viewed.last_accessed, self._rows.next_key(QAQuestion)
        title, content = thread["title"], thread["content"].format(title=viewed.lecture.title)
        self._rows.add(
            QAQuestion,
            id=key,
            created_at=asked_at,
            updated_at=asked_at,
            user_id=user_key,
            lecture_id=viewed.lecture.key,
            course_id=course.key,
            title=title,
            content=content,
            timestamp=_random_position(viewed.lecture, rng),
            is_featured=rng.random() < FEATURED_PROBABILITY,
            vote_count=self._add_votes(QAQuestionVote, "question_id", key, user_key, course, asked_at, rng),
        )
        for term in question_terms(title, content):
            self._rows.add(QAQuestionTerm, course_id=course.key, term=term, question_id=key)
        answered_at, has_accepted = asked_at, False
        for answer in thread.get("answers", ()):
            answered_at = _response_time(answered_at, rng)
            answer_key = self._add_answer(key, answer, user_key, course, answered_at, rng)
            if answer_key is None or has_accepted or not answer.get("accepted"):
                continue
            if rng.random() < ACCEPTED_PROBABILITY:
                self._accepted.append({"question": key, "answer": answer_key})
                has_accepted = True

    def _add_answer(
        self,
        question_key: int,
        template: dict[str, Any],
        asker_key: int,
        course: DemoCourse,
        answered_at: datetime,
        rng: Random,
    ) -> int | None:
        """Add an answer with its replies and return its key. Return None if the course has no author for it yet."""
        author_key = self._choose_author(template["by"], asker_key, course, answered_at, rng)
        if author_key is None:
            return None
        key = self._rows.next_key(QAAnswer)
        replies, replied_at = list[Post](), answered_at
        for reply in template.get("replies", ()):
            replied_at = _response_time(replied_at, rng)
            replier_key = self._choose_author(reply["by"], asker_key, course, replied_at, rng)
            if replier_key is not None and replier_key != author_key:
                replies.append(Post(reply["content"], replier_key, replied_at))
        votes = self._add_votes(QAAnswerVote, "answer_id", key, author_key, course, answered_at, rng)
        post = Post(template["content"], author_key, answered_at)
        self._add_post(key, question_key, None, post, course, votes, len(replies))
        for reply_post in replies:
            self._add_post(self._rows.next_key(QAAnswer), question_key, key, reply_post, course, 0, 0)
        return key

    def _add_post(
        self,
        key: int,
        question_key: int,
        parent_key: int | None,
        post: Post,
        course: DemoCourse,
        vote_count: int,
        reply_count: int,
    ) -> None:
        self._rows.add(
            QAAnswer,
            id=key,
            created_at=post.posted_at,
            updated_at=post.posted_at,
            user_id=post.author_key,
            question_id=question_key,
            parent_id=parent_key,
            content=post.content,
            is_instructor_answer=post.author_key == course.instructor_key,
            vote_count=vote_count,
            reply_count=reply_count,
        )

    def _choose_author(
        self, role: str, asker_key: int, course: DemoCourse, posted_at: datetime, rng: Random
    ) -> int | None:
        """Return the key of the author with this role: "instructor", "asker", or "learner" for another learner."""
        if role == "learner":
            participants = self._participants_at(course, posted_at)
            others = [participant.user_key for participant in participants if participant.user_key != asker_key]
            return rng.choice(others) if others else None
        return asker_key if role == "asker" else course.instructor_key

    def _add_votes(
        self,
        vote_model: Any,
        target_column: str,
        target_key: int,
        author_key: int,
        course: DemoCourse,
        posted_at: datetime,
        rng: Random,
    ) -> int:
        """Add votes of other participants for a post and return their number."""
        count = 0
        for participant in self._participants_at(course, posted_at):
            if participant.user_key == author_key or rng.random() >= VOTE_PROBABILITY:
                continue
            voted_at = _response_time(posted_at, rng)
            timestamps = {"created_at": voted_at, "updated_at": voted_at}
            values = {"user_id": participant.user_key, target_column: target_key}
            self._rows.add(vote_model, id=self._rows.next_key(vote_model), **timestamps, **values)
            count += 1
        return count

    def _participants_at(self, course: DemoCourse, time: datetime) -> list[Participant]:
        return [participant for participant in self._participants[course.key] if participant.enrolled_at <= time]

    def _add_note(self, user_key: int, course: DemoCourse, viewed: ViewedLecture, rng: Random) -> None:
        timestamps = {"created_at": viewed.last_accessed, "updated_at": viewed.last_accessed}
        values = {**timestamps, "user_id": user_key, "lecture_id": viewed.lecture.key}
        content = rng.choice(resources.read("pools/words")[course.language]["notes"])
        self._rows.add(NoteCounter, id=self._rows.next_key(NoteCounter), **values, note_count=1)
        position = _random_position(viewed.lecture, rng)
        self._rows.add(Note, id=self._rows.next_key(Note), **values, content=content, timestamp=position)


def _response_time(time: datetime, rng: Random) -> datetime:
    return min(time + timedelta(seconds=rng.randint(MIN_RESPONSE_SECONDS, MAX_RESPONSE_SECONDS)), TODAY)


def _random_position(lecture: DemoLecture, rng: Random) -> int | None:
    """Return a second of a video, and None for other lectures."""
    return rng.randrange(lecture.duration) if lecture.kind is LectureType.VIDEO else None
