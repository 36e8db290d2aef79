"""A rolling upgrade with a migration, under load: no request fails."""

from functools import partial

from tests.cluster.galera import wait_until
from tests.cluster.load import load_on
from tests.cluster.test_faults import assert_each_effect_once
from tests.cluster.topology import Topology
from tests.factories import Factories
from tests.live_service import plain_http
from tests.processes import Cluster

REQUESTS = 50
NEWER = "UPDATE alembic_version SET version_num = '9999'"


def is_ready(url: str) -> bool:
    with plain_http(url) as client:
        return client.get("/health/ready").status_code == 200


def test_rolling_upgrade_fails_no_request(topology: Topology, balanced: Cluster, make: Factories) -> None:
    """The column that the next version would add, then its migration as recorded, then a restart of each process."""
    engine = balanced.database.engine
    with engine.connect() as connection:
        recorded = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    with load_on(balanced, make) as load:
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE notes ADD COLUMN upgrade_test INTEGER NULL")
                connection.exec_driver_sql(NEWER)
            load.wait_for_requests(REQUESTS)
            for url in balanced.urls:
                wait_until(partial(is_ready, url))
        finally:
            with engine.begin() as connection:
                connection.exec_driver_sql(NEWER.replace("9999", recorded))
                connection.exec_driver_sql("ALTER TABLE notes DROP COLUMN upgrade_test")
        for number, process in enumerate(list(balanced.processes)):
            load.urls.remove(process.url)
            load.wait_for_requests(REQUESTS)  # those that were sent before have ended
            process.stop()
            balanced.restart(number)
            load.urls.append(balanced.processes[number].url)
        load.wait_for_requests(REQUESTS)
    assert load.failures == {}
    assert_each_effect_once(topology, load)
