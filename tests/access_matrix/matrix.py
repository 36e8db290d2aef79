"""The access matrix: the audience of each field. `fixtures` has the viewers of each group of each object."""

from dataclasses import dataclass
from enum import StrEnum


class Denial(StrEnum):
    """Error that a field has for viewers outside its audience. The field is null or empty in any case."""

    SILENT = "no error"
    FORBIDDEN = "FORBIDDEN"
    BY_PERMISSION = "UNAUTHENTICATED for anonymous viewers, FORBIDDEN for others"


@dataclass(frozen=True)
class Audience:
    """Viewers in this group of the object to which the field belongs."""

    group: str
    denial: Denial = Denial.SILENT

    def error_code(self, is_signed_in: bool) -> str | None:
        """Return the code of the error for a viewer outside the audience, or None if there is no error."""
        if self.denial is Denial.SILENT:
            return None
        must_sign_in = self.denial is Denial.BY_PERMISSION and not is_signed_in
        return "UNAUTHENTICATED" if must_sign_in else "FORBIDDEN"


VISIBLE = Audience("visible_to")
"""All viewers who may see the object."""
SELF = Audience("user", Denial.FORBIDDEN)
"""The user and super admins."""
ALONE = Audience("alone", Denial.FORBIDDEN)
"""The user, without super admins."""
HOLDER = Audience("holder", Denial.FORBIDDEN)
"""The holder of the certificate and super admins."""
BUYER = Audience("buyer", Denial.FORBIDDEN)
"""The buyer and super admins."""
STAFF = Audience("staff", Denial.FORBIDDEN)
"""Course staff: the instructor of the course and super admins."""
ACCESS = Audience("access")
"""Viewers with access to the lecture."""
LOCKED_OUT = Audience("locked_out")
"""Viewers who see the lecture but have no access to it."""
ENROLLED = Audience("enrolled")
"""Viewers with an enrollment in the course, in any status."""
WITH_PROGRESS = Audience("with_progress")
"""Viewers with an enrollment and progress in the lecture."""
RESULTS = Audience("results")
"""Course staff, and the learner if the review policy allows it."""
SIGNED_IN = Audience("signed_in")
MEMBERS = Audience("signed_in", Denial.BY_PERMISSION)
ADMINS = Audience("admins", Denial.BY_PERMISSION)

TEACHERS = Audience("teachers", Denial.BY_PERMISSION)
"""Instructors and super admins."""

