"""The GraphQL schema: queries, mutations and types of all domains."""

from typing import Annotated

import strawberry

from lms_graphql import wiring
from lms_graphql.accounts.mutations.applications import ApplicationMutations
from lms_graphql.accounts.mutations.credentials import CredentialMutations
from lms_graphql.accounts.mutations.sessions import SessionMutations
from lms_graphql.accounts.mutations.users import UserMutations
from lms_graphql.accounts.queries import AccountQueries
from lms_graphql.accounts.reads.applications import applications_by_key
from lms_graphql.accounts.reads.audit_events import audit_events_by_key
from lms_graphql.accounts.reads.sessions import sessions_by_key
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import AuditEvent, InstructorApplication, User, UserSession
from lms_graphql.analytics import types as analytics_types
from lms_graphql.assessment.mutations.attempts import AttemptMutations
from lms_graphql.assessment.mutations.lectures import LectureContentMutations
from lms_graphql.assessment.mutations.question_import import QuestionImportMutations
from lms_graphql.assessment.mutations.questions import QuizQuestionMutations
from lms_graphql.assessment.mutations.quizzes import QuizMutations
from lms_graphql.assessment.reads import questions as quiz_questions
from lms_graphql.assessment.reads.accommodations import accommodations_by_key
from lms_graphql.assessment.reads.attempts import attempts_by_key
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.types import statistics as quiz_statistics_types
from lms_graphql.assessment.types.attempts import QuizAccommodation, QuizAttempt
from lms_graphql.assessment.types.questions import (
    EssayQuestion,
    MultipleChoiceQuestion,
    ShortAnswerQuestion,
    TrueFalseQuestion,
)
from lms_graphql.assessment.types.quizzes import Quiz
from lms_graphql.billing.mutations.payouts import PayoutMutations
from lms_graphql.billing.mutations.purchases import PurchaseMutations
from lms_graphql.billing.mutations.refunds import RefundMutations
from lms_graphql.billing.queries import BillingQueries
from lms_graphql.billing.reads.earnings import earnings_by_key
from lms_graphql.billing.reads.payouts import payouts_by_key
from lms_graphql.billing.reads.refunds import refunds_by_key
from lms_graphql.billing.reads.transactions import transactions_by_key
from lms_graphql.billing.types.earnings import Earning, InstructorPayout
from lms_graphql.billing.types.transactions import Refund, Transaction
from lms_graphql.catalog.mutations.categories import CategoryMutations
from lms_graphql.catalog.mutations.courses import CourseMutations
from lms_graphql.catalog.mutations.lectures import LectureMutations
from lms_graphql.catalog.mutations.sections import SectionMutations
from lms_graphql.catalog.queries import CatalogQueries
from lms_graphql.catalog.reads.categories import categories_by_key
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import lectures_by_key, sections_by_key
from lms_graphql.catalog.types.category import Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.catalog.types.publish_problems import PublishProblem
from lms_graphql.catalog.types.section import Section
from lms_graphql.certificates.mutations import CertificateMutations
from lms_graphql.certificates.queries import CertificateQueries
from lms_graphql.certificates.reads import certificates_by_key
from lms_graphql.certificates.types import Certificate
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.pagination import MAX_PAGE_SIZE
from lms_graphql.discussion.mutations.answers import AnswerMutations
from lms_graphql.discussion.mutations.notes import NoteMutations
from lms_graphql.discussion.mutations.questions import QuestionMutations
from lms_graphql.discussion.reads.answers import answers_by_key
from lms_graphql.discussion.reads.notes import notes_by_key
from lms_graphql.discussion.reads.questions import questions_by_key
from lms_graphql.discussion.types import Note, QAAnswer, QAQuestion
from lms_graphql.graph.context import Info
from lms_graphql.graph.execution.loaders import BatchRead
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.node import Node
from lms_graphql.learning.mutations.enrollments import EnrollmentMutations
from lms_graphql.learning.mutations.invitations import InvitationMutations
from lms_graphql.learning.mutations.progress import ProgressMutations
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.reads.invitations import invitations_by_key
from lms_graphql.learning.reads.progress import lecture_progress_by_key
from lms_graphql.learning.types.enrollments import Enrollment, LectureProgress
from lms_graphql.learning.types.invitations import Invitation

