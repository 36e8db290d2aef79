"""
Answers of demo learners, drawn by item response theory.

A learner knows an answer with the probability `1 / (1 + exp(-discrimination * (ability - difficulty)))`, and guesses
otherwise. So statistics of quizzes show easy and hard questions, and one that good learners get wrong.
"""

import math
from random import Random
from typing import NamedTuple

from lms_graphql.assessment.models import QuestionType
from lms_graphql.assessment.scoring import NO_ANSWER, Answer
from lms_graphql.demo.quiz_outlines import Essay
from lms_graphql.demo.quizzes import DemoQuestion

BLANK_PROBABILITY = 0.08
"""Probability that a learner who knows nothing leaves the answer blank."""
QUESTION_SECONDS, ESSAY_SECONDS = 40, 420
"""Median time for an answer."""
TIME_SPREAD = 0.5
GUESSED_RIGHT = 0.4
"""Weight of the right option if a learner guesses. Wrong ones have 1/2, 1/3 and so on, in the outline's order."""
ESSAY_SPREAD = 0.15
"""Standard deviation of the share of the points that learners of the same ability earn for an essay."""


class GivenAnswer(NamedTuple):
    """Answer of a learner, and the seconds that it took. `essay` has the grade of an essay."""

    answer: Answer
    seconds: int
    essay: Essay | None = None


def draw_answer(question: DemoQuestion, ability: float, rng: Random) -> GivenAnswer:
    kind, outline = question.content.type, question.outline
    knowledge = 1 / (1 + math.exp(-outline.discrimination * (ability - outline.difficulty)))
    median = ESSAY_SECONDS if kind is QuestionType.ESSAY else QUESTION_SECONDS
    seconds = math.ceil(rng.lognormvariate(math.log(median), TIME_SPREAD))
    if rng.random() < BLANK_PROBABILITY * (1 - knowledge):
        return GivenAnswer(NO_ANSWER, seconds)
    match kind:
        case QuestionType.TRUE_FALSE:
            answer = Answer(boolean=_true_or_false(question, knowledge, rng))
        case QuestionType.SHORT_ANSWER:
            answer = Answer(text=_short_answer(question, knowledge, rng))
        case QuestionType.ESSAY:
            share = rng.gauss(knowledge, ESSAY_SPREAD)
            essay = min(outline.essays, key=lambda essay: abs(essay.share - share))
            return GivenAnswer(Answer(text=essay.text), seconds, essay)
        case _:
            answer = Answer(_choice(question, knowledge, rng))
    return GivenAnswer(answer, seconds)


def _true_or_false(question: DemoQuestion, knowledge: float, rng: Random) -> bool:
    is_right = rng.random() < (1 + knowledge) / 2
    return question.content.correct_answer is is_right


def _short_answer(question: DemoQuestion, knowledge: float, rng: Random) -> str:
    """Return an answer as people type it: the case and outer spaces vary."""
    outline = question.outline
    text = rng.choice(outline.content.accepted_answers if rng.random() < knowledge else outline.mistakes)
    return rng.choice((text, text, text.upper(), f"{text} "))


def _choice(question: DemoQuestion, knowledge: float, rng: Random) -> frozenset[str]:
    """Return the ids of the selected options. Each of several right options is known or guessed by itself."""
    options = list(zip(question.option_ids, question.outline.content.options, strict=True))
    correct = [id for id, option in options if option.is_correct]
    if len(correct) == 1:
        if rng.random() < knowledge:
            return frozenset(correct)
        weights = [
            GUESSED_RIGHT if option.is_correct else 1 / (1 + index) for index, (_, option) in enumerate(options)
        ]
        return frozenset(rng.choices(question.option_ids, weights))
    selected = {id for id, option in options if option.is_correct is (rng.random() < (1 + knowledge) / 2)}
    return frozenset(selected or rng.choices(question.option_ids))
