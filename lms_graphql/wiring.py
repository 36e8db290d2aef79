"""Where upper floors fill the openings that lower ones declare: all of them, in this one place."""

from lms_graphql.accounts import openings as accounts
from lms_graphql.accounts.service import letters, recovering, registering
from lms_graphql.assessment.reads.carried import kept_by_attempts, quiz_problems
from lms_graphql.assessment.reads.passed import passed_quizzes
from lms_graphql.assessment.reads.standing import standing_quizzes
from lms_graphql.assessment.service import lectures
from lms_graphql.assessment.service.removing import remove_quizzes
from lms_graphql.billing.reads.sales import held_by_pending_sales, kept_by_sales
from lms_graphql.billing.service import keeping as billing
from lms_graphql.catalog import openings as courses
from lms_graphql.catalog import policies as catalog
from lms_graphql.discussion import policies as discussion
from lms_graphql.discussion.service import notes
from lms_graphql.discussion.service.removing import remove_discussions
from lms_graphql.learning import openings as learning
from lms_graphql.learning.service import certifying, recounting
from lms_graphql.learning.service import letters as learning_letters
from lms_graphql.mail.openings import writers


def connect() -> None:
    """Once a process, before anything is asked."""
    accounts.publicly_known[:] = [catalog.taught_in_public, discussion.speaks_in_public]
    accounts.account_emptied[:] = [notes.forget_notes]
    courses.publish_checks[:] = [quiz_problems]
    courses.unpublish_obstacles[:] = [held_by_pending_sales]
    courses.delete_obstacles[:] = [kept_by_attempts, kept_by_sales]
    courses.before_deletion[:] = [remove_quizzes, remove_discussions]
    courses.lectures_removed[:] = [lectures.free_quizzes]
    courses.curriculum_changed[:] = [recounting.curriculum_changed]
    learning.roll_ups[:] = [billing.OF_REVENUE]
    learning.standing_quizzes[:] = [standing_quizzes]
    learning.passed_quizzes[:] = [passed_quizzes]
    writers[registering.VERIFY_EMAIL] = letters.verify_email
    writers[recovering.RESET_PASSWORD] = letters.reset_password
    writers[recovering.PASSWORD_CHANGED] = letters.password_changed
    writers[certifying.CERTIFICATE_ISSUED] = learning_letters.certificate_issued