FIELDS: dict[str, dict[Audience, str]] = {
    "Query": {
        VISIBLE: "node nodes category categories categoryTree course courseFacets courses user verifyCertificate",
        SIGNED_IN: "me",
        MEMBERS: "instructorApplications transactions",
        ADMINS: "users auditEvents",
        TEACHERS: "payouts",
    },
    "Node": {VISIBLE: "id"},
    "User": {
        VISIBLE: "id username firstName lastName fullName role bio profileImageUrl createdAt courses",
        SELF: """
            email isActive isEmailVerified lastLoginAt permissions enrollments teaching certificates transactions
            commissionRate qaQuestions sessions
        """,
        ALONE: "notes",
    },
    "UserSession": {VISIBLE: "id createdAt lastUsedAt expiresAt clientIp userAgent isCurrent"},
    "Session": {
        SIGNED_IN: "user accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt",
    },
    "InstructorApplication": {
        VISIBLE: "id motivation experience status reviewNote reviewedAt reviewedBy applicant createdAt",
    },
    "AuditEvent": {VISIBLE: "id action actor subjectId clientIp details createdAt"},
    "AuditDetail": {VISIBLE: "name value"},
    "Category": {
        VISIBLE: "id slug name description parent children depth ancestors courses courseCount",
    },
    "CourseFacets": {VISIBLE: "totalCount difficulties languages categories freeCount paidCount"},
    "DifficultyFacet": {VISIBLE: "difficulty count"},
    "LanguageFacet": {VISIBLE: "language count"},
    "CategoryFacet": {VISIBLE: "category count"},
    "Course": {
        VISIBLE: """
            id slug title shortDescription description language difficulty status isFree isFeatured allowQa allowNotes
            thumbnailUrl previewVideoUrl lectureCount durationSeconds enrollmentCount publishedAt createdAt updatedAt
            version price instructor category sections sectionCount viewerCanEdit quizzes
            qaQuestions
        """,
        ENROLLED: "viewerEnrollment",
        STAFF: "publishProblems enrollments invitations analytics",
    },
    "Enrollment": {
        VISIBLE: """
            id user course status source enrolledAt completedAt accessExpiresAt lastAccessedAt progress certificate
        """,
    },
    "Invitation": {VISIBLE: "id course email status accessExpiresAt createdAt expiresAt enrollment"},
    "CourseProgress": {
        VISIBLE: """
            id percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture lectures
            updatedAt
        """,
    },
    "LectureProgress": {
        VISIBLE: "id lecture isCompleted watchSeconds positionSeconds startedAt completedAt lastAccessedAt",
    },
    "InstructorDashboard": {
        VISIBLE: """
            id courseCount learnerCount enrollmentCount completionCount openQuestions attemptsToGrade balances
            earnings payouts
        """,
    },
    "CourseAnalytics": {
        VISIBLE: """
            id asOf enrollmentCount activeCount completionCount averageProgressPercent grossRevenue refundedRevenue
            lectures
        """,
    },
    "LectureAnalytics": {VISIBLE: "lecture startedCount completedCount averageWatchSeconds"},
    "PublishProblem": {STAFF: "code message subject"},
    "Money": {VISIBLE: "amount currency"},
    "Section": {
        VISIBLE: "id title description position lectureCount durationSeconds updatedAt version course lectures",
    },
    "Lecture": {
        VISIBLE: """
            id title description type position durationSeconds isPreview isDownloadable updatedAt version section
            course next previous qaQuestions viewerNotes
        """,
        ACCESS: "content quiz",
        LOCKED_OUT: "lock",
        WITH_PROGRESS: "viewerProgress",
    },
    "LectureContent": {ACCESS: "videoUrl body resourceUrl"},
    "LectureLock": {LOCKED_OUT: "reason message"},
    "Quiz": {
        VISIBLE: """
            id course lecture title description timeLimitSeconds maxAttempts passingScore shuffleQuestions
            reviewPolicy keptScore isPublished questionCount totalPoints viewerAttempts viewerAttemptsLeft
            viewerTimeLimitSeconds viewerHasPassed
        """,
        STAFF: "questions attempts accommodations export statistics",
    },
    "QuizStatistics": {
        VISIBLE: """
            id asOf attemptCount learnerCount passedLearnerCount meanScorePercent medianScorePercent
            meanDurationSeconds questions
        """,
    },
    "QuestionStatistics": {
        VISIBLE: """
            question answeredCount unansweredCount fullPointsCount partialPointsCount noPointsCount meanPointsPercent
            discrimination options
        """,
    },
    "OptionStatistics": {VISIBLE: "option chosenCount"},
    "QuizAccommodation": {VISIBLE: "id quiz user extraTimePercent extraAttempts note createdAt updatedAt"},
    "Question": {VISIBLE: "id type prompt points position explanation"},
    "MultipleChoiceQuestion": {
        VISIBLE: "id type prompt points position explanation options partialCredit",
    },
    "ChoiceOption": {VISIBLE: "id text isCorrect"},
    "TrueFalseQuestion": {VISIBLE: "id type prompt points position explanation correctAnswer"},
    "ShortAnswerQuestion": {VISIBLE: "id type prompt points position explanation acceptedAnswers"},
    "EssayQuestion": {VISIBLE: "id type prompt points position explanation"},
    "QuizAttempt": {
        VISIBLE: """
            id quiz user number status startedAt deadlineAt submittedAt remainingSeconds totalPoints earnedPoints
            scorePercent passed questions
        """,
    },
    "AttemptQuestion": {
        VISIBLE: "id type prompt points options allowsSeveral answer",
        RESULTS: "result",
    },
    "AttemptOption": {VISIBLE: "id text"},
    "AttemptAnswer": {VISIBLE: "optionIds boolean text savedAt"},
    "AnswerResult": {RESULTS: "isCorrect earnedPoints feedback correctOptionIds correctAnswer explanation"},
    "Note": {VISIBLE: "id lecture course content positionSeconds createdAt updatedAt"},
    "QAQuestion": {
        VISIBLE: """
            id lecture course author title content positionSeconds isAnswered isFeatured voteCount viewerHasVoted
            acceptedAnswer answerCount answers createdAt updatedAt
        """,
    },
    "QAAnswer": {
        VISIBLE: """
            id question author content isInstructorAnswer isAccepted voteCount viewerHasVoted parent replies createdAt
            updatedAt
        """,
    },
    "Certificate": {
        VISIBLE: """
            id serial title learnerName courseTitle instructorName issuedAt expiresAt revokedAt status user course
        """,
        HOLDER: "verificationCode pdfUrl",
    },
    "Transaction": {
        VISIBLE: """
            id reference user course amount refundedAmount netAmount status paymentMethod description createdAt
            completedAt refunds
        """,
        BUYER: "receiptUrl",
    },
    "Refund": {VISIBLE: "id amount reason status createdAt completedAt"},
    "Earning": {VISIBLE: "id transaction course netAmount amount commissionRate status availableAt payout"},
    "EarningsBalance": {VISIBLE: "currency pending available paid"},
    "InstructorPayout": {
        VISIBLE: """
            id reference instructor amount commissionRate periodStart periodEnd status processedAt statementUrl
            earnings
        """,
    },
    "CertificateVerification": {
        VISIBLE: "status serial learnerName courseTitle instructorName issuedAt expiresAt",
    },
}

