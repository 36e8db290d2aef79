"""Who may read which field: the one table. Who belongs to a circle of which object, `planting` says."""

from dataclasses import dataclass
from enum import StrEnum


class Refused(StrEnum):
    """How a field answers whom it is not for. The field is null in any case."""

    QUIETLY = "without an error"
    FORBIDDEN = "with FORBIDDEN, for anyone"
    AT_THE_DOOR = "with UNAUTHENTICATED who is not signed in, with FORBIDDEN who is"


@dataclass(frozen=True)
class Audience:
    """Those in this circle of the object that the field is on."""

    circle: str
    refused: Refused = Refused.QUIETLY

    def code(self, is_signed_in: bool) -> str | None:
        """Of the error for somebody else."""
        if self.refused is Refused.QUIETLY:
            return None
        at_the_door = self.refused is Refused.AT_THE_DOOR and not is_signed_in
        return "UNAUTHENTICATED" if at_the_door else "FORBIDDEN"


SEEN = Audience("seen")
"""Everyone who sees the object at all."""
SELF = Audience("person", Refused.FORBIDDEN)
"""The person and super admins."""
HOLDER = Audience("holder", Refused.FORBIDDEN)
"""Whose certificate it is, and super admins."""
STAFF = Audience("staff", Refused.FORBIDDEN)
"""The instructor of a course and super admins."""
ACCESS = Audience("access")
"""Those to whom a lecture is open."""
LOCKED_OUT = Audience("locked_out")
"""Those who see a lecture that is not open to them."""
ENROLLED = Audience("enrolled")
"""Those with an enrollment in a course, whatever its status."""
LEARNED = Audience("learned")
"""Those who have done something in a lecture, with an enrollment."""
SIGNED_IN = Audience("signed_in")
MEMBERS = Audience("signed_in", Refused.AT_THE_DOOR)
ADMINS = Audience("admins", Refused.AT_THE_DOOR)

FIELDS: dict[str, dict[Audience, str]] = {
    "Query": {
        SEEN: "node nodes category categories course courses verifyCertificate",
        SIGNED_IN: "me",
        MEMBERS: "instructorApplications",
        ADMINS: "users",
    },
    "Node": {SEEN: "id"},
    "User": {
        SEEN: "id username firstName lastName fullName role bio profileImageUrl createdAt courses",
        SELF: "email isActive isEmailVerified lastLoginAt permissions enrollments teaching certificates",
    },
    "Session": {
        SIGNED_IN: "user accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt",
    },
    "InstructorApplication": {
        SEEN: "id motivation experience status reviewNote reviewedAt reviewedBy applicant createdAt",
    },
    "Category": {
        SEEN: "id slug name description parent children ancestors courses courseCount",
    },
    "Course": {
        SEEN: """
            id slug title shortDescription description language difficulty status isFree isFeatured allowQa allowNotes
            thumbnailUrl previewVideoUrl lectureCount durationSeconds enrollmentCount publishedAt createdAt updatedAt
            version price instructor category sections sectionCount viewerCanEdit
        """,
        ENROLLED: "viewerEnrollment",
        STAFF: "publishProblems enrollments analytics",
    },
    "Enrollment": {
        SEEN: """
            id user course status source enrolledAt completedAt accessExpiresAt lastAccessedAt progress certificate
        """,
    },
    "CourseProgress": {
        SEEN: """
            id percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture lectures
            updatedAt
        """,
    },
    "LectureProgress": {
        SEEN: "id lecture isCompleted watchSeconds positionSeconds startedAt completedAt lastAccessedAt",
    },
    "InstructorDashboard": {SEEN: "id courseCount learnerCount enrollmentCount completionCount openQuestions"},
    "CourseAnalytics": {
        SEEN: """
            id asOf enrollmentCount activeCount completionCount averageProgressPercent grossRevenue refundedRevenue
            lectures
        """,
    },
    "LectureAnalytics": {SEEN: "lecture startedCount completedCount averageWatchSeconds"},
    "PublishProblem": {STAFF: "code message subject"},
    "Money": {SEEN: "amount currency"},
    "Section": {
        SEEN: "id title description position lectureCount durationSeconds course lectures",
    },
    "Lecture": {
        SEEN: """
            id title description type position durationSeconds isPreview isDownloadable section course next previous
            qaQuestions viewerNotes
        """,
        ACCESS: "content",
        LOCKED_OUT: "lock",
        LEARNED: "viewerProgress",
    },
    "LectureContent": {ACCESS: "videoUrl body resourceUrl"},
    "LectureLock": {LOCKED_OUT: "reason message"},
    "Note": {SEEN: "id lecture content positionSeconds createdAt updatedAt"},
    "QAQuestion": {
        SEEN: """
            id lecture author title content positionSeconds isAnswered isFeatured voteCount viewerHasVoted
            acceptedAnswer answerCount answers createdAt updatedAt
        """,
    },
    "QAAnswer": {
        SEEN: """
            id question author content isInstructorAnswer isAccepted voteCount viewerHasVoted parent replies createdAt
            updatedAt
        """,
    },
    "Certificate": {
        SEEN: """
            id serial title learnerName courseTitle instructorName issuedAt expiresAt revokedAt status user course
        """,
        HOLDER: "verificationCode pdfUrl",
    },
    "CertificateVerification": {
        SEEN: "status serial learnerName courseTitle instructorName issuedAt expiresAt",
    },
}

PLUMBING: dict[str, str] = {
    "Mutation": "its doors are in test_roles.py; what it hands out is below its payloads",
    "PageInfo": "cursors, which are opened and searched, and whether there is more",
    "UserError": "what is wrong with an input",
    "DonePayload": "whether it was done",
    "DeletePayload": "an id that the caller gave",
    "SessionPayload": "a session, or why not",
    "UserPayload": "a person, or why not",
    "InstructorApplicationPayload": "an application, or why not",
    "EnrollmentPayload": "an enrollment, or why not",
    "LectureProgressPayload": "progress and an enrollment, or why not",
    "CertificatePayload": "a certificate, or why not",
    "CategoryPayload": "a category, or why not",
    "CoursePayload": "a course, or why not",
    "SectionPayload": "a section, or why not",
    "LecturePayload": "a lecture, or why not",
    "NotePayload": "a note, or why not",
    "QAQuestionPayload": "a question, or why not",
    "QAAnswerPayload": "an answer, or why not",
}
"""Types whose own fields are nobody's: what is below them is held against the table all the same."""

CONNECTION = {"edges", "nodes", "pageInfo", "totalCount"}
EDGE = {"cursor", "node"}
"""A type of exactly these fields is plumbing, too; the count is held against what could be paged through."""

WITHOUT_CANARY: dict[str, str] = {
    "User.permissions": "test_roles.py",
    "User.fullName": "made of two others",
    "Course.language": "a filter",
    "Money.amount": "a number",
    "Money.currency": "a code",
    "LectureLock.message": "one of three",
    "Certificate.pdfUrl": "made of the code, whose canary it carries",
    "PublishProblem.message": "tells a title, whose canary is looked for",
    "Session.accessToken": "made when it is asked for",
    "Session.refreshToken": "made when it is asked for",
}
"""Fields of text that nobody plants."""


def _lines() -> dict[str, Audience]:
    lines: dict[str, Audience] = {}
    for kind, audiences in FIELDS.items():
        for audience, names in audiences.items():
            for name in names.split():
                assert f"{kind}.{name}" not in lines, f"{kind}.{name} has two lines"
                lines[f"{kind}.{name}"] = audience
    return lines


LINES = _lines()
"""By `Type.field`."""