wiring.register_hooks()

NODE_LOADERS: dict[str, BatchRead] = {
    "User": users_by_key,
    "UserSession": sessions_by_key,
    "InstructorApplication": applications_by_key,
    "AuditEvent": audit_events_by_key,
    "Category": categories_by_key,
    "Course": courses_by_key,
    "Section": sections_by_key,
    "Lecture": lectures_by_key,
    "Enrollment": enrollments_by_key,
    "Invitation": invitations_by_key,
    "LectureProgress": lecture_progress_by_key,
    "Quiz": quizzes_by_key,
    "QuizAttempt": attempts_by_key,
    "QuizAccommodation": accommodations_by_key,
    **{kind: quiz_questions.questions_of_type(type) for type, kind in quiz_questions.QUESTION_KINDS.items()},
    "Note": notes_by_key,
    "QAQuestion": questions_by_key,
    "QAAnswer": answers_by_key,
    "Certificate": certificates_by_key,
    "Transaction": transactions_by_key,
    "Refund": refunds_by_key,
    "Earning": earnings_by_key,
    "InstructorPayout": payouts_by_key,
}
"""Batch read of each kind of object by key. Like all batch reads, they return only what the viewer may see."""

Id = Annotated[strawberry.ID, strawberry.argument(description="Id of an object of any type.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Ids of objects of any type (at most 100).")]


@strawberry.type(description="All queries.")
class Query(AccountQueries, CatalogQueries, CertificateQueries, BillingQueries):
    @strawberry.field
    def node(self, info: Info, id: Id) -> Node | None:
        """Object with this id; null if it does not exist or the viewer may not see it."""
        return info.context.node(id)

    @strawberry.field
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        """
        Objects with these ids, in the order of the ids (at most 100). An item is null if the object does not exist or
        the viewer may not see it.
        """
        if len(ids) > MAX_PAGE_SIZE:
            message = f"The request has too many ids. Request at most {MAX_PAGE_SIZE} objects at once."
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
        return await info.context.nodes(ids)


@strawberry.type(
    description="All mutations. If the viewer may not run a mutation, it is null with a top-level error: "
    "UNAUTHENTICATED for anonymous viewers, FORBIDDEN for others. A token that is invalid or has expired fails every "
    "request with HTTP 401. In addition to the codes that a mutation names, its `errors` can have those of its "
    "input: NOT_FOUND, REQUIRED, TOO_SHORT, TOO_LONG, OUT_OF_RANGE and INVALID."
)
class Mutation(
    SessionMutations,
    CredentialMutations,
    UserMutations,
    ApplicationMutations,
    CategoryMutations,
    CourseMutations,
    SectionMutations,
    LectureMutations,
    LectureContentMutations,
    QuizMutations,
    QuizQuestionMutations,
    QuestionImportMutations,
    AttemptMutations,
    NoteMutations,
    QuestionMutations,
    AnswerMutations,
    EnrollmentMutations,
    InvitationMutations,
    ProgressMutations,
    CertificateMutations,
    PurchaseMutations,
    RefundMutations,
    PayoutMutations,
):
    pass


TYPE_EXTENSION_MODULES = (analytics_types, quiz_statistics_types)
"""Modules that only add type extensions to types of lower layers. Importing them is all that they need."""

OBJECT_TYPES = (
    User,
    UserSession,
    InstructorApplication,
    AuditEvent,
    Category,
    Course,
    Section,
    Lecture,
    PublishProblem,
    Enrollment,
    Invitation,
    LectureProgress,
    Quiz,
    MultipleChoiceQuestion,
    TrueFalseQuestion,
    ShortAnswerQuestion,
    EssayQuestion,
    QuizAttempt,
    QuizAccommodation,
    Note,
    QAQuestion,
    QAAnswer,
    Certificate,
    Transaction,
    Refund,
    Earning,
    InstructorPayout,
)

schema = build_schema(Query, Mutation, types=OBJECT_TYPES)
