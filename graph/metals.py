"""Where the metal in a batch comes from: from outside, from ore, from a potroom, or back from where it arose."""

from typing import Final, Literal, NamedTuple, TypeAlias, assert_never

from flows.balance import Boundary, Flow
from flows.ids import EnterpriseId
from flows.materials import Catalogue, Material
from graph.contents import NOTHING, Content, Mark
from graph.counts import Interned
from graph.keeping import Found, Keeping
from graph.values import PLAIN, codec_of

FORMS: Final = frozenset({"secondary_metal", "alloy", "primary_metal"})
"""The refined and alloy forms: metal counts when it first leaves its maker as one of these, not as matte or oxide."""
PRODUCTS: Final = FORMS | {"product", "intermediate"}
MOLTEN: Final = "熔融态"

Metal: TypeAlias = Literal["neutral", "external", "primary", "tapped", "home"]


class Source(NamedTuple):
    """Where the metal of some grams comes from.

    neutral: flux, air, found mass. external: scrap and residue from outside. primary: from ore. tapped: primary,
    `whose` its origin. home: a residue that arose at enterprise `whose`; back there it is a loop and no supply.
    """

    metal: Metal
    whose: int = NOTHING


_SOURCES: Final = codec_of(list[Source])
NEUTRAL: Final = 0
EXTERNAL: Final = 1
PRIMARY: Final = 2


class Metals:
    """The sources of metal as small integers, and which one a material is taken to come from."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._enterprises = Interned[EnterpriseId]()
        self._sources = Interned[Source]()
        for metal in ("neutral", "external", "primary"):
            _ = self._sources.index(Source(metal))

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it."""
        keeping.plain("columns.metals.enterprises", self._enterprises.keys, PLAIN)
        keeping.plain("columns.metals.sources", self._sources.keys, _SOURCES)

    @classmethod
    def found(cls, catalogue: Catalogue, found: Found) -> "Metals":
        """The sources that were kept."""
        own = cls(catalogue)
        own._enterprises = Interned(found.plain("columns.metals.enterprises", PLAIN))
        own._sources = Interned(found.plain("columns.metals.sources", _SOURCES))
        return own

    def __getitem__(self, number: int) -> Source:
        return self._sources.keys[number]

    def tapped(self, origin: int) -> int:
        """Metal of a potroom, by its origin."""
        return self._sources.index(Source("tapped", origin))

    def enterprise(self, enterprise: EnterpriseId) -> int:
        """The number of an enterprise, as `Source.whose` has it."""
        return self._enterprises.index(enterprise)

    def bought(self, material: Material) -> int:
        """The source of a material that came from nobody on the platform."""
        match material.group:
            case "scrap" | "residue" | "secondary_metal":
                return EXTERNAL
            case "primary_metal" | "alloy" | "intermediate":
                return PRIMARY
            case "product" | "additive":
                return NEUTRAL
            case _:
                assert_never(material.group)

    def home(self, enterprise: EnterpriseId) -> int:
        """A residue that arose at an enterprise."""
        return self._sources.index(Source("home", self._enterprises.index(enterprise)))

    def added(self, source: Flow) -> Content:
        """The content of what enters a movement from outside."""
        if source.boundary is not Boundary.ADDITION:
            return Content(metal=NEUTRAL)
        material = self._catalogue.material(source.detail)
        bought = Mark.SUPPLIED if material.group in FORMS else 0
        return Content(metal=self.bought(material), marks=bought)


def is_liquid_aluminium(material: Material) -> bool:
    """Is it what a potroom taps?"""
    return material.group == "primary_metal" and material.metal == "al" and material.form == MOLTEN
