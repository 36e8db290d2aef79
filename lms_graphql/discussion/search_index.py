"""Search index of questions: the terms of their titles and texts, stored in the same transaction as these."""

from collections.abc import Iterator, Set
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.core import term_index
from lms_graphql.core.search_terms import index_terms
from lms_graphql.discussion.models import QAQuestion, QAQuestionTerm

TERMS = term_index.TermTable(QAQuestionTerm.term, QAQuestionTerm.question_id, QAQuestionTerm.course_id)
QUESTIONS = select(QAQuestion.id, QAQuestion.course_id, QAQuestion.title, QAQuestion.content)


def question_terms(title: str, content: str) -> list[str]:
    """Return the sorted search terms of a question, without duplicates."""
    return sorted({*index_terms(title), *index_terms(content)})


def index_question(session: Session, question_key: int) -> None:
    """Update the terms of a question. Call it in the transaction that creates it or changes its texts.

    The terms of a question that is deleted go with it, by the foreign key.
    """
    question = session.execute(QUESTIONS.where(QAQuestion.id == question_key)).one()
    stored = term_index.stored_terms(session, TERMS, question_key)
    term_index.update_terms(session, TERMS, question_key, stored, _expected_terms(question))


def find_term_drift(session: Session) -> list[str]:
    """Return a line with the number of questions whose terms are wrong, or an empty list."""
    question_count = sum(1 for _ in _drifts(session))
    return [f"qa_question_terms: wrong for {question_count} questions"] if question_count else []


def repair_terms(session: Session) -> list[str]:
    """Correct the terms of all questions. Return a line with their number, or an empty list."""
    question_count = term_index.repair_drift(session, TERMS, _drifts(session))
    return [f"qa_question_terms: {question_count} questions repaired"] if question_count else []


def _drifts(session: Session) -> Iterator[term_index.TermDrift]:
    return term_index.find_drift(session, TERMS, QUESTIONS, _expected_terms)


def _expected_terms(question: Any) -> Set[term_index.Term]:
    return {(term, question.course_id) for term in question_terms(question.title, question.content)}
