"""Demo data: reproducible for a seed, with correct totals and counters, and valid by the rules of the services."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.accounts import search_index
from lms_graphql.accounts.models import User
from lms_graphql.all_models import metadata
from lms_graphql.assessment.models import Question, QuestionVersion, Quiz
from lms_graphql.assessment.question_content import QuestionContent, from_columns
from lms_graphql.assessment.quiz_validation import question_content
from lms_graphql.assessment.services.results_repair import find_result_drift
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
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import codes
from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.text import sort_key
from lms_graphql.core.validation import Validator
from lms_graphql.demo import resources
from lms_graphql.demo.builder import DemoCounts, build_demo
from lms_graphql.demo.subjects import themes
from lms_graphql.demo.timeline import TODAY
from lms_graphql.demo.written_courses import written_courses
from lms_graphql.discussion import counters as discussion
from lms_graphql.discussion import search_index as question_index
from lms_graphql.discussion.models import Note, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionTerm, QAQuestionVote
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.services import progress_repair
from lms_graphql.operations.seed_data import seed

pytestmark = pytest.mark.slow

NewDatabase = Callable[[], Database]


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewDatabase]:
    """Yield a function that returns a new database with the seed data."""
    folder = tmp_path_factory.mktemp("demo")
    databases: list[Database] = []

    def open_file(path: Path) -> Database:
        databases.append(Database(f"sqlite:///{path}"))
        return databases[-1]

    template = open_file(folder / "0.db")
    metadata.create_all(template.engine)
    template.write_sync(seed)
    template.dispose()

    def copy() -> Database:
        return open_file(Path(shutil.copy(folder / "0.db", folder / f"{len(databases)}.db")))

    yield copy
    for database in databases:
        database.dispose()


def build(database: Database, **sizes: Any) -> DemoCounts:
    return database.write_sync(lambda session: build_demo(session, **sizes))


@pytest.fixture(scope="module")
def demo_database(new_database: NewDatabase) -> Database:
    database = new_database()
    build(database, courses=100, learners=30)
    return database


@pytest.fixture
def session(demo_database: Database) -> Iterator[Session]:
    """Yield a session on a demo of 100 courses and 30 learners."""
    with Session(demo_database.read_engine) as session:
        yield session


def test_same_seed_gives_same_data(new_database: NewDatabase) -> None:
    first_database, second_database = new_database(), new_database()
    build(first_database, courses=32, learners=3, seed=7)
    build(second_database, courses=32, learners=3, seed=7)
    with first_database.read_engine.connect() as first, second_database.read_engine.connect() as second:
        for table in metadata.sorted_tables:
            statement = select(table).order_by(*table.primary_key)
            assert first.execute(statement).all() == second.execute(statement).all(), table.name


def test_other_seed_gives_other_catalog(new_database: NewDatabase) -> None:
    creation_times = []
    for seed_number in (1, 2):
        database = new_database()
        build(database, courses=2, learners=0, seed=seed_number)
        with Session(database.read_engine) as session:
            creation_times.append(set(session.scalars(select(Course.created_at))))
    assert creation_times[0].isdisjoint(creation_times[1])
    titles = [{theme.title for theme, _ in zip(themes(number), range(20), strict=False)} for number in (1, 2)]
    assert titles[0] != titles[1]


def test_small_demo_contains_python_from_zero(new_database: NewDatabase) -> None:
    database = new_database()
    progress: list[tuple[str, int, int]] = []
    counts = build(database, courses=3, learners=4, on_progress=lambda *step: progress.append(step))
    assert (counts.courses, counts.learners) == (3, 4)
    assert progress == [("courses", 3, 3), ("learners", 4, 4)]
    with Session(database.read_engine) as session:
        row = session.execute(
            select(Course.slug, User.last_name, Lecture.lecture_type, Lecture.is_preview)
            .join(User, User.id == Course.instructor_id)
            .join(Lecture, Lecture.course_id == Course.id)
            .order_by(Lecture.id)
        ).first()
    assert row == ("python-from-zero", "Instructor", LectureType.VIDEO, True)


def test_further_enrollments_are_those_of_learners_who_have_begun_nothing(new_database: NewDatabase) -> None:
    wiring.register_hooks()
    database = new_database()
    counts = build(database, courses=12, learners=0, enrollments=30)
    of_further_learners = select(Enrollment.user_id, Enrollment.progress_hundredths).join(
        User, User.id == Enrollment.user_id
    )
    with Session(database.read_engine) as session:
        rows = session.execute(of_further_learners.where(User.email_key.endswith("@example.org"))).all()
        assert [row.progress_hundredths for row in rows] == [0] * 30
        assert len({row.user_id for row in rows}) == counts.learners > 1
        assert find_counter_drift(session) == progress_repair.find_progress_drift(session) == []


def test_demo_is_not_built_twice(new_database: NewDatabase) -> None:
    database = new_database()
    build(database, courses=1, learners=0)
    with pytest.raises(OperatorError, match="exist already"):
        build(database)


def test_demo_requires_seed_data(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/lms.db")
    metadata.create_all(database.engine)
    with pytest.raises(OperatorError, match="db init"):
        build(database)
    database.dispose()


def test_derived_columns_have_no_drift(session: Session) -> None:
    wiring.register_hooks()
    assert find_counter_drift(session) == []
    assert progress_repair.find_progress_drift(session) == []
    assert find_result_drift(session) == []


def test_positions_are_dense_and_totals_correct(session: Session) -> None:
    lectures_by_section = defaultdict(list)
    columns = (Lecture.section_id, Lecture.order_index, Lecture.duration)
    for lecture in session.execute(select(*columns).order_by(Lecture.section_id, Lecture.order_index)):
        lectures_by_section[lecture.section_id].append(lecture)
    sections_by_course = defaultdict(list)
    for section in session.scalars(select(Section).order_by(Section.course_id, Section.order_index)):
        sections_by_course[section.course_id].append(section)
        lectures = lectures_by_section[section.id]
        assert [lecture.order_index for lecture in lectures] == list(range(len(lectures)))
        assert section.total_lectures == len(lectures) > 0
        assert section.total_duration == sum(lecture.duration for lecture in lectures)
    courses = session.scalars(select(Course)).all()
    assert len(courses) == 100
    for course in courses:
        sections = sections_by_course[course.id]
        assert [section.order_index for section in sections] == list(range(len(sections)))
        assert course.total_lectures == sum(section.total_lectures for section in sections)
        assert course.total_duration == sum(section.total_duration for section in sections)


def test_published_courses_are_ready_for_publication(session: Session) -> None:
    published_quiz_lectures = set(session.scalars(select(Quiz.lecture_id).where(Quiz.is_published)))
    published = session.scalars(select(Course).where(Course.status != CourseStatus.DRAFT)).all()
    for course in published:
        assert course.title
        assert course.description
        assert course.category_id
        assert course.published_at is not None
        assert course.created_at < course.published_at < TODAY
    published_keys = {course.id for course in published}
    columns = (Lecture.id, Lecture.lecture_type, Lecture.video_url, Lecture.body, Lecture.content_url)
    for lecture in session.execute(select(*columns).where(Lecture.course_id.in_(published_keys))):
        match lecture.lecture_type:
            case LectureType.VIDEO:
                assert lecture.video_url
            case LectureType.TEXT | LectureType.RESOURCE:
                assert lecture.body or lecture.content_url
            case LectureType.ASSIGNMENT:
                assert lecture.body
            case LectureType.QUIZ:
                assert lecture.id in published_quiz_lectures


def input_of(content: QuestionContent) -> dict[str, Any]:
    """Return the content as the input of a mutation."""
    return {
        "prompt": content.prompt,
        "points": content.points,
        "explanation": content.explanation,
        "partial_credit": content.partial_credit,
        "options": [{"text": option.text, "is_correct": option.is_correct} for option in content.options],
        "correct_answer": content.correct_answer,
        "accepted_answers": content.accepted_answers,
    }


def test_quizzes_have_valid_questions(session: Session) -> None:
    versions = {version.question_id: version for version in session.scalars(select(QuestionVersion))}
    questions = session.scalars(select(Question)).all()
    assert {question.quiz_id for question in questions} == set(session.scalars(select(Quiz.id)))
    for question in questions:
        content, validator = from_columns(question), Validator()
        stored = question_content(validator, content.type, input_of(content))
        validator.raise_errors()
        ids = tuple(option.id for option in content.options)
        options = tuple(option._replace(id=id) for option, id in zip(stored.options, ids, strict=True))
        assert stored._replace(options=options) == content == from_columns(versions[question.id])
        assert len(set(ids)) == len(ids)


def test_sort_keys_and_search_terms_match_the_services(session: Session) -> None:
    assert search_index.find_term_drift(session) == question_index.find_term_drift(session) == []
    assert session.scalar(select(QAQuestionTerm.term).limit(1))
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


def test_course_titles_and_creation_times_are_unique(session: Session) -> None:
    assert session.scalar(select(func.count(Course.title.distinct()))) == 100
    assert session.scalar(select(func.count(Course.created_at.distinct()))) == 100


def test_catalog_contains_terms_that_are_hard_to_search(session: Session) -> None:
    terms = set(session.scalars(select(CourseTerm.term)))
    assert terms >= {"c#", "c++", ".net", "ai", "go", "r", "how", "to"}
    titles = " ".join(session.scalars(select(Course.title)))
    assert all(word in titles for word in ("C#", "C++", ".NET", "AI", "Go "))


def test_titles_are_unique_in_large_catalog() -> None:
    titles = [theme.title for theme, _ in zip(themes(1), range(12_000), strict=False)]
    assert len(set(titles)) == 12_000
    assert max(map(len, titles)) <= 110


def test_course_progress_matches_lecture_progress(session: Session) -> None:
    course_by_lecture = dict(session.execute(select(Lecture.id, Lecture.course_id)).all())
    duration_by_lecture = dict(session.execute(select(Lecture.id, Lecture.duration)).all())
    completed_lectures: Counter[tuple[int, int]] = Counter()
    watch_time: Counter[tuple[int, int]] = Counter()
    for row in session.scalars(select(LectureProgress)):
        key = (row.user_id, course_by_lecture[row.lecture_id])
        bounds = [bound for watched_range in row.watched_ranges for bound in watched_range]
        assert bounds == sorted(set(bounds))
        assert max(bounds, default=0) <= duration_by_lecture[row.lecture_id]
        assert row.watch_time == sum(end - start for start, end in row.watched_ranges)
        assert row.is_completed == (row.completed_at is not None)
        assert row.started_at <= row.last_accessed <= TODAY
        completed_lectures[key] += row.is_completed
        watch_time[key] += row.watch_time
    rows = session.scalars(select(CourseProgress)).all()
    assert len(rows) == session.scalar(select(func.count()).select_from(Enrollment))
    for progress in rows:
        key = (progress.user_id, progress.course_id)
        assert progress.completed_lectures == completed_lectures[key]
        assert progress.total_watch_time == watch_time[key]
        assert (progress.current_lecture_id is None) == (progress.current_section_id is None)


def test_enrollments_are_consistent_with_courses(session: Session) -> None:
    rows = session.execute(
        select(Enrollment, Course, CourseProgress)
        .join(Course, Course.id == Enrollment.course_id)
        .join(
            CourseProgress,
            (CourseProgress.user_id == Enrollment.user_id) & (CourseProgress.course_id == Course.id),
        )
    )
    statuses = set()
    for enrollment, course, progress in rows:
        statuses.add(enrollment.status)
        assert course.published_at is not None
        assert course.published_at < enrollment.enrolled_at
        assert course.is_free == (enrollment.source is EnrollmentSource.FREE)
        assert progress.total_lectures == course.total_lectures
        is_complete = progress.completed_lectures == course.total_lectures
        assert is_complete == (enrollment.status is EnrollmentStatus.COMPLETED)
        assert is_complete == (enrollment.completed_at is not None)
        assert (enrollment.status is EnrollmentStatus.EXPIRED) == (enrollment.access_expires_at is not None)
    assert statuses >= {EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED}


def test_completed_enrollments_have_certificates(session: Session) -> None:
    enrollments = select(Enrollment.user_id, Enrollment.course_id, Enrollment.completed_at)
    completed = session.execute(enrollments.where(Enrollment.status == EnrollmentStatus.COMPLETED)).all()
    issued = session.execute(select(Certificate.user_id, Certificate.course_id, Certificate.issued_at)).all()
    assert set(issued) == set(completed)
    assert len(issued) == len(completed) > 0
    certificate = session.scalars(select(Certificate).where(Certificate.learner_name == "Jane Learner")).one()
    assert codes.normalize_code(certificate.verification_code) == certificate.verification_code
    assert certificate.title == f"Certificate of Completion: {certificate.course_title}"


class Discussions:
    """Questions and answers of the demo, with the enrollments of their authors."""

    def __init__(self, session: Session) -> None:
        enrollments = select(Enrollment.user_id, Enrollment.course_id, Enrollment.enrolled_at)
        self.enrolled_at = {(row.user_id, row.course_id): row.enrolled_at for row in session.execute(enrollments)}
        questions = (
            select(QAQuestion, Lecture, Course)
            .join(Lecture, Lecture.id == QAQuestion.lecture_id)
            .join(Course, Course.id == Lecture.course_id)
        )
        self.questions = {
            question.id: (question, lecture, course) for question, lecture, course in session.execute(questions)
        }
        self.answers = {answer.id: answer for answer in session.scalars(select(QAAnswer))}


@pytest.fixture
def discussions(session: Session) -> Discussions:
    return Discussions(session)


def test_discussion_counters_have_no_drift(session: Session) -> None:
    assert discussion.find_counter_drift(session) == []


def test_questions_are_valid(discussions: Discussions) -> None:
    for question, lecture, course in discussions.questions.values():
        assert discussions.enrolled_at[question.user_id, course.id] <= question.created_at <= TODAY
        assert question.timestamp is None or question.timestamp < lecture.duration
        if question.accepted_answer_id is not None:
            accepted = discussions.answers[question.accepted_answer_id]
            assert (accepted.question_id, accepted.parent_id) == (question.id, None)


def test_answers_and_replies_are_valid(discussions: Discussions) -> None:
    for answer in discussions.answers.values():
        question, _, course = discussions.questions[answer.question_id]
        is_instructor = answer.user_id == course.instructor_id
        assert answer.is_instructor_answer == is_instructor
        assert is_instructor or discussions.enrolled_at[answer.user_id, course.id] <= answer.created_at
        parent = None if answer.parent_id is None else discussions.answers[answer.parent_id]
        assert (parent or question).created_at <= answer.created_at <= TODAY
        assert parent is None or parent.parent_id is None


def test_votes_are_valid(session: Session, discussions: Discussions) -> None:
    for vote in session.scalars(select(QAQuestionVote)):
        question, _, course = discussions.questions[vote.question_id]
        assert vote.user_id != question.user_id
        assert discussions.enrolled_at[vote.user_id, course.id] <= vote.created_at <= TODAY
    for answer_vote in session.scalars(select(QAAnswerVote)):
        assert answer_vote.user_id != discussions.answers[answer_vote.answer_id].user_id


def test_featured_questions_and_accepted_answers_exist(discussions: Discussions) -> None:
    questions = [question for question, _, _ in discussions.questions.values()]
    featured = [question for question in questions if question.is_featured]
    accepted = [question for question in questions if question.accepted_answer_id is not None]
    assert 0 < len(featured) < len(questions) / 2
    assert 0 < len(accepted) < len(questions)


def test_notes_are_about_viewed_lectures(session: Session) -> None:
    viewed = {(row.user_id, row.lecture_id) for row in session.scalars(select(LectureProgress))}
    notes = session.scalars(select(Note)).all()
    assert {(note.user_id, note.lecture_id) for note in notes} <= viewed
    assert len(notes) > 20
    seed_learner = session.scalar(select(User.id).where(User.username == "learner"))
    assert any(note.user_id == seed_learner for note in notes)


def test_discussion_texts_exist_in_every_language() -> None:
    texts = resources.read("pools/words")
    assert {course.language for course in written_courses()} <= set(texts)
    for language in texts.values():
        threads = language["threads"]
        assert all(len(thread["title"]) <= 200 for thread in threads)
        assert len({thread["title"] for thread in threads}) == len(threads)


def test_seed_learner_has_enrollments_of_each_kind(session: Session) -> None:
    seed_learner = session.scalar(select(User.id).where(User.username == "learner"))
    statuses = session.scalars(select(Enrollment.status).where(Enrollment.user_id == seed_learner)).all()
    assert Counter(statuses) == {
        EnrollmentStatus.ACTIVE: 4,
        EnrollmentStatus.COMPLETED: 1,
        EnrollmentStatus.CANCELLED: 1,
        EnrollmentStatus.REFUNDED: 1,
    }


def test_written_courses_have_all_lecture_types() -> None:
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
