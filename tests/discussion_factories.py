"""Factories of notes, questions and answers."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Lecture
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion
from lms_graphql.discussion.search_index import index_question
from tests.row_writer import RowWriter


class DiscussionFactories(RowWriter):
    def note(self, user: User, lecture: Lecture, **values: Any) -> Note:
        return self._add(Note(user_id=user.id, lecture_id=lecture.id, **{"content": "Remember this", **values}))

    def question(self, user: User, lecture: Lecture, **values: Any) -> QAQuestion:
        defaults = {"title": "Why?", "content": "I wonder.", "created_at": self._later()}
        keys = {"user_id": user.id, "lecture_id": lecture.id, "course_id": lecture.course_id}

        def add(session: Session) -> QAQuestion:
            question = QAQuestion(**keys, **{**defaults, **values})
            session.add(question)
            session.flush()
            index_question(session, question.id)
            return question

        return self._write(add)

    def answer(
        self, user: User, question: QAQuestion, parent: QAAnswer | None = None, accepted: bool = False, **values: Any
    ) -> QAAnswer:
        """Create an answer; with a parent, a reply to it."""
        defaults = {"content": "Because.", "created_at": self._later(), "parent_id": parent and parent.id}
        row = QAAnswer(user_id=user.id, question_id=question.id, **{**defaults, **values})
        answer: QAAnswer = self._add(row)
        change: Any = None
        if parent is not None:
            change = update(QAAnswer).where(QAAnswer.id == parent.id).values(reply_count=QAAnswer.reply_count + 1)
        elif accepted:
            change = update(QAQuestion).where(QAQuestion.id == question.id).values(accepted_answer_id=answer.id)
        if change is not None:
            self._write(lambda session: session.execute(change) and None)
        return answer
