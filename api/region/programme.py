"""The region's two years as a table: every source, process, route and ending with its masses and its rhythm.

Source: `docs/demo-region.md` says which published figure each mass follows, and where it departs from it.
"""

from datetime import date
from typing import Final

from api.region.processes import Charge, Count, Dose, Ending, Recipe, Rhythm, Route, Shed, Source, Yield

DEALERS: Final = (
    ("成都市区社会回收点", "510100"),
    ("德阳废旧物资经营户", "510600"),
    ("乐山汽车拆解场", "511100"),
    ("重庆回收商", "500100"),
)
FACTORIES: Final = (("成都铝型材加工厂", "510100"), ("德阳压铸厂", "510600"), ("绵阳零部件厂", "510700"))
BUYERS: Final = (("成都铝加工客户", "510100"), ("重庆轮毂客户", "500100"), ("德阳铸造客户", "510600"))
METAL_BUYERS: Final = (("四川铜铝贸易客户", "510100"), ("云南镀锌客户", "530100"), ("重庆电缆客户", "500100"))
BUILDERS: Final = (("攀枝花水泥粉磨站", "510400"), ("凉山路基工程", "513400"))
LEAD_SMELTER: Final = (("曲靖天沅铅业（平台外）", "530300"),)

SHREDDER_CHEATS: Final = date(2025, 9, 1)
"""From here on the shredder books as building aggregate what it lets be buried."""
SALTS: Final = ("primary-salt-slag", "remelt-salt-slag")
LEFTOVERS: Final = ("primary-secondary-dross", "remelt-secondary-dross")
SCRAP: Final = ("aluminium-scrap", "recovered-aluminium-scrap", "recycled-wrought-aluminium")
WEEKLY: Final = 7
FORTNIGHTLY: Final = 14
MONTHLY: Final = 28

SOURCES: Final = (
    # aluminium: 107 kt a year tapped, 92 % of it alloyed as it is
    Source("smelter", "tapped", "molten-primary-aluminium", 1900, Rhythm(WEEKLY, 2), 0.02, unit="MF0001"),
    Source("smelter", "tapped", "molten-primary-aluminium", 660, Rhythm(MONTHLY, 4), 0.03, unit="MF0002"),
    Source("smelter", "generated", "spent-potlining", 55, Rhythm(10, 0, date(2025, 3, 10), date(2025, 6, 10)), 0.06,
           unit="MF0001"),
    Source("smelter", "generated", "spent-potlining", 55, Rhythm(10, 0, date(2026, 5, 4), date(2026, 7, 10)), 0.06,
           unit="MF0002"),
    Source("smelter", "generated", "carbon-residue", 42, Rhythm(MONTHLY, 12), 0.08, lots=2, unit="MF0001"),
    Source("smelter", "generated", "dross-dust", 15, Rhythm(84, 20), 0.1, unit="MF0201", weighing="floor"),
    Source("smelter", "generated", "spent-refractory", 60, Rhythm(91, 40), 0.2, unit="MF0101"),
    Source("works", "old", "aluminium-scrap", 820, Rhythm(FORTNIGHTLY, 1), 0.08, suppliers=DEALERS),
    Source("works", "new", "aluminium-scrap", 520, Rhythm(MONTHLY, 8), 0.08, suppliers=FACTORIES,
           meets="GB/T 40382-2021 再生变形铝合金原料"),
    Source("works", "generated", "dross-dust", 19.2, Rhythm(56, 25), 0.1, unit="MF0002", weighing="floor"),
    Source("dross", "generated", "contaminated-packaging", 2.4, Rhythm(91, 60), 0.2, unit="MF0004", weighing="floor"),
    Source("collector", "old", "aluminium-scrap", 448, Rhythm(MONTHLY, 2), 0.1, suppliers=DEALERS),
    Source("collector", "old", "copper-cable-scrap", 236, Rhythm(MONTHLY, 5), 0.12, suppliers=DEALERS),
    Source("baler", "new", "aluminium-scrap", 328, Rhythm(MONTHLY, 4), 0.1, suppliers=FACTORIES),
    Source("shredder", "old", "mixed-nonferrous-scrap", 300, Rhythm(MONTHLY, 6), 0.1, suppliers=DEALERS),
    # zinc: 30 kt a year from ore; 0.75 t of dry residue a tonne
    Source("zinc", "tapped", "primary-zinc-ingot", 1154, Rhythm(FORTNIGHTLY, 3), 0.02, unit="MF0003", weighing="floor"),
    Source("zinc", "generated", "zinc-leach-residue", 1120, Rhythm(FORTNIGHTLY, 3), 0.03, unit="MF0001"),
    Source("zinc", "generated", "lead-silver-residue", 200, Rhythm(MONTHLY, 9), 0.06, unit="MF0001"),
    Source("zinc", "generated", "zinc-purification-residue", 20, Rhythm(MONTHLY, 10), 0.1, unit="MF0002"),
    Source("zinc", "generated", "zinc-casting-dross", 15, Rhythm(MONTHLY, 11), 0.1, unit="MF0003"),
    Source("zinc", "generated", "lead-zinc-dust", 30, Rhythm(MONTHLY, 11), 0.1, unit="MF0004"),
    Source("zinc", "generated", "neutralisation-gypsum", 520, Rhythm(MONTHLY, 15), 0.08, unit="MF0006"),
    # copper: 40 kt a year from ore; 2.2 t of slag, 15 kg of white dust, 2 kg of acid sludge a tonne
    Source("copper", "tapped", "primary-copper-cathode", 1536, Rhythm(FORTNIGHTLY, 5), 0.02, unit="MF0006", weighing="floor"),
    Source("copper", "generated", "copper-smelting-slag", 6760, Rhythm(MONTHLY, 5), 0.04, unit="MF0001"),
    Source("copper", "generated", "copper-white-dust", 23, Rhythm(FORTNIGHTLY, 7), 0.08, unit="MF0001"),
    Source("copper", "generated", "copper-acid-sludge", 6.2, Rhythm(MONTHLY, 16), 0.1, unit="MF0004"),
    Source("copper", "generated", "copper-tailings", 6000, Rhythm(MONTHLY, 18), 0.05, unit="MF0005"),
    Source("copper", "old", "copper-scrap", 410, Rhythm(MONTHLY, 8), 0.1, suppliers=DEALERS),
)  # fmt: skip

