"""按登记时间、按发生时间: the state of knowledge that a page shows, said in a banner, and kept by every link on it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from api.service import Service
from flows.errors import Malformed
from flows.times import moment_of, parse_time, shown
from graph.lineage import Horizon

AS_OF, AT = "as_of", "at"
_OWN: Final = frozenset({AS_OF, AT, "lang", "before"})
"""What the control asks itself, and what would not fit another date."""
READ: Final = re.compile(r"/(?:$|\?|(?:batches|manifests|enterprises|search)(?:[/?].*)?$)")
"""The pages that are readings: what they show depends on when it is asked of."""
_LINKS: Final = re.compile(r'(?<!data-now )\b(href|src)="(/[^"]*|\?[^"]*)"')
_FORMS: Final = re.compile(r'(<form\b(?![^>]*\bdata-when\b)[^>]*\bmethod="get"[^>]*>)(.*?</form>)', re.DOTALL)


@dataclass(frozen=True)
class When:
    """What was asked for, as it was written, and the entry that it means."""

    asked: Mapping[str, str]
    position: int
    recorded_us: int
    others: tuple[tuple[str, str], ...]
    path: str

    @classmethod
    def of(cls, request: Request, service: Service, horizon: Horizon) -> "When":
        """What the address of a page asks."""
        query = request.query_params
        given = {AS_OF: horizon.as_of is not None, AT: horizon.at_us is not None}
        asked = {name: query.get(name, "").strip() for name, known in given.items() if known}
        others = tuple((name, told) for name, told in query.multi_items() if name not in _OWN and told)
        head = service.head
        return cls(asked, head.position, head.record_time_us, others, request.url.path)

    @property
    def offered(self) -> bool:
        """Does the page show something that depends on it?"""
        return READ.fullmatch(self.path) is not None

    @property
    def as_of(self) -> str:
        """The position, day or instant of record that was asked for; empty for now."""
        return self.asked.get(AS_OF, "")

    @property
    def at(self) -> str:
        """The day or instant by which it had happened; empty for all."""
        return self.asked.get(AT, "")

    @property
    def told(self) -> str:
        """When it was known, for people: what they wrote, or of a position the time of its entry."""
        return _shown(self.as_of) or shown(moment_of(self.recorded_us))

    @property
    def happened(self) -> str:
        """By when it had happened, for people."""
        return _shown(self.at) or self.at

    @property
    def now_url(self) -> str:
        """The same page as it is now."""
        return self.path + (f"?{urlencode(self.others)}" if self.others else "")

    def keep(self, html: str) -> str:
        """The page with its links and filters leading to the same state."""
        if not self.asked:
            return html
        return _FORMS.sub(self._filled, _LINKS.sub(self._kept, html))

    def _filled(self, found: re.Match[str]) -> str:
        """A filter that hands on what it does not ask itself."""
        own = {name: told for name, told in self.asked.items() if f'name="{name}"' not in found[2]}
        return found[1] + "".join(_hidden(own)) + found[2]

    def _kept(self, found: re.Match[str]) -> str:
        url = found[2]
        if not url.startswith("?") and READ.match(url) is None:
            return found[0]
        plain, mark, anchor = url.partition("#")
        told = {name: value for name, value in self.asked.items() if f"{name}=" not in plain}
        if told:
            plain += ("&amp;" if "?" in plain else "?") + escape(urlencode(told))
        return f'{found[1]}="{plain}{mark}{anchor}"'


def _hidden(asked: Mapping[str, str]) -> Iterator[str]:
    for name, told in asked.items():
        yield f'<input type="hidden" name="{name}" value="{escape(told)}">'


def _shown(text: str) -> str:
    try:
        return shown(parse_time(text))
    except Malformed:
        return ""
