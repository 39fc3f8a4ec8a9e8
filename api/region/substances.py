"""What the region's materials are like: water, grades, and how well a laboratory sees them.

Source: the ranges of published plants (leach residue 22.7 % water, 17-20 % Zn, Ag 100-500 g/t; copper slag 1.5 % Cu;
salt slag about 5 % metal); white dust, sludges and total aluminium of dross are assumed. Aluminium is total
aluminium: the metallic part is not conserved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Substance:
    """Water (mean, standard deviation), grades of the dry mass (mean, spread), the laboratory's relative error."""

    water: tuple[float, float] = (0.0, 0.0)
    grades: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    assay_error: float = 0.02
    assayed: float = 0.0
    """The share of lots that go to the laboratory."""


WATER_ERROR: Final = 0.004  # sampling of moisture: 0.3 to 0.5 points
NOTHING_KNOWN: Final = Substance()
SUBSTANCES: Final[Mapping[str, Substance]] = {
    "molten-primary-aluminium": Substance(grades={"Al": (0.9975, 0.0003)}),
    "direct-aluminium-alloy": Substance(grades={"Al": (0.955, 0.004), "Si": (0.028, 0.05)}, assay_error=0.003),
    "primary-dross": Substance((0.004, 0.002), {"Al": (0.68, 0.05), "F": (0.022, 0.2)}, 0.07, 0.35),
    "remelt-dross": Substance((0.006, 0.003), {"Al": (0.60, 0.06), "Cl": (0.03, 0.3)}, 0.07, 0.30),
    "recovered-aluminium": Substance(grades={"Al": (0.965, 0.008)}, assay_error=0.01, assayed=0.4),
    "primary-secondary-dross": Substance((0.005, 0.002), {"Al": (0.47, 0.06), "F": (0.03, 0.2)}, 0.06, 0.3),
    "remelt-secondary-dross": Substance((0.005, 0.002), {"Al": (0.42, 0.06), "Cl": (0.04, 0.3)}, 0.06, 0.3),
    "primary-salt-slag": Substance((0.006, 0.003), {"Al": (0.30, 0.08), "Cl": (0.22, 0.1)}, 0.06, 0.3),
    "remelt-salt-slag": Substance((0.006, 0.003), {"Al": (0.28, 0.08), "Cl": (0.24, 0.1)}, 0.06, 0.3),
    "dross-dust": Substance((0.01, 0.004), {"Al": (0.33, 0.1), "F": (0.03, 0.3)}, 0.05, 0.2),
    "aluminate-clinker": Substance(grades={"Al": (0.24, 0.05)}, assayed=0.5),
    "alumina-material": Substance((0.22, 0.02), {"Al": (0.42, 0.04)}, assayed=0.3),
    "spent-potlining": Substance((0.01, 0.005), {"F": (0.11, 0.15), "Al": (0.15, 0.2)}, 0.05, 0.15),
    "carbon-residue": Substance((0.01, 0.004), {"F": (0.30, 0.1), "Al": (0.09, 0.15)}, 0.04, 0.3),
    "aluminium-scrap": Substance((0.01, 0.005), {"Al": (0.93, 0.02)}, 0.02, 0.05),
    "secondary-aluminium-alloy": Substance(grades={"Al": (0.875, 0.01), "Si": (0.085, 0.06)}, assay_error=0.004),
    "zinc-leach-residue": Substance((0.227, 0.012), {"Zn": (0.185, 0.05), "Pb": (0.035, 0.2), "Ag": (2.5e-4, 0.25)},
                                    0.015, 0.5),
    "lead-silver-residue": Substance((0.25, 0.02), {"Pb": (0.434, 0.04), "Ag": (0.006, 0.1), "Zn": (0.05, 0.2)},
                                     0.015, 1.0),
    "zinc-oxide": Substance((0.005, 0.002), {"Zn": (0.60, 0.03), "Pb": (0.09, 0.1)}, 0.01, 0.5),
    "waelz-slag": Substance((0.12, 0.02), {"Zn": (0.018, 0.15), "Pb": (0.006, 0.2)}, 0.03, 0.2),
    "zinc-oxide-leach-residue": Substance((0.25, 0.02), {"Pb": (0.25, 0.1), "Zn": (0.09, 0.15)}, 0.015, 0.5),
    "zinc-purification-residue": Substance((0.2, 0.02), {"Zn": (0.38, 0.1), "Cu": (0.06, 0.2)}, 0.02, 0.3),
    "copper-smelting-slag": Substance((0.0, 0.0), {"Cu": (0.015, 0.12), "Fe": (0.40, 0.03)}, 0.02, 0.5),
    "copper-slag-concentrate": Substance((0.10, 0.01), {"Cu": (0.215, 0.05)}, 0.01, 0.5),
    "copper-slag-tailings": Substance((0.12, 0.015), {"Cu": (0.0032, 0.1), "Fe": (0.41, 0.03)}, 0.03, 0.2),
    "copper-white-dust": Substance((0.02, 0.005), {"As": (0.12, 0.2), "Pb": (0.17, 0.15), "Cu": (0.06, 0.2)},
                                   0.02, 0.5),
    "copper-acid-sludge": Substance((0.5, 0.03), {"Pb": (0.30, 0.15), "As": (0.05, 0.3)}, 0.03, 0.5),
    "copper-arsenic-residue": Substance((0.5, 0.03), {"As": (0.25, 0.1)}, 0.03, 1.0),
    "copper-tailings": Substance((0.15, 0.02), {"Cu": (0.0009, 0.2)}, 0.05, 0.1),
    "recycled-copper": Substance(grades={"Cu": (0.965, 0.01)}, assay_error=0.005, assayed=0.3),
    "copper-scrap": Substance((0.005, 0.002), {"Cu": (0.94, 0.02)}, 0.01, 0.2),
    "neutralisation-gypsum": Substance((0.35, 0.03)),
    "lead-zinc-dust": Substance((0.01, 0.004), {"Zn": (0.45, 0.08), "Pb": (0.12, 0.15)}, 0.02, 0.2),
}  # fmt: skip


def substance(material: str) -> Substance:
    """What a material is like; what nobody described is dry and goes to no laboratory."""
    return SUBSTANCES.get(material, NOTHING_KNOWN)
