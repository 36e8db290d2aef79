"""Where upper floors fill the openings that lower ones declare: all of them, in this one place."""

from lms_graphql.accounts import hooks as accounts
from lms_graphql.accounts.services import credentials, email_templates, registration
from lms_graphql.assessment.reads.lecture_quizzes import attempt_blocker, course_level_quizzes, quiz_problems
from lms_graphql.assessment.reads.passed_quizzes import passed_quizzes
from lms_graphql.assessment.services import lectures
from lms_graphql.assessment.services.deletion import delete_quizzes
from lms_graphql.billing.reads.sale_blockers import pending_sale_blocker, sale_blocker
from lms_graphql.catalog import hooks as courses
from lms_graphql.catalog import policies as catalog
from lms_graphql.certificates.services import certificates
from lms_graphql.certificates.services import email_templates as learning_letters
from lms_graphql.discussion import policies as discussion
from lms_graphql.discussion.services import notes
from lms_graphql.discussion.services.deletion import delete_discussions
from lms_graphql.learning import hooks as learning
from lms_graphql.learning.services import progress_recount
from lms_graphql.mail.templates import TEMPLATES


def register_hooks() -> None:
    """Once a process, before anything is asked."""
    accounts.public_user_filters.register(catalog.is_public_instructor, discussion.is_public_author)
    accounts.account_erased.register(notes.delete_notes_of_user)
    courses.publish_checks.register(quiz_problems)
    courses.unpublish_blockers.register(pending_sale_blocker)
    courses.delete_blockers.register(attempt_blocker, sale_blocker)
    courses.before_deletion.register(delete_quizzes, delete_discussions)
    courses.lectures_removed.register(lectures.detach_quizzes)
    courses.curriculum_changed.register(progress_recount.curriculum_changed)
    learning.course_level_quizzes.register(course_level_quizzes)
    learning.passed_quizzes.register(passed_quizzes)
    TEMPLATES[registration.VERIFY_EMAIL_MAIL] = email_templates.verify_email_template
    TEMPLATES[credentials.RESET_PASSWORD] = email_templates.reset_password_template
    TEMPLATES[credentials.PASSWORD_CHANGED] = email_templates.password_changed_template
    TEMPLATES[certificates.CERTIFICATE_ISSUED] = learning_letters.certificate_issued_template
