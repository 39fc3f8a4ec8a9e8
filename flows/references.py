"""What a fact names must be known: enterprises, sites, permits, methods, and periods that run forwards."""

from datetime import date

from flows.book import Book
from flows.errors import Malformed, Unknown
from flows.ids import EnterpriseId, Id, owner


def check_enterprise(enterprise: EnterpriseId, book: Book) -> None:
    if book.enterprises.get(enterprise) is None:
        raise Unknown("enterprise-unknown", enterprise=enterprise)


def check_division(division: str, book: Book) -> None:
    _ = book.catalogue.division(division)


def check_site(site_id: Id, enterprise: EnterpriseId, book: Book) -> None:
    """A site of this enterprise; another's answers like none at all."""
    if owner(site_id) != enterprise or book.sites.get(site_id) is None:
        raise Unknown("site-unknown", site=site_id)


def check_storage(storage_id: Id, enterprise: EnterpriseId, book: Book) -> None:
    """A storage area of this enterprise."""
    if owner(storage_id) != enterprise or book.storages.get(storage_id) is None:
        raise Unknown("storage-unknown", storage=storage_id)


def check_method(method: str, side: str | None, book: Book) -> None:
    """A method of the catalogue; with `side`, of that side only."""
    found = book.catalogue.method(method)
    if side is not None and found.side != side:
        raise Malformed("method-not-disposal", method=method, name=found.name_zh)


def check_period(begin: date, end: date) -> None:
    if end < begin:
        raise Malformed("period-backwards", begin=begin.isoformat(), end=end.isoformat())
