"""Who gathers and works scrap and dross in the region: collectors, the secondary works, dross, salt-slag, Waelz plants."""

from datetime import date
from typing import Final

from api.region.plants import Licence, Opening, Plant, Room, Unit

WORKS: Final = Plant(
    key="works",
    name="成都锦澜再生铝业有限公司",
    name_en="Jinlan Secondary Aluminium (secondary works)",
    division="510100",
    letters="MA7JLA04",
    roles=("recoverer", "generator"),
    site="锦澜再生铝业一厂",
    contact="生产环保部",
    phone="028-0000-1204",
    rooms=(
        Room("TS001", "再生铝灰渣库", ("remelt-dross",), 300),
        Room("TS002", "除尘灰库", ("dross-dust",), 60),
    ),
    units=(Unit("MF0001", "双室熔炼炉", "utilize"), Unit("MF0002", "熔炼烟气除尘系统")),
    opening=(
        Opening("aluminium-scrap", 320, date(2024, 10, 15)),
        Opening("secondary-aluminium-alloy", 480, date(2024, 10, 10)),
        Opening("remelt-dross", 20.8, date(2024, 10, 25)),
    ),
    planned_t=(("321-026-48", 3000, 3000), ("321-034-48", 150, 150)),
)
DROSS: Final = Plant(
    key="dross",
    name="眉山玉屏铝灰资源化有限公司",
    name_en="Yuping Dross Recovery (dross plant)",
    division="511400",
    letters="MA7YPL05",
    roles=("recoverer", "generator"),
    site="玉屏铝灰资源化厂",
    contact="环安部",
    phone="028-0000-1305",
    rooms=(
        Room("TS001", "铝灰渣原料库", ("primary-dross", "remelt-dross"), 500),
        Room(
            "TS002",
            "二次铝灰库",
            ("primary-secondary-dross", "remelt-secondary-dross"),
            600,
        ),
        Room("TS003", "盐渣库", ("primary-salt-slag", "remelt-salt-slag"), 300),
        Room("TS004", "除尘灰及沾染物间", ("dross-dust", "contaminated-packaging"), 60),
    ),
    units=(
        Unit("MF0001", "1号回转炉", "utilize"),
        Unit("MF0002", "2号回转炉", "utilize"),
        Unit("MF0003", "铝酸钙焙烧窑", "utilize"),
        Unit("MF0004", "布袋除尘系统"),
    ),
    licences=(
        Licence(
            "川环危第5114020018号",
            (("321-024-48", "utilize", 3000), ("321-026-48", "utilize", 4000)),
            date(2023, 5, 8),
            date(2028, 5, 7),
        ),
    ),
    opening=(
        Opening("primary-dross", 24.6, date(2024, 10, 22)),
        Opening("remelt-dross", 21.2, date(2024, 10, 23)),
        Opening("recovered-aluminium", 18.5, date(2024, 10, 28)),
    ),
    planned_t=(
        ("321-024-48", 1400, 1000),
        ("321-026-48", 2200, 1600),
        ("321-034-48", 120, 120),
        ("900-041-49", 12, 12),
    ),
)
SALT: Final = Plant(
    key="salt",
    name="资阳澄源盐渣利用有限公司",
    name_en="Chengyuan Salt Slag (salt-slag plant)",
    division="512000",
    letters="MA7CYR06",
    roles=("recoverer",),
    site="澄源盐渣利用厂",
    contact="技术部",
    phone="028-0000-1406",
    rooms=(
        Room(
            "TS001",
            "原料库",
            ("primary-salt-slag", "remelt-salt-slag", "primary-secondary-dross", "remelt-secondary-dross"),
            500,
        ),
    ),
    units=(Unit("MF0001", "湿法脱氮浸出线", "utilize"), Unit("MF0002", "蒸发结晶系统", "utilize")),
    licences=(
        Licence(
            "川环危第5120020007号",
            (("321-024-48", "utilize", 1500), ("321-026-48", "utilize", 2000)),
            date(2022, 9, 1),
            date(2027, 8, 31),
        ),
    ),
)
WAELZ: Final = Plant(
    key="waelz",
    name="凉山流霞资源循环有限公司",
    name_en="Liuxia Waelz Kiln",
    division="513400",
    letters="MA7LXW07",
    roles=("recoverer", "generator"),
    site="流霞回转窑厂",
    contact="环保科",
    phone="0834-0000-1407",
    units=(Unit("MF0001", "1号挥发窑", "utilize"), Unit("MF0002", "窑渣破碎线", "utilize")),
    licences=(
        Licence(
            "川环危第5134020011号",
            (("321-004-48", "utilize", 42000), ("321-010-48", "utilize", 6000)),
            date(2022, 3, 15),
            date(2027, 3, 14),
        ),
    ),
    opening=(Opening("waelz-slag", 2800, date(2024, 8, 31)),),
)
COLLECTOR: Final = Plant(
    key="collector",
    name="成都望江再生资源回收有限公司",
    name_en="Wangjiang Recycling (old aluminium, cable)",
    division="510100",
    letters="MA7WJR08",
    roles=("collector", "recoverer"),
    site="望江分拣中心",
    phone="028-0000-1508",
    units=(Unit("MF0001", "铝分选线", "utilize"), Unit("MF0002", "电缆剥离线", "utilize")),
    opening=(Opening("aluminium-scrap", 85, date(2024, 10, 18)),),
)
BALER: Final = Plant(
    key="baler",
    name="德阳双石金属回收有限公司",
    name_en="Shuangshi Metals (new scrap, trader)",
    division="510600",
    letters="MA7XHJ09",
    roles=("collector", "recoverer", "trader"),
    site="双石打包场",
    phone="0838-0000-1509",
    units=(Unit("MF0001", "打包压块机", "utilize"),),
    days_only=True,
)
SHREDDER: Final = Plant(
    key="shredder",
    name="绵阳丰谷拆解利用有限公司",
    name_en="Fenggu Dismantling (shredder residue, trader)",
    division="510700",
    letters="MA7FGC10",
    roles=("collector", "recoverer", "trader"),
    site="丰谷破碎分选厂",
    phone="0816-0000-1510",
    units=(Unit("MF0001", "重介分选线", "utilize"),),
    opening=(Opening("mixed-nonferrous-scrap", 60, date(2024, 10, 12)),),
)
OUTSIDE: Final = Plant(
    key="outside",
    name="重庆江津渡炭渣利用有限公司",
    name_en="Jiangjindu Carbon Residue (Chongqing)",
    division="500100",
    letters="MA7JDT11",
    roles=("recoverer",),
    site="江津渡利用厂",
    phone="023-0000-1611",
    units=(Unit("MF0001", "炭渣浮选线", "utilize"), Unit("MF0002", "铝灰回转炉", "utilize")),
    licences=(
        Licence(
            "渝环危第5001160025号",
            (("321-025-48", "utilize", 8000), ("321-026-48", "utilize", 3000)),
            date(2023, 11, 1),
            date(2028, 10, 31),
        ),
    ),
)
