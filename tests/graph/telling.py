"""Short words for facts, so that a test can tell a story in a line each."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from flows.events import (
    Addition,
    Arrived,
    ArrivedLine,
    Assayed,
    Decided,
    DecidedLine,
    Delivered,
    Disposed,
    Generated,
    Leg,
    Loaded,
    LoadedLine,
    Loss,
    ManifestLine,
    Part,
    Portion,
    Product,
    Submitted,
    Transformed,
    Use,
)
from flows.ports import Follower
from tests.graph.histories import ENTERPRISES, FIRST_DAY, SITES, settled


class Teller:
    """Tells facts to a settled world. Names are local: ``"A"`` of enterprise 0 is the batch ``<its id>.A``."""

    def __init__(self, *followers: Follower) -> None:
        self.world = settled(followers)
        self.day = 0

    def id(self, name: str, owner: int = 0) -> str:
        return f"{ENTERPRISES[owner]}.{name}"

    def on(self, owner: int) -> dict[str, object]:
        day: date = FIRST_DAY + timedelta(days=self.day)
        return {"event_id": self.world.name(), "enterprise": ENTERPRISES[owner], "event_time": day}

    def generated(self, name: str, mass_g: int, *, material: str = "copper-tailings", owner: int = 0) -> str:
        product = Product(batch_id=self.id(name, owner), material=material, mass_g=mass_g)
        self.world.tell(Generated(**self.on(owner), site_id=SITES[owner], product=product))
        return product.batch_id

    def assayed(self, batch_id: str, moisture_ppm: int, owner: int = 0) -> None:
        self.world.tell(Assayed(**self.on(owner), batch_id=batch_id, moisture_ppm=moisture_ppm))

    def made(
        self,
        outputs: Mapping[str, int],
        inputs: Mapping[str, int],
        *,
        rest: bool = False,
        additions: Mapping[str, int] | None = None,
        losses: Mapping[str, int] | None = None,
        material: str = "copper-tailings",
        process: str = "remelt",
        owner: int = 0,
    ) -> list[str]:
        """Outputs by name, inputs by id, in grams; `rest` closes every input."""
        products = [
            Product(batch_id=self.id(name, owner), material=material, mass_g=mass_g) for name, mass_g in outputs.items()
        ]
        self.world.tell(
            Transformed(
                **self.on(owner),
                site_id=SITES[owner],
                process=process,
                inputs=self.portions(inputs, rest=rest),
                additions=tuple(Addition(material=name, mass_g=m) for name, m in (additions or {}).items()),
                outputs=tuple(products),
                losses=tuple(Loss(kind=name, mass_g=m) for name, m in (losses or {}).items()),
                gap_reason="not weighed",
            )
        )
        return [product.batch_id for product in products]

    @staticmethod
    def portions(inputs: Mapping[str, int], *, rest: bool = False) -> tuple[Portion, ...]:
        return tuple(Portion(batch_id=batch_id, mass_g=m, rest=rest) for batch_id, m in inputs.items())

    def disposed(self, inputs: Mapping[str, int], method: str = "D1", *, rest: bool = False, owner: int = 0) -> None:
        portions = self.portions(inputs, rest=rest)
        self.world.tell(Disposed(**self.on(owner), site_id=SITES[owner], portions=portions, method=method))

    def delivered(self, inputs: Mapping[str, int], use: Use = "product", owner: int = 0) -> None:
        portions = self.portions(inputs)
        self.world.tell(Delivered(**self.on(owner), site_id=SITES[owner], portions=portions, use=use))

    def loaded(self, name: str, inputs: Mapping[str, int], to: int, owner: int = 0) -> list[str]:
        """A manifest of that name is submitted and loaded; returns the loads."""
        manifest_id = self.id(name, owner)
        lines = [ManifestLine(line=n, batch_id=b, mass_g=m) for n, (b, m) in enumerate(inputs.items(), 1)]
        self.world.tell(
            Submitted(
                **self.on(owner),
                manifest_id=manifest_id,
                internal_no=name,
                consignor_site=SITES[owner],
                consignee=ENTERPRISES[to],
                consignee_site=SITES[to],
                lines=tuple(lines),
                legs=(Leg(),),
                method="R4",
            )
        )
        loads = [
            LoadedLine(
                line=line.line,
                portion=Portion(batch_id=line.batch_id, mass_g=line.mass_g),
                load_id=f"{manifest_id}-{line.line}",
            )
            for line in lines
        ]
        self.world.tell(Loaded(**self.on(owner), manifest_id=manifest_id, lines=tuple(loads)))
        return [load.load_id for load in loads]

    def received(
        self, name: str, accepted_g: Sequence[int], rejected_g: Sequence[int], to: int, owner: int = 0
    ) -> None:
        """Each line arrives with both masses and is decided so; the parts are called ``<name>-<line>-A`` and ``-R``."""
        manifest_id = self.id(name, owner)
        parts = list(enumerate(zip(accepted_g, rejected_g, strict=True), 1))
        arrived = tuple(ArrivedLine(line=n, mass_g=a + r) for n, (a, r) in parts)
        self.world.tell(Arrived(**self.on(to), manifest_id=manifest_id, lines=arrived))
        lines = tuple(
            DecidedLine(
                line=n,
                load_id=f"{manifest_id}-{n}",
                accepted=Part(batch_id=self.id(f"{name}-{n}-A", to), mass_g=a) if a else None,
                rejected=Part(batch_id=self.id(f"{name}-{n}-R", to), mass_g=r) if r else None,
                reason="wet",
            )
            for n, (a, r) in parts
        )
        self.world.tell(Decided(**self.on(to), manifest_id=manifest_id, lines=lines))

    def sent(self, name: str, inputs: Mapping[str, int], to: int, owner: int = 0) -> list[str]:
        """Loaded, arrived and accepted whole; returns what was received."""
        self.loaded(name, inputs, to, owner)
        self.received(name, list(inputs.values()), [0] * len(inputs), to, owner)
        return [self.id(f"{name}-{n}-A", to) for n in range(1, len(inputs) + 1)]
