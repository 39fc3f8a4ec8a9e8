"""What truly lies in a yard: a lot with the mass that nobody stated, beside the mass that its enterprise did."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flows.ids import BatchId


@dataclass(slots=True)
class Lot:
    """A batch as it truly is. `book_g` is what the ledger has left of it, `true_g` what would be on a perfect scale."""

    batch_id: BatchId
    material: str
    book_g: int
    true_g: int
    water: float = 0.0
    """Share of the wet mass."""
    grades: Mapping[str, float] = field(default_factory=dict[str, float])
    """Shares of the dry mass."""
    stored: bool = False
    drawn: bool = False
    """Some of it was used: the rest has to be weighed anew."""
    paper: bool = False
    """It moves on paper only: nobody weighs it, everybody states what the last one stated."""

    @property
    def dry_g(self) -> float:
        return self.true_g * (1 - self.water)


class Yard:
    """What an enterprise holds, by material, the oldest first."""

    def __init__(self) -> None:
        self._lots: defaultdict[str, deque[Lot]] = defaultdict(deque)

    def put(self, lot: Lot) -> None:
        self._lots[lot.material].append(lot)

    def lots(self, *materials: str) -> Iterator[Lot]:
        """The lots of these materials, the oldest of the first material first."""
        for material in materials:
            yield from list(self._lots[material])

    def mass_g(self, *materials: str) -> int:
        return sum(max(lot.true_g, 0) for lot in self.lots(*materials))

    def remove(self, lot: Lot) -> None:
        self._lots[lot.material].remove(lot)
