"""Imports all model modules, so that `metadata` has all tables: for Alembic, `db verify` and the tests."""

from lms_graphql.accounts import models as accounts
from lms_graphql.analytics import models as analytics
from lms_graphql.assessment import models as assessment
from lms_graphql.billing import ledger_models as ledger
from lms_graphql.billing import models as billing
from lms_graphql.catalog import former_instructors
from lms_graphql.catalog import models as catalog
from lms_graphql.certificates import models as certificates
from lms_graphql.core import idempotency, named_locks
from lms_graphql.core.orm import Model
from lms_graphql.discussion import models as discussion
from lms_graphql.learning import invitation_models as invitations
from lms_graphql.learning import models as learning
from lms_graphql.mail import models as mail
from lms_graphql.stored_documents import models as stored_documents

MODEL_MODULES = (
    named_locks,
    idempotency,
    mail,
    stored_documents,
    accounts,
    catalog,
    former_instructors,
    certificates,
    learning,
    invitations,
    assessment,
    discussion,
    billing,
    ledger,
    analytics,
)

metadata = Model.metadata