RECIPES: Final = (
    Recipe(
        "smelter", "direct-alloying", None, "MF0101", Rhythm(WEEKLY, 2),
        (Charge(("molten-primary-aluminium",), 3000), Charge(("secondary-aluminium-alloy",), 70)),
        (Yield("primary-dross", 0.0108, 0.08, weighing="truck"), Yield("direct-aluminium-alloy")),
        (Dose("alloying-silicon", 0.026), Dose("alloying-magnesium", 0.004)),
        (Shed("other", 0.003),), least_t=1000,
    ),
    Recipe(
        "smelter", "casting", None, "MF0102", Rhythm(MONTHLY, 4), (Charge(("molten-primary-aluminium",), 1200),),
        (Yield("primary-dross", 0.0095, 0.1, weighing="truck"), Yield("primary-aluminium-ingot", weighing="floor")),
        (), (Shed("other", 0.002),), least_t=200,
    ),
    Recipe(
        "smelter", "remelt", None, "MF0103", Rhythm(56, 21),
        (Charge(("recovered-aluminium",), 110), Charge(("primary-aluminium-ingot",), 110)),
        (Yield("remelt-dross", 0.022, 0.1), Yield("aluminium-alloy-ingot")),
        (Dose("alloying-silicon", 0.05), Dose("flux-salt", 0.004)), (Shed("other", 0.008),), least_t=80,
    ),
    Recipe(
        "works", "remelt", "R4", "MF0001", Rhythm(WEEKLY, 6), (Charge(SCRAP, 860),),
        (Yield("remelt-dross", 0.068, 0.07, lots=2, weighing="truck"), Yield("secondary-aluminium-alloy")),
        (Dose("alloying-silicon", 0.042), Dose("primary-aluminium-ingot", 0.03), Dose("flux-salt", 0.008)),
        (Shed("combustion", 0.03), Shed("moisture")), least_t=200,
    ),
    Recipe(
        "dross", "dross-rotary-furnace", "R4", "MF0001", Rhythm(MONTHLY, 6), (Charge(("primary-dross",), 140),),
        (
            Yield("recovered-aluminium", 0.33, 0.07), Yield("primary-salt-slag", 0.22, 0.06),
            Yield("dross-dust", 0.028, 0.1), Yield("primary-secondary-dross", lots=2, carries={"Al": 0.36, "F": 0.62}),
        ),
        (Dose("flux-salt", 0.065),), (Shed("volatile", 0.012),), least_t=20,
    ),
    Recipe(
        "dross", "dross-rotary-furnace", "R4", "MF0002", Rhythm(FORTNIGHTLY, 13), (Charge(("remelt-dross",), 130),),
        (
            Yield("recovered-aluminium", 0.30, 0.07), Yield("remelt-salt-slag", 0.23, 0.06),
            Yield("dross-dust", 0.03, 0.1), Yield("remelt-secondary-dross", lots=2, carries={"Al": 0.38}),
        ),
        (Dose("flux-salt", 0.075),), (Shed("volatile", 0.015),), least_t=30,
    ),
    Recipe(
        "dross", "dross-calcination", "R5", "MF0003", Rhythm(MONTHLY, 17), (Charge(LEFTOVERS, 50),),
        (Yield("aluminate-clinker", carries={"Al": 0.99}),), (Dose("limestone", 1.1),),
        (Shed("volatile", 0.46),), least_t=20,
    ),
    Recipe("dross", "merge", None, "", Rhythm(84, 80), (Charge(("dross-dust",), 28),), (), least_t=4),
    Recipe(
        "salt", "salt-slag-leaching", "R4", "MF0001", Rhythm(MONTHLY, 12), (Charge(SALTS + LEFTOVERS, 160),),
        (
            Yield("recovered-aluminium", 0.03, 0.1), Yield("recovered-salt", 0.16, 0.08),
            Yield("ammonium-sulphate", 0.06, 0.1), Yield("alumina-material", weighing="truck", carries={"Al": 0.9}),
        ),
        (Dose("water", 0.42), Dose("acid-additive", 0.04)),
        (Shed("moisture", 0.16), Shed("volatile", 0.012)), least_t=15,
    ),
    Recipe(
        "zinc", "roasting", "R4", "MF0004", Rhythm(MONTHLY, 19),
        (Charge(("lead-zinc-dust", "zinc-casting-dross", "zinc-purification-residue"), 90),),
        (Yield("zinc-calcine", weighing="truck", carries={"Zn": 0.98}),), (),
        (Shed("moisture"), Shed("volatile", 0.05)), least_t=10,
    ),
    Recipe(
        "zinc", "leaching", "R4", "MF0005", Rhythm(MONTHLY, 22), (Charge(("zinc-oxide", "zinc-calcine"), 760),),
        (
            Yield("secondary-zinc-ingot", 0.545, 0.02),
            Yield("zinc-oxide-leach-residue", weighing="truck", carries={"Zn": 0.06, "Pb": 0.98}),
        ),
        (Dose("water", 0.09),), (Shed("other", 0.14),), least_t=200,
    ),
    Recipe(
        "waelz", "waelz-kiln", "R4", "MF0001", Rhythm(FORTNIGHTLY, 5), (Charge(("zinc-leach-residue",), 1460),),
        (Yield("zinc-oxide", 0.218, 0.03, carries={"Zn": 0.92, "Pb": 0.86}),
         Yield("waelz-slag", weighing="truck", carries={"Zn": 0.07, "Pb": 0.13})),
        (Dose("coke", 0.36), Dose("limestone", 0.03)), (Shed("moisture"), Shed("combustion", 0.31)), least_t=150,
    ),
    Recipe(
        "copper", "flotation", "R4", "MF0003", Rhythm(MONTHLY, 9), (Charge(("copper-smelting-slag",), 9000),),
        (
            Yield("copper-slag-concentrate", 0.060, 0.03, weighing="truck", carries={"Cu": 0.778}),
            Yield("copper-slag-tailings", weighing="truck", carries={"Cu": 0.222, "Fe": 0.96}),
        ),
        (Dose("water", 0.135),), (), least_t=1000,
    ),
    Recipe(
        "copper", "copper-smelting", "R4", "MF0002", Rhythm(MONTHLY, 11),
        (Charge(("copper-slag-concentrate",), 640), Charge(("recycled-copper",), 400), Charge(("copper-scrap",), 520),
         Charge(("copper-white-dust",), 24)),
        (
            Yield("secondary-copper-cathode", 0.58, 0.015),
            Yield("copper-smelting-slag", weighing="truck", carries={"Cu": 0.035}),
        ),
        (Dose("quartz-flux", 0.14), Dose("coke", 0.03), Dose("oxygen", 0.05)),
        (Shed("combustion", 0.03), Shed("moisture"), Shed("volatile", 0.10)), least_t=200,
    ),
    Recipe(
        "collector", "sort", "R4", "MF0001", Rhythm(FORTNIGHTLY, 8), (Charge(("aluminium-scrap",), 260),),
        (Yield("recovered-aluminium-scrap", weighing="truck"), Yield("waste-plastic", 0.035, 0.1)), (),
        (Shed("dust", 0.008),), least_t=50,
    ),
    Recipe(
        "collector", "shred", "R4", "MF0002", Rhythm(MONTHLY, 9), (Charge(("copper-cable-scrap",), 280),),
        (Yield("recycled-copper", 0.58, 0.03), Yield("waste-plastic", weighing="truck")), (),
        (Shed("dust", 0.006),), least_t=30,
    ),
    Recipe(
        "baler", "baling", "R4", "MF0001", Rhythm(MONTHLY, 10), (Charge(("aluminium-scrap",), 380),),
        (Yield("recycled-wrought-aluminium", weighing="truck"),), (), (Shed("moisture", 0.004),), least_t=40,
    ),
    Recipe(
        "shredder", "sort", "R4", "MF0001", Rhythm(MONTHLY, 10, until=date(2025, 8, 31)),
        (Charge(("mixed-nonferrous-scrap",), 360),),
        (Yield("recovered-aluminium-scrap", 0.60, 0.03, weighing="truck"), Yield("recycled-copper", 0.12, 0.06),
         Yield("waste-plastic", weighing="truck")), (), (Shed("dust", 0.006),), least_t=40,
    ),
    Recipe(
        "shredder", "sort", "R4", "MF0001", Rhythm(MONTHLY, 10, since=SHREDDER_CHEATS),
        (Charge(("mixed-nonferrous-scrap",), 360),),
        (Yield("recovered-aluminium-scrap", 0.60, 0.03, weighing="truck"), Yield("recycled-copper", 0.12, 0.06),
         Yield("building-aggregate", weighing="truck")), (), (Shed("dust", 0.006),), least_t=40,
    ),
    Recipe(
        "bricks", "brick-making", "C2", "MF0001", Rhythm(MONTHLY, 24),
        (Charge(("waelz-slag",), 800), Charge(("copper-slag-tailings",), 1200), Charge(("alumina-material",), 60)),
        (Yield("slag-brick", weighing="truck"),), (Dose("clay", 0.75), Dose("coal", 0.05), Dose("water", 0.08)),
        (Shed("moisture", 0.21), Shed("combustion", 0.075)), least_t=200,
    ),
    Recipe(
        "outside", "carbon-flotation", "R5", "MF0001", Rhythm(84, 70), (Charge(("carbon-residue",), 200),),
        (Yield("electrolyte-recovered", weighing="floor", carries={"F": 0.97}),), (),
        (Shed("combustion", 0.42),), least_t=20,
    ),
    Recipe(
        "outside", "dross-rotary-furnace", "R4", "MF0002", Rhythm(84, 75), (Charge(("remelt-dross",), 60),),
        (Yield("recovered-aluminium", 0.31, 0.06), Yield("remelt-secondary-dross", carries={"Al": 0.42})), (),
        (Shed("volatile", 0.015),), least_t=5,
    ),
)  # fmt: skip

