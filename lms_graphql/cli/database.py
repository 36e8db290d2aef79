"""`lms-graphql db …`: the commands for the database."""

import sys
from collections.abc import Iterable, Mapping

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.accounts import search_index
from lms_graphql.analytics.services import refresh
from lms_graphql.assessment.services import results_repair
from lms_graphql.billing.services import ledger_repair
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course
from lms_graphql.core.database import Database
from lms_graphql.demo.builder import DemoCounts, build_demo
from lms_graphql.demo.invitations import add_invitations
from lms_graphql.discussion import counters as discussion_counters
from lms_graphql.learning.services import progress_repair
from lms_graphql.operations import (
    database_check,
    database_reset,
    migration_plan,
    migrations,
    schema_verification,
    seed_data,
    stored_times,
)
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.operations.database_check import CheckResult
from lms_graphql.operations.setup_lock import setup_lock
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings, load_settings


@click.group()
def db() -> None:
    """Manage the database."""


@db.command()
def check() -> None:
    """Check connection, migrations, derived columns and mail. Exit with 1 if something is wrong."""
    settings = load_settings()
    with open_database(settings, may_create=False) as database:
        print_results(database.read_sync(lambda session: database_check.check_database(session, settings)))


@db.command()
@click.option("--plan", is_flag=True, help="Only print the migrations, and the tables whose writes they block.")
def migrate(plan: bool) -> None:
    """Migrate to the newest migration. Creates the tables in an empty database."""
    with open_database(load_settings(), may_create=not plan) as database:
        if plan:
            with database.engine.connect() as connection:
                click.echo("\n".join(migration_plan.plan_lines(connection)))
        else:
            _migrate(database)


@db.command()
@click.option("--new-seed-password", is_flag=True, help="Give the seed users a new password, and end their sessions.")
def init(new_seed_password: bool) -> None:
    """Migrate, then add missing seed data: five categories and three users."""
    settings = load_settings()
    with open_database(settings) as database:
        _migrate(database)
        _seed(database, settings.seed_password, new_seed_password)


@db.command()
@click.option("--courses", type=click.IntRange(1, 100_000), default=30, show_default=True)
@click.option("--learners", type=click.IntRange(0, 1_000_000), default=40, show_default=True)
@click.option("--enrollments", type=click.IntRange(0, 10_000_000), default=0, help="More, without any progress.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same data.")
@click.option("--if-empty", is_flag=True, help="Do nothing if the database has courses.")
def demo(courses: int, learners: int, enrollments: int, seed: int, if_empty: bool) -> None:
    """Add demo data: a catalog that looks real, with learners and their progress."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings, may_create=False) as database:
        sizes = {"courses": courses, "learners": learners, "enrollments": enrollments}
        counts = _demo(database, settings, sizes, seed, if_empty)
    if counts is None:
        click.echo("demo data: not added, because the database has courses already")
    else:
        click.echo(", ".join(f"{number:,} {label}" for label, number in counts._asdict().items()))


def _demo(
    database: Database, settings: Settings, sizes: Mapping[str, int], seed: int, if_empty: bool
) -> DemoCounts | None:
    """Add the demo data. Return None without a change if `if_empty` is set and there are courses."""
    with setup_lock(database.engine), _progress() as bar:
        tasks: dict[str, TaskID] = {}

        def show_progress(task: str, completed: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total)
            bar.update(tasks[task], completed=completed, total=total)

        def build(session: Session) -> DemoCounts | None:
            session.info[SESSION_SETTINGS_KEY] = settings
            if if_empty and session.scalar(select(Course.id).limit(1)) is not None:
                return None
            return build_demo(session, **sizes, seed=seed, on_progress=show_progress)

        counts = database.write_sync(build)
        if counts is not None:
            add_invitations(database, settings)
            refresh.refresh_analytics(database)
        return counts


@db.command("create-migration")
@click.option("-m", "--message", required=True, help="What the migration does, in a few words.")
def create_migration(message: str) -> None:
    """Write a new migration with the difference between the models and the database."""
    with open_database(load_settings(), may_create=False) as database:
        migrations.create(database.engine, message)


@db.command()
def verify() -> None:
    """Compare tables, relationships, enums and properties with the database. Exit with 1 if one fails."""
    with open_database(load_settings(), may_create=False) as database:
        print_results(database.read_sync(lambda session: list(schema_verification.verify_schema(session))))


@db.command()
def repair() -> None:
    """Recompute the derived columns, replace stored times in the future, and print the changes."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings, may_create=False) as database:
        changes = database.write_sync(_repair)
        if drift := database.read_sync(refresh.find_analytics_drift):
            refresh.refresh_analytics(database, all_courses=True)
            changes += [f"{line}, repaired" for line in drift]
        for line in changes or ["Nothing to repair."]:
            click.echo(line)


def _repair(session: Session) -> list[str]:
    wiring.register_hooks()  # upper packages add what a course requires
    return [
        *search_index.repair_terms(session),
        *stored_times.repair_future_times(session),
        *counters.repair_counters(session),
        *discussion_counters.repair_counters(session),
        *progress_repair.repair_progress(session),
        *results_repair.repair_results(session),
        *ledger_repair.repair_ledger(session),
    ]


@db.command()
@click.option("--yes-delete", metavar="NAME", help="The database's name, so that it need not be typed.")
def reset(yes_delete: str | None) -> None:
    """Drop all tables, migrate and seed. Never runs in production."""
    settings = load_settings()
    database_reset.require_development(settings)
    with open_database(settings) as database:
        name = database_reset.database_name(settings.url)
        click.echo(f"This drops from {settings.url.render_as_string()}:")
        for table, rows in database_reset.table_sizes(database.engine):
            click.echo(f"  {table} ({rows} rows)")
        prompt = f"Type {name} to drop these tables"
        typed = yes_delete if yes_delete is not None else click.prompt(prompt, default="")
        database_reset.require_confirmation(settings, typed)
        database_reset.drop_all_tables(database)
        _migrate(database)
        _seed(database, settings.seed_password)


def _migrate(database: Database) -> None:
    before, after = migrations.migrate(database.engine)
    click.echo(f"migrations: already at {after}" if before == after else f"migrations: now at {after}")


def _seed(database: Database, password: str | None, renew_passwords: bool = False) -> None:
    def add(session: Session) -> seed_data.SeedResult:
        result = seed_data.seed(session, password)
        return seed_data.renew_passwords(session, result, password) if renew_passwords else result

    with setup_lock(database.engine):
        result = database.write_sync(add)
    if not result.categories and not result.users:
        click.echo("seed data: complete (new password for its users: `lms-graphql db init --new-seed-password`)")
    if result.categories:
        click.echo(f"categories: {', '.join(result.categories)}")
    if result.users:
        password_text = "the value of LMS_SEED_PASSWORD" if password else f"{result.password} (shown only once)"
        click.echo(f"users: {', '.join(result.users)}")
        click.echo(f"password of these users: {password_text}")


def print_results(results: Iterable[CheckResult]) -> None:
    """Print a line for each result. Exit with 1 if one of them failed."""
    printed = list(results)
    for result in printed:
        click.echo(f"{'ok  ' if result.ok else 'FAIL'} {result.text}")
    if not all(result.ok for result in printed):
        sys.exit(1)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
