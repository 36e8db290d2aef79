"""`lms-graphql db …`: what is done to the database from outside."""

import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql import settings, wiring
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course
from lms_graphql.core.database import Database
from lms_graphql.demo.builder import DemoCounts, build_demo
from lms_graphql.discussion import counters as discussion
from lms_graphql.learning.services import progress_repair
from lms_graphql.operations import database_check, database_reset, migrations, schema_verification, seed_data
from lms_graphql.operations.advisory_lock import advisory_lock
from lms_graphql.operations.database_access import open_database
from lms_graphql.operations.database_check import CheckResult


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
def check() -> None:
    """Connection, server, migrations, derived figures and mail; exit 1 where something is wrong."""
    read = settings.load_settings()
    with open_database(read, may_create=False) as database:
        print_results(database.read_sync(lambda session: database_check.check_database(session, read)))


@db.command()
def migrate() -> None:
    """Bring the tables to the newest state."""
    with open_database(settings.load_settings()) as database:
        _migrate(database)


@db.command()
def init() -> None:
    """Migrate, and add the seed data that is not there yet."""
    read = settings.load_settings()
    with open_database(read) as database:
        _migrate(database)
        _seed(database, read.seed_password)


@db.command()
@click.option("--courses", type=click.IntRange(1, 100_000), default=30, show_default=True)
@click.option("--learners", type=click.IntRange(0, 1_000_000), default=40, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same number makes the same data.")
@click.option("--if-empty", is_flag=True, help="Do nothing where there are courses already.")
def demo(courses: int, learners: int, seed: int, if_empty: bool) -> None:
    """Add a catalog that looks real, with learners and their progress."""
    with open_database(settings.load_settings(), may_create=False) as database:
        made = _demo(database, courses, learners, seed, if_empty)
    if made is None:
        click.echo("demo data: there are courses already")
    else:
        click.echo(", ".join(f"{number:,} {what}" for what, number in made._asdict().items()))


def _demo(database: Database, courses: int, learners: int, seed: int, if_empty: bool) -> DemoCounts | None:
    """None where there are courses already and it was asked for an empty database only."""
    with advisory_lock(database.engine), _progress() as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        def build(session: Session) -> DemoCounts | None:
            if if_empty and session.scalar(select(Course.id).limit(1)) is not None:
                return None
            return build_demo(session, courses=courses, learners=learners, seed=seed, on_progress=told)

        made = database.write_sync(build)
        if made is not None:
            refresh.refresh_analytics(database)
        return made


@db.command("create-migration")
@click.option("-m", "--message", required=True, help="What it does, in a few words.")
def create_migration(message: str) -> None:
    """Write a new migration from what the models say and the database lacks."""
    with open_database(settings.load_settings(), may_create=False) as database:
        migrations.create(database.engine, message)


@db.command()
def verify() -> None:
    """Every table, relationship, enum and model property against the live database; exit 1 where one fails."""
    with open_database(settings.load_settings(), may_create=False) as database:
        print_results(database.read_sync(lambda session: list(schema_verification.verify_schema(session))))


@db.command()
def repair() -> None:
    """Work out the derived figures anew, and tell what was changed."""
    with open_database(settings.load_settings(), may_create=False) as database:
        mended = database.write_sync(_repair)
        if wrong := database.read_sync(refresh.find_analytics_drift):
            refresh.refresh_analytics(database, everything=True)
            mended += [f"{line}, counted anew" for line in wrong]
        for line in mended or ["Nothing to mend."]:
            click.echo(line)


def _repair(session: Session) -> list[str]:
    wiring.register_hooks()  # what a course requires is told from above
    return [
        *counters.repair_counters(session),
        *discussion.repair_counters(session),
        *progress_repair.repair_progress(session),
    ]


@db.command()
@click.option("--yes-delete", metavar="NAME", help="The database's name, instead of typing it.")
def reset(yes_delete: str | None) -> None:
    """Drop all tables, migrate, seed. Never in production."""
    read = settings.load_settings()
    database_reset.refuse_in_production(read)
    with open_database(read) as database:
        name = database_reset.name_of(read.url)
        click.echo(f"This drops from {read.url.render_as_string()}:")
        for table, rows in database_reset.contents(database.engine):
            click.echo(f"  {table} ({rows} rows)")
        typed = yes_delete if yes_delete is not None else click.prompt(f"Type {name} to drop them all", default="")
        database_reset.refuse_unless_named(read, typed)
        database_reset.drop_all(database)
        _migrate(database)
        _seed(database, read.seed_password)


def _migrate(database: Database) -> None:
    before, after = migrations.migrate(database.engine)
    click.echo(f"migrations: already at {after}" if before == after else f"migrations: now at {after}")


def _seed(database: Database, password: str | None) -> None:
    with advisory_lock(database.engine):
        seeded = database.write_sync(lambda session: seed_data.seed(session, password))
    if not seeded.categories and not seeded.users:
        click.echo("seed data: all there")
    if seeded.categories:
        click.echo(f"categories: {', '.join(seeded.categories)}")
    if seeded.users:
        shown = "the one in LMS_SEED_PASSWORD" if password else seeded.password
        click.echo(f"users: {', '.join(seeded.users)}")
        click.echo(f"their password: {shown}" + ("" if password else " (shown this once)"))


def print_results(lines: Iterable[CheckResult]) -> None:
    """A line each; exit 1 where one is not well."""
    told = list(lines)
    for line in told:
        click.echo(f"{'ok  ' if line.ok else 'FAIL'} {line.text}")
    if not all(line.ok for line in told):
        sys.exit(1)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