STRUCTURAL_TYPES: dict[str, str] = {
    "Mutation": "permissions are in test_roles.py; objects are below its payloads",
    "PageInfo": "cursors, which are decoded and searched, and whether there are more pages",
    "UserError": "error of an input; its subject is loaded as by Query.node",
    "DonePayload": "success flag",
    "DeletePayload": "id that the client sent, and the course",
    "SessionPayload": "session or errors",
    "UserPayload": "user or errors",
    "InstructorApplicationPayload": "application or errors",
    "EnrollmentPayload": "enrollment or errors",
    "InviteLearnersPayload": "invitations or errors",
    "InvitationPayload": "invitation or errors",
    "LectureProgressPayload": "progress and enrollment, or errors",
    "CertificatePayload": "certificate or errors",
    "TransactionPayload": "transaction or errors",
    "RunPayoutsPayload": "payouts or errors",
    "PayoutPayload": "payout or errors",
    "PurchasePayload": "transaction, its checkout and enrollment, or errors",
    "CategoryPayload": "category or errors",
    "CoursePayload": "course or errors",
    "SectionPayload": "section or errors",
    "LecturePayload": "lecture or errors",
    "QuizPayload": "quiz or errors",
    "QuestionPayload": "question or errors",
    "ImportQuestionsPayload": "quiz, number of questions and problems of a file, or errors",
    "ImportProblem": "problem of a file that the client sent",
    "RegradeQuestionPayload": "question and numbers of attempts, or errors",
    "QuizAttemptPayload": "attempt or errors",
    "QuizAccommodationPayload": "accommodation or errors",
    "NotePayload": "note or errors",
    "QAQuestionPayload": "question or errors",
    "QAAnswerPayload": "answer or errors",
}
"""Types whose own fields belong to no object. Objects below them are checked."""

CONNECTION = {"edges", "nodes", "pageInfo", "totalCount"}
EDGE = {"cursor", "node"}
"""Types with exactly these fields are structural, too. `totalCount` must be the number of visible items."""

WITHOUT_MARKER: dict[str, str] = {
    "User.permissions": "test_roles.py",
    "User.fullName": "composed of two fields",
    "Course.language": "a filter",
    "LanguageFacet.language": "a filter",
    "Money.amount": "a number",
    "Money.currency": "a code",
    "LectureLock.message": "one of three constants",
    "Certificate.pdfUrl": "contains the code with its marker",
    "EarningsBalance.currency": "a code",
    "InstructorPayout.statementUrl": "contains a code that no other field has",
    "Transaction.receiptUrl": "contains a code that no other field has",
    "PublishProblem.message": "contains a title with its marker",
    "Quiz.export": "contains prompts and keys with their markers",
    "Session.accessToken": "created by the mutation",
    "Session.refreshToken": "created by the mutation",
}
"""String fields without a marker, and why."""


def _audiences() -> dict[str, Audience]:
    audiences: dict[str, Audience] = {}
    for type_name, fields_by_audience in FIELDS.items():
        for audience, names in fields_by_audience.items():
            for name in names.split():
                assert f"{type_name}.{name}" not in audiences, f"{type_name}.{name} has two audiences"
                audiences[f"{type_name}.{name}"] = audience
    return audiences


AUDIENCES = _audiences()
"""Audience by `Type.field`."""
