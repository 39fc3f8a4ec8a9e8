"""Which store an installation stands on: the SQLite file in its folder, or the Neo4j that its settings name."""

from api.settings import Settings
from flows.materials import Catalogue
from flows.ports import Desk, Ledger
from graph.neo4j_desk import Neo4jDesk
from graph.neo4j_graph import Neo4jGraph
from graph.neo4j_ledger import Neo4jLedger
from graph.neo4j_store import Neo4jAddress, Neo4jStore
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore


def open_stores(settings: Settings) -> tuple[Ledger, Desk]:
    """Ledger and desk, in one store.

    Raises:
        StoreProblem: the store cannot be opened; the words say what to do.
    """
    if settings.embedded:
        file = SqliteStore(settings.file)
        return SqliteLedger(file), SqliteDesk(file)
    database = Neo4jStore(neo4j_address(settings))
    return Neo4jLedger(database), Neo4jDesk(database)


def open_graph(settings: Settings, tables: Catalogue) -> Neo4jGraph | None:
    """The graph that stands with the ledger; an embedded ledger has none.

    Raises:
        StoreProblem: somebody else's nodes bear its labels, or another version drew it.
    """
    return None if settings.embedded else Neo4jGraph(neo4j_address(settings), tables)


def neo4j_address(settings: Settings, uri: str = "") -> Neo4jAddress:
    """Where the ledger's Neo4j answers, or another one, and as whom it is asked."""
    password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
    return Neo4jAddress(uri or settings.ledger, settings.neo4j_user, password, settings.neo4j_database)