COUNTS: Final = (
    Count("smelter", "primary-aluminium-ingot", 0.001),
    Count("smelter", "direct-aluminium-alloy", 0.001),
    Count("works", "aluminium-scrap", 0.04),
    Count("works", "secondary-aluminium-alloy", 0.001),
    Count("zinc", "zinc-leach-residue", 0.04),
    Count("waelz", "waelz-slag", 0.05),
    Count("copper", "copper-slag-tailings", 0.05),
)

ROUTES: Final = (
    Route("smelter", "dross", ("primary-dross",), "R4", "haulier", Rhythm(WEEKLY, 3), lines=2, refused=0.03,
          reason="混入炭块和大修渣", onward="landfill", carrier_loads=True),
    Route("works", "dross", ("remelt-dross",), "R4", "haulier", Rhythm(WEEKLY, 0), trips=2, least_t=15, lines=2,
          refused=0.03, reason="受潮结块，有氨味", onward="landfill"),
    Route("smelter", "landfill", ("spent-potlining",), "D1", "haulier", Rhythm(5, 1), trips=3, least_t=20),
    Route("smelter", "landfill", ("dross-dust",), "D1", "haulier", Rhythm(84, 50), least_t=8),
    Route("smelter", "outside", ("carbon-residue",), "R5", "haulier", Rhythm(FORTNIGHTLY, 1), least_t=18, days=2,
          refused=0.04, reason="水分超过合同约定"),
    Route("smelter", "outside", ("remelt-dross",), "R4", "haulier", Rhythm(182, 170), lines=6, days=2),
    Route("works", "smelter", ("secondary-aluminium-alloy",), "R4", "general", Rhythm(MONTHLY, 10), 62, least_t=30,
          lines=3, partial=True, weighing="floor"),
    Route("works", "landfill", ("dross-dust",), "D1", "haulier", Rhythm(56, 40), least_t=8),
    Route("dross", "salt", ("primary-salt-slag",), "R4", "haulier", Rhythm(MONTHLY, 9), least_t=5),
    Route("dross", "salt", ("remelt-salt-slag",), "R4", "haulier", Rhythm(FORTNIGHTLY, 4), least_t=5),
    Route("dross", "salt", LEFTOVERS, "R4", "haulier", Rhythm(MONTHLY, 7), trips=2, least_t=12),
    Route("dross", "landfill", LEFTOVERS, "D1", "haulier", Rhythm(MONTHLY, 20), trips=2, least_t=12),
    Route("dross", "landfill", ("dross-dust",), "D1", "haulier", Rhythm(84, 82), least_t=4),
    Route("dross", "landfill", ("contaminated-packaging",), "D10", "haulier", Rhythm(91, 70), least_t=1, weighing="floor"),
    Route("dross", "smelter", ("recovered-aluminium",), "R4", "general", Rhythm(MONTHLY, 15), 46, least_t=15, lines=2,
          weighing="floor"),
    Route("salt", "bricks", ("alumina-material",), "C2", "general", Rhythm(MONTHLY, 18), 30, least_t=12, partial=True),
    Route("zinc", "waelz", ("zinc-leach-residue",), "R4", "", Rhythm(FORTNIGHTLY, 4), 1300, days=0, lines=2, partial=True,
          water_lost=0.008),
    Route("waelz", "zinc", ("zinc-oxide",), "R4", "southern", Rhythm(MONTHLY, 13), 700, lines=3),
    Route("waelz", "bricks", ("waelz-slag",), "C2", "southern", Rhythm(MONTHLY, 20), 560, partial=True, water_lost=0.01),
    Route("copper", "bricks", ("copper-slag-tailings",), "C2", "southern", Rhythm(MONTHLY, 21), 1000, partial=True,
          water_lost=0.01),
    Route("copper", "landfill", ("copper-white-dust",), "D1", "southern", Rhythm(FORTNIGHTLY, 2), least_t=16, lines=2),
    Route("copper", "landfill", ("copper-acid-sludge",), "D1", "southern", Rhythm(84, 54), 36, lines=4,
          water_lost=0.012, refused=0.06, reason="包装破损渗漏"),
    Route("collector", "works", ("recovered-aluminium-scrap",), "R4", "general", Rhythm(FORTNIGHTLY, 12), 290, lines=2, refused=0.05, reason="含铁超标"),
    Route("collector", "copper", ("recycled-copper",), "R4", "general", Rhythm(MONTHLY, 16), 170, days=2, weighing="floor"),
    Route("baler", "works", ("recycled-wrought-aluminium",), "R4", "general", Rhythm(MONTHLY, 13), 420),
    Route("shredder", "works", ("recovered-aluminium-scrap",), "R4", "general", Rhythm(MONTHLY, 13), 240, lines=2, refused=0.05, reason="夹杂镁合金"),
    Route("shredder", "copper", ("recycled-copper",), "R4", "general", Rhythm(56, 30), 90, lines=2, days=2,
          weighing="floor"),
    Route("shredder", "landfill", ("waste-plastic",), "D1", "general", Rhythm(MONTHLY, 12), 95),
)  # fmt: skip

