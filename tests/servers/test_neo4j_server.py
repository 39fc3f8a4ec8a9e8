"""The Neo4j of the tests is a real one, and its own to write to."""

import pytest

from tests.servers.neo4j_server import Address, check_empty, empty

pytestmark = pytest.mark.neo4j


def test_it_is_a_community_server_of_the_long_term_line(neo4j: Address) -> None:
    with neo4j.driver() as driver:
        (record,) = driver.execute_query("call dbms.components() yield name, versions, edition").records

    assert record["name"] == "Neo4j Kernel"
    assert record["edition"] in {"community", "enterprise"}
    assert int(record["versions"][0].split(".")[0]) >= 5


def test_a_database_that_holds_something_is_not_taken_for_tests(neo4j: Address) -> None:
    with neo4j.driver() as driver:
        driver.execute_query("create (:Somebody {name: 'elses'})")

    with pytest.raises(AssertionError, match="holds 1 nodes"):
        check_empty(neo4j)
    empty(neo4j)
    check_empty(neo4j)
