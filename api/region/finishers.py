"""Who ends and who carries what is left in the region: a brick kiln, a landfill, three carriers, three regulators."""

from datetime import date
from typing import Final

from api.region.plants import Authority, Licence, Lorry, Plant, Room, Unit

LANDFILL_EXPIRES: Final = date(2026, 3, 31)
LANDFILL_RENEWED: Final = date(2026, 5, 20)
"""Between the two the landfill had no permit, and took loads."""

BRICKS: Final = Plant(
    key="bricks",
    name="攀枝花红格建材有限公司",
    name_en="Hongge Building Materials (brick and cement kiln)",
    division="510400",
    letters="MA7HGJ12",
    roles=("recoverer",),
    site="红格烧结厂",
    phone="0812-0000-1712",
    units=(Unit("MF0001", "烧结隧道窑", "utilize"),),
)
LANDFILL: Final = Plant(
    key="landfill",
    name="乐山磐安固废处置有限公司",
    name_en="Pan'an Disposal (landfill, incinerator)",
    division="511100",
    letters="MA7PAG13",
    roles=("disposer",),
    site="磐安处置中心",
    contact="接收科",
    phone="0833-0000-1713",
    rooms=(Room("TS001", "待处置库", ("contaminated-packaging",), 60),),
    units=(
        Unit("MF0001", "刚性填埋场", "dispose"),
        Unit("MF0002", "一般固废填埋区", "dispose"),
        Unit("MF0003", "回转窑焚烧线", "dispose"),
    ),
    licences=(
        Licence(
            "川环危第5111010003号",
            (("HW48", "dispose", 30000), ("HW49", "dispose", 5000)),
            date(2021, 4, 1),
            LANDFILL_EXPIRES,
        ),
        Licence(
            "川环危第5111010029号",
            (("HW48", "dispose", 30000), ("HW49", "dispose", 5000)),
            LANDFILL_RENEWED,
            date(2031, 5, 19),
        ),
    ),
)
HAULIER: Final = Plant(
    key="haulier",
    name="眉山安驰危险货物运输有限公司",
    name_en="Anchi Dangerous Goods",
    division="511400",
    letters="MA7ACW14",
    roles=("carrier",),
    site="安驰车队",
    phone="028-0000-1814",
    lorries=(
        Lorry("川Z3K621", "赵某"),
        Lorry("川Z5M087", "钱某"),
        Lorry("川Z7A915", "孙某", "国五"),
        Lorry("川Z08126D", "李某", "新能源"),
    ),
)
SOUTHERN: Final = Plant(
    key="southern",
    name="凉山稳达运输有限公司",
    name_en="Wenda Transport (south)",
    division="513400",
    letters="MA7WDY15",
    roles=("carrier",),
    site="稳达车队",
    phone="0834-0000-1815",
    lorries=(Lorry("川W2J318", "周某"), Lorry("川W6N550", "吴某", "国五"), Lorry("川W9H273", "郑某")),
    days_only=True,
)
GENERAL: Final = Plant(
    key="general",
    name="成都顺道货运有限公司",
    name_en="Shundao Freight (general goods)",
    division="510100",
    letters="MA7XDH16",
    roles=("carrier",),
    site="顺道车队",
    phone="028-0000-1816",
    lorries=(
        Lorry("川A8R352", "冯某", "国六", dangerous_goods=False),
        Lorry("川A1Q796", "陈某", "国五", dangerous_goods=False),
        Lorry("川A6D041", "褚某", "国六", dangerous_goods=False),
    ),
)
PROVINCE: Final = Authority(
    "province", "四川省生态环境监管厅（演示）", "Sichuan regulator (demonstration)", "51", "MB0DXC01"
)
PREFECTURE: Final = Authority(
    "prefecture", "眉山市生态环境监管局（演示）", "Meishan regulator (demonstration)", "5114", "MB0DMX02"
)
NEIGHBOUR: Final = Authority(
    "neighbour", "重庆市生态环境监管局（演示）", "Chongqing regulator (demonstration)", "50", "MB0DCQ03"
)
