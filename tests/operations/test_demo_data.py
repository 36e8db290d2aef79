"""The demo: the same for the same seed, right in all its figures, and as the rules want it."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.accounts.models import User
from lms_graphql.all_models import metadata
from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.catalog.counters import find_counter_drift
from lms_graphql.catalog.models import (
    Category,
    Course,
    CourseStatus,
    CourseTerm,
    Enrollment,
    EnrollmentSource,
    EnrollmentStatus,
    Lecture,
    LectureType,
    Section,
)
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.certificates import codes
from lms_graphql.certificates.models import Certificate
from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.text import sort_key
from lms_graphql.demo import resources
from lms_graphql.demo.builder import DemoCounts, build_demo
from lms_graphql.demo.subjects import themes
from lms_graphql.demo.timeline import TODAY
from lms_graphql.demo.written_courses import written_courses
from lms_graphql.discussion import counters as discussion
from lms_graphql.discussion.models import Note, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.services import progress_repair
from lms_graphql.operations.seed_data import seed

NewDatabase = Callable[[], Database]


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewDatabase]:
    """Copies of one that `db init` has seen."""
    folder = tmp_path_factory.mktemp("demo")
    made: list[Database] = []

    def opened(path: Path) -> Database:
        made.append(Database(f"sqlite:///{path}"))
        return made[-1]

    first = opened(folder / "0.db")
    metadata.create_all(first.engine)
    first.write_sync(seed)
    first.dispose()

    def copied() -> Database:
        return opened(Path(shutil.copy(folder / "0.db", folder / f"{len(made)}.db")))

    yield copied
    for database in made:
        database.dispose()


def build(database: Database, **sizes: Any) -> DemoCounts:
    return database.write_sync(lambda session: build_demo(session, **sizes))


@pytest.fixture(scope="module")
def hundred(new_database: NewDatabase) -> Database:
    database = new_database()
    build(database, courses=100, learners=30)
    return database


@pytest.fixture
def session(hundred: Database) -> Iterator[Session]:
    with Session(hundred.reading) as session:
        yield session


def test_the_same_seed_makes_the_same_data(new_database: NewDatabase) -> None:
    once, again = new_database(), new_database()
    build(once, courses=32, learners=3, seed=7)
    build(again, courses=32, learners=3, seed=7)
    with once.reading.connect() as first, again.reading.connect() as second:
        for table in metadata.sorted_tables:
            ordered = select(table).order_by(*table.primary_key)
            assert first.execute(ordered).all() == second.execute(ordered).all(), table.name


def test_another_seed_makes_another_catalog(new_database: NewDatabase) -> None:
    made = []
    for number in (1, 2):
        database = new_database()
        build(database, courses=2, learners=0, seed=number)
        with Session(database.reading) as session:
            made.append(set(session.scalars(select(Course.created_at))))
    assert made[0].isdisjoint(made[1])
    titles = [{theme.title for theme, _ in zip(themes(number), range(20), strict=False)} for number in (1, 2)]
    assert titles[0] != titles[1]


def test_a_small_demo_begins_with_python_from_zero(new_database: NewDatabase) -> None:
    database = new_database()
    told: list[tuple[str, int, int]] = []
    counts = build(database, courses=3, learners=4, on_progress=lambda *step: told.append(step))
    assert (counts.courses, counts.learners) == (3, 4)
    assert told == [("courses", 3, 3), ("learners", 4, 4)]
    with Session(database.reading) as session:
        row = session.execute(
            select(Course.slug, User.last_name, Lecture.lecture_type, Lecture.is_preview)
            .join(User, User.id == Course.instructor_id)
            .join(Lecture, Lecture.course_id == Course.id)
            .order_by(Lecture.id)
        ).first()
    assert row == ("python-from-zero", "Instructor", LectureType.VIDEO, True)


def test_the_demo_is_not_built_twice(new_database: NewDatabase) -> None:
    database = new_database()
    build(database, courses=1, learners=0)
    with pytest.raises(OperatorError, match="exist already"):
        build(database)


def test_without_the_first_users_it_says_what_to_run(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/lms.db")
    metadata.create_all(database.engine)
    with pytest.raises(OperatorError, match="db init"):
        build(database)
    database.dispose()


def test_all_derived_figures_are_right(session: Session) -> None:
    wiring.register_hooks()
    assert find_counter_drift(session) == []
    assert progress_repair.find_progress_drift(session) == []


def test_positions_are_dense_and_totals_right_for_every_course(session: Session) -> None:
    lectures_of = defaultdict(list)
    columns = (Lecture.section_id, Lecture.order_index, Lecture.duration)
    for lecture in session.execute(select(*columns).order_by(Lecture.section_id, Lecture.order_index)):
        lectures_of[lecture.section_id].append(lecture)
    sections_of = defaultdict(list)
    for section in session.scalars(select(Section).order_by(Section.course_id, Section.order_index)):
        sections_of[section.course_id].append(section)
        lectures = lectures_of[section.id]
        assert [lecture.order_index for lecture in lectures] == list(range(len(lectures)))
        assert section.total_lectures == len(lectures) > 0
        assert section.total_duration == sum(lecture.duration for lecture in lectures)
    courses = session.scalars(select(Course)).all()
    assert len(courses) == 100
    for course in courses:
        sections = sections_of[course.id]
        assert [section.order_index for section in sections] == list(range(len(sections)))
        assert course.total_lectures == sum(section.total_lectures for section in sections)
        assert course.total_duration == sum(section.total_duration for section in sections)


def test_every_published_course_obeys_the_publication_rules(session: Session) -> None:
    open_quizzes = set(session.scalars(select(Quiz.lecture_id).where(Quiz.is_published)))
    published = session.scalars(select(Course).where(Course.status != CourseStatus.DRAFT)).all()
    for course in published:
        assert course.title
        assert course.description
        assert course.category_id
        assert course.published_at is not None
        assert course.created_at < course.published_at < TODAY
    kept = {course.id for course in published}
    columns = (Lecture.id, Lecture.lecture_type, Lecture.video_url, Lecture.body, Lecture.content_url)
    for lecture in session.execute(select(*columns).where(Lecture.course_id.in_(kept))):
        match lecture.lecture_type:
            case LectureType.VIDEO:
                assert lecture.video_url
            case LectureType.TEXT | LectureType.RESOURCE:
                assert lecture.body or lecture.content_url
            case LectureType.ASSIGNMENT:
                assert lecture.body
            case LectureType.QUIZ:
                assert lecture.id in open_quizzes


def test_every_quiz_has_questions_that_can_be_answered(session: Session) -> None:
    questions_of = defaultdict(list)
    for question in session.scalars(select(Question).order_by(Question.quiz_id, Question.order_index)):
        questions_of[question.quiz_id].append(question)
    assert questions_of.keys() == set(session.scalars(select(Quiz.id)))
    for true_or_false, choice in questions_of.values():
        assert true_or_false.correct_answers in ([True], [False])
        texts = [option["text"] for option in choice.options]
        right = [option for option in choice.options if option["is_correct"]]
        assert 2 <= len(texts) == len(set(texts)) <= 20
        assert 0 < len(right) < len(texts)


def test_keys_and_terms_are_what_the_services_would_write(session: Session) -> None:
    for user in session.scalars(select(User)):
        assert user.username_key == user.username.casefold()
        assert user.email_key == (user.email or "").casefold()
    for category in session.scalars(select(Category)):
        assert category.name_key == sort_key(category.name)
    terms: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for term, course_id, weight in session.execute(select(CourseTerm.term, CourseTerm.course_id, CourseTerm.weight)):
        terms[course_id][term] = weight
    for course in session.scalars(select(Course)):
        assert course.title_key == sort_key(course.title)
        assert terms[course.id] == term_weights(course.title, course.short_description, course.description)


def test_no_two_courses_share_a_title_or_an_instant(session: Session) -> None:
    assert session.scalar(select(func.count(Course.title.distinct()))) == 100
    assert session.scalar(select(func.count(Course.created_at.distinct()))) == 100


def test_what_one_searches_for_is_there(session: Session) -> None:
    found = set(session.scalars(select(CourseTerm.term)))
    assert found >= {"c#", "c++", ".net", "ai", "go", "r", "how", "to"}
    titles = " ".join(session.scalars(select(Course.title)))
    assert all(word in titles for word in ("C#", "C++", ".NET", "AI", "Go "))


def test_no_title_comes_twice_in_a_large_catalog() -> None:
    titles = [theme.title for theme, _ in zip(themes(1), range(12_000), strict=False)]
    assert len(set(titles)) == 12_000
    assert max(map(len, titles)) <= 110


def test_progress_rows_agree(session: Session) -> None:
    course_of = dict(session.execute(select(Lecture.id, Lecture.course_id)).all())
    durations = dict(session.execute(select(Lecture.id, Lecture.duration)).all())
    done: Counter[tuple[int, int]] = Counter()
    watched: Counter[tuple[int, int]] = Counter()
    for row in session.scalars(select(LectureProgress)):
        key = (row.user_id, course_of[row.lecture_id])
        edges = [edge for stretch in row.watched_ranges for edge in stretch]
        assert edges == sorted(set(edges))
        assert max(edges, default=0) <= durations[row.lecture_id]
        assert row.watch_time == sum(end - start for start, end in row.watched_ranges)
        assert row.is_completed == (row.completed_at is not None)
        assert row.started_at <= row.last_accessed <= TODAY
        done[key] += row.is_completed
        watched[key] += row.watch_time
    rows = session.scalars(select(CourseProgress)).all()
    assert len(rows) == session.scalar(select(func.count()).select_from(Enrollment))
    for progress in rows:
        key = (progress.user_id, progress.course_id)
        assert progress.completed_lectures == done[key]
        assert progress.total_watch_time == watched[key]
        assert (progress.current_lecture_id is None) == (progress.current_section_id is None)


def test_enrollments_fit_their_courses(session: Session) -> None:
    pairs = session.execute(
        select(Enrollment, Course, CourseProgress)
        .join(Course, Course.id == Enrollment.course_id)
        .join(
            CourseProgress,
            (CourseProgress.user_id == Enrollment.user_id) & (CourseProgress.course_id == Course.id),
        )
    )
    seen = set()
    for enrollment, course, progress in pairs:
        seen.add(enrollment.status)
        assert course.published_at is not None
        assert course.published_at < enrollment.enrolled_at
        assert course.is_free == (enrollment.source is EnrollmentSource.FREE)
        assert progress.total_lectures == course.total_lectures
        is_whole = progress.completed_lectures == course.total_lectures
        assert is_whole == (enrollment.status is EnrollmentStatus.COMPLETED)
        assert is_whole == (enrollment.completed_at is not None)
        assert (enrollment.status is EnrollmentStatus.EXPIRED) == (enrollment.access_expires_at is not None)
    assert seen >= {EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED}


def test_everyone_who_completed_a_course_has_a_certificate_for_it(session: Session) -> None:
    done = select(Enrollment.user_id, Enrollment.course_id, Enrollment.completed_at)
    completed = session.execute(done.where(Enrollment.status == EnrollmentStatus.COMPLETED)).all()
    issued = session.execute(select(Certificate.user_id, Certificate.course_id, Certificate.issued_at)).all()
    assert set(issued) == set(completed)
    assert len(issued) == len(completed) > 0
    jane = session.scalars(select(Certificate).where(Certificate.learner_name == "Jane Learner")).one()
    assert codes.normalize_code(jane.verification_code) == jane.verification_code
    assert jane.title == f"Certificate of Completion: {jane.course_title}"


def test_what_people_say_below_lectures_obeys_the_rules(session: Session) -> None:
    assert discussion.find_counter_drift(session) == []
    came = {
        (row.user_id, row.course_id): row.enrolled_at
        for row in session.execute(select(Enrollment.user_id, Enrollment.course_id, Enrollment.enrolled_at))
    }
    of = select(QAQuestion, Lecture, Course).join(Lecture, Lecture.id == QAQuestion.lecture_id)
    asked = {
        question.id: (question, lecture, course)
        for question, lecture, course in session.execute(of.join(Course, Course.id == Lecture.course_id))
    }
    answers = {answer.id: answer for answer in session.scalars(select(QAAnswer))}
    for question, lecture, course in asked.values():
        assert came[question.user_id, course.id] <= question.created_at <= TODAY
        assert question.timestamp is None or question.timestamp < lecture.duration
        if question.accepted_answer_id is not None:
            accepted = answers[question.accepted_answer_id]
            assert (accepted.question_id, accepted.parent_id) == (question.id, None)
    for answer in answers.values():
        question, _, course = asked[answer.question_id]
        teaches = answer.user_id == course.instructor_id
        assert answer.is_instructor_answer == teaches
        assert teaches or came[answer.user_id, course.id] <= answer.created_at
        above = question if answer.parent_id is None else answers[answer.parent_id]
        assert above.created_at <= answer.created_at <= TODAY
        assert answer.parent_id is None or answers[answer.parent_id].parent_id is None
    for vote in session.scalars(select(QAQuestionVote)):
        question, _, course = asked[vote.question_id]
        assert vote.user_id != question.user_id
        assert came[vote.user_id, course.id] <= vote.created_at <= TODAY
    for voted in session.scalars(select(QAAnswerVote)):
        assert voted.user_id != answers[voted.answer_id].user_id
    featured = [question for question, _, _ in asked.values() if question.is_featured]
    settled = [question for question, _, _ in asked.values() if question.accepted_answer_id is not None]
    assert 0 < len(featured) < len(asked) / 2
    assert 0 < len(settled) < len(asked)


def test_people_take_notes_in_lectures_that_they_have_opened(session: Session) -> None:
    opened = {(row.user_id, row.lecture_id) for row in session.scalars(select(LectureProgress))}
    notes = session.scalars(select(Note)).all()
    assert {(note.user_id, note.lecture_id) for note in notes} <= opened
    assert len(notes) > 20
    jane = session.scalar(select(User.id).where(User.username == "learner"))
    assert any(note.user_id == jane for note in notes)


def test_there_are_words_in_every_language_that_courses_are_taught_in() -> None:
    words = resources.read("pools/words")
    assert {course.language for course in written_courses()} <= set(words)
    for language in words.values():
        threads = language["threads"]
        assert all(len(thread["title"]) <= 200 for thread in threads)
        assert len({thread["title"] for thread in threads}) == len(threads)


def test_jane_has_six_courses(session: Session) -> None:
    jane = session.scalar(select(User.id).where(User.username == "learner"))
    statuses = session.scalars(select(Enrollment.status).where(Enrollment.user_id == jane)).all()
    assert Counter(statuses) == {
        EnrollmentStatus.ACTIVE: 4,
        EnrollmentStatus.COMPLETED: 1,
        EnrollmentStatus.CANCELLED: 1,
    }


def test_the_written_courses_have_every_kind_of_lecture_and_a_quiz_for_each_that_asks() -> None:
    courses = written_courses()
    assert len(courses) == 30
    assert {lecture.kind for course in courses for section in course.sections for lecture in section.lectures} == set(
        LectureType
    )
    for course in courses:
        assert 3 <= len(course.sections) <= 12
        for section in course.sections:
            quizzes = [lecture for lecture in section.lectures if lecture.kind is LectureType.QUIZ]
            assert 3 <= len(section.lectures) <= 15
            assert len(quizzes) == (section.quiz is not None), f"{course.title}: {section.title}"
