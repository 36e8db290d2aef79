"""The objects that are planted, a file for each domain."""

from lms_graphql.core.database import Database
from tests.given import Given
from tests.oracle.planting import catalog, certificates, discussion, learning, people
from tests.oracle.world import World


def planted(database: Database) -> World:
    world = World(Given(database))
    people.plant_people(world)
    catalog.plant_catalog(world)
    certificates.plant_certificates(world)
    people.plant_applications(world)
    learning.plant_learning(world)
    discussion.plant_notes(world)
    discussion.plant_questions(world)
    people.plant_deleted(world, database)
    return world