ENDINGS: Final = (
    Ending("smelter", ("direct-aluminium-alloy",), "product", Rhythm(WEEKLY, 5), 1, 700, BUYERS),
    Ending("smelter", ("primary-aluminium-ingot",), "product", Rhythm(FORTNIGHTLY, 6), 1, 240, METAL_BUYERS),
    Ending("smelter", ("aluminium-alloy-ingot",), "product", Rhythm(MONTHLY, 25), 1, 20, BUYERS),
    Ending("smelter", ("spent-refractory",), "building_material", Rhythm(91, 44), 1, 0, BUILDERS),
    Ending("works", ("secondary-aluminium-alloy",), "product", Rhythm(WEEKLY, 5, until=date(2025, 10, 20)), 1, 180, BUYERS),
    Ending("works", ("secondary-aluminium-alloy",), "product", Rhythm(WEEKLY, 5, since=date(2025, 10, 21),
           until=date(2025, 12, 31)), 0.45, 180, BUYERS),
    Ending("works", ("secondary-aluminium-alloy",), "product", Rhythm(WEEKLY, 5, since=date(2026, 1, 1)), 1, 180, BUYERS),
    Ending("dross", ("recovered-aluminium",), "product", Rhythm(FORTNIGHTLY, 2), 0.7, 12, BUYERS),
    Ending("dross", ("aluminate-clinker",), "product", Rhythm(MONTHLY, 26), 1, 5, (("达州钢铁冶炼渣料客户", "511700"),)),
    Ending("salt", ("recovered-aluminium", "recovered-salt", "ammonium-sulphate"), "product", Rhythm(MONTHLY, 14), 1, 0,
           BUYERS),
    Ending("salt", ("alumina-material",), "product", Rhythm(MONTHLY, 25), 0.9, 0, (("自贡耐火材料客户", "510300"),)),
    Ending("zinc", ("primary-zinc-ingot",), "product", Rhythm(WEEKLY, 6), 1, 300, METAL_BUYERS),
    Ending("zinc", ("secondary-zinc-ingot",), "product", Rhythm(MONTHLY, 26), 1, 30, METAL_BUYERS),
    Ending("zinc", ("lead-silver-residue",), "left", Rhythm(MONTHLY, 24), 1, 0, LEAD_SMELTER),
    Ending("zinc", ("zinc-oxide-leach-residue",), "left", Rhythm(MONTHLY, 27), 1, 0, LEAD_SMELTER),
    Ending("zinc", ("neutralisation-gypsum",), "building_material", Rhythm(MONTHLY, 23), 0.3, 0, BUILDERS),
    Ending("zinc", ("neutralisation-gypsum",), "backfill", Rhythm(84, 30), 0.2, 0, (("青岩矿采空区充填", "513400"),)),
    Ending("waelz", ("waelz-slag",), "municipal_works", Rhythm(MONTHLY, 6), 0.35, 0, (("西昌市政道路工程", "513400"),)),
    Ending("waelz", ("waelz-slag",), "building_material", Rhythm(MONTHLY, 15), 0.30, 0, BUILDERS),
    Ending("copper", ("primary-copper-cathode",), "product", Rhythm(WEEKLY, 6), 1, 400, METAL_BUYERS),
    Ending("copper", ("secondary-copper-cathode",), "product", Rhythm(FORTNIGHTLY, 13), 1, 60, METAL_BUYERS),
    Ending("copper", ("copper-slag-tailings",), "building_material", Rhythm(FORTNIGHTLY, 3), 0.5, 500, BUILDERS),
    Ending("copper", ("copper-tailings",), "backfill", Rhythm(MONTHLY, 25), 0.006, 0, (("赤霞矿山采空区充填", "510400"),)),
    Ending("collector", ("waste-plastic",), "energy", Rhythm(MONTHLY, 22), 1, 2, (("成都水泥窑替代燃料", "510100"),)),
    Ending("shredder", ("building-aggregate",), "building_material", Rhythm(FORTNIGHTLY, 12), 1, 0),
    Ending("bricks", ("slag-brick",), "building_material", Rhythm(MONTHLY, 2), 0.8, 0, BUILDERS),
    Ending("outside", ("electrolyte-recovered", "recovered-aluminium"), "product", Rhythm(84, 80), 1, 0, BUYERS),
    Ending("outside", ("remelt-secondary-dross",), "D16", Rhythm(84, 82), 1, 0),
    Ending("landfill", ("spent-potlining", "primary-secondary-dross", "remelt-secondary-dross", "primary-dross",
                        "remelt-dross"), "D1", Rhythm(WEEKLY, 6), 1, 0, unit="MF0001"),
    Ending("landfill", ("dross-dust", "copper-white-dust", "copper-acid-sludge", "copper-arsenic-residue"), "D1",
           Rhythm(WEEKLY, 4), 1, 0, unit="MF0001"),
    Ending("landfill", ("waste-plastic",), "D1", Rhythm(FORTNIGHTLY, 1), 1, 0, unit="MF0002"),
    Ending("landfill", ("contaminated-packaging",), "D10", Rhythm(91, 76), 1, 0, unit="MF0003"),
)  # fmt: skip
