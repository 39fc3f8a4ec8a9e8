"""Who makes primary metal in the region: an aluminium, a zinc and a copper smelter, none of which exists."""

from datetime import date
from typing import Final

from api.region.plants import Opening, Plant, Room, Unit

SMELTER: Final = Plant(
    key="smelter",
    name="四川云栈铝业有限公司",
    name_en="Yunzhan Aluminium (smelter)",
    division="511400",
    letters="MA7YUN01",
    roles=("producer", "generator"),
    site="云栈铝业本部",
    contact="安环部",
    phone="028-0000-1101",
    rooms=(
        Room("TS001", "铝灰渣库", ("primary-dross",), 400),
        Room("TS002", "大修渣库", ("spent-potlining",), 1500),
        Room("TS003", "炭渣库", ("carbon-residue",), 200),
        Room("TS004", "重熔铝灰渣间", ("remelt-dross", "dross-dust"), 100),
    ),
    units=(
        Unit("MF0001", "电解一系列"),
        Unit("MF0002", "电解二系列"),
        Unit("MF0101", "铸造车间合金线"),
        Unit("MF0102", "铸造车间铝锭线"),
        Unit("MF0103", "铸造车间3号重熔炉", "utilize"),
        Unit("MF0201", "铸造除尘系统"),
    ),
    opening=(
        Opening("primary-aluminium-ingot", 420, date(2024, 9, 20)),
        Opening("direct-aluminium-alloy", 900, date(2024, 10, 20)),
        Opening("primary-dross", 26.4, date(2024, 10, 24)),
    ),
    planned_t=(
        ("321-024-48", 1600, 1600),
        ("321-026-48", 60, 60),
        ("321-034-48", 90, 90),
        ("321-023-48", 1000, 1000),
        ("321-025-48", 720, 720),
    ),
)
ZINC: Final = Plant(
    key="zinc",
    name="凉山青岩锌业有限公司",
    name_en="Qingyan Zinc (zinc smelter)",
    division="513400",
    letters="MA7QYX02",
    roles=("producer", "generator", "recoverer"),
    site="青岩锌业冶炼厂",
    contact="环保科",
    phone="0834-0000-1102",
    rooms=(
        Room("TS001", "铅银渣库", ("lead-silver-residue",), 900),
        Room("TS002", "净化渣库", ("zinc-purification-residue",), 200),
        Room("TS003", "熔铸浮渣及烟尘库", ("zinc-casting-dross", "lead-zinc-dust"), 300),
        Room("TS004", "中和石膏渣场", (), 20000, "yard"),
    ),
    units=(
        Unit("MF0001", "常规浸出系统"),
        Unit("MF0002", "净液系统"),
        Unit("MF0003", "电积与熔铸车间"),
        Unit("MF0004", "沸腾焙烧炉", "utilize"),
        Unit("MF0005", "氧化锌浸出系统", "utilize"),
        Unit("MF0006", "污酸污水处理站"),
    ),
    opening=(
        Opening("zinc-leach-residue", 2600, date(2023, 6, 30)),
        Opening("primary-zinc-ingot", 500, date(2024, 10, 25)),
        Opening("neutralisation-gypsum", 1500, date(2024, 3, 31)),
    ),
    planned_t=(
        ("321-004-48", 36000, 38000),
        ("321-021-48", 3300, 3300),
        ("321-008-48", 320, 0),
        ("321-009-48", 240, 0),
        ("321-014-48", 460, 0),
        ("321-010-48", 4000, 4000),
    ),
    days_only=True,
)
COPPER: Final = Plant(
    key="copper",
    name="攀西赤霞铜业有限公司",
    name_en="Chixia Copper (copper smelter)",
    division="510400",
    letters="MA7CXT03",
    roles=("producer", "generator", "recoverer"),
    site="赤霞铜业冶炼厂",
    contact="安全环保部",
    phone="0812-0000-1103",
    rooms=(
        Room("TS001", "白烟尘库", ("copper-white-dust",), 300),
        Room("TS002", "酸泥库", ("copper-acid-sludge", "copper-arsenic-residue"), 120),
        Room("TS003", "尾矿库", (), 4_000_000, "yard"),
    ),
    units=(
        Unit("MF0001", "熔炼炉"),
        Unit("MF0002", "再生铜熔炼炉", "utilize"),
        Unit("MF0003", "渣选矿车间", "utilize"),
        Unit("MF0004", "烟气净化制酸系统"),
        Unit("MF0005", "自备矿山选矿厂"),
        Unit("MF0006", "电解车间"),
    ),
    opening=(
        Opening("copper-smelting-slag", 5200, date(2024, 10, 10)),
        Opening("primary-copper-cathode", 600, date(2024, 10, 26)),
        Opening("copper-tailings", 310_000, date(2023, 12, 31)),
        Opening("copper-white-dust", 27, date(2024, 10, 20)),
    ),
    planned_t=(("321-002-48", 1000, 500), ("321-031-48", 140, 140)),
)
