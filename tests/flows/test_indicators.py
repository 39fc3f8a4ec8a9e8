"""Definitions and values: published figures come out again, nothing is clipped or rounded, and the page says it all."""

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from flows.errors import Malformed, Unknown, messages
from flows.indicators import (
    DECLARED,
    PART_WORDS,
    Boundary,
    Definition,
    Period,
    Question,
    Value,
    definition,
    definitions,
    prior_bounds,
    ratio_to_share,
    value_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
YEAR = Question(Period.year(2025))
TONNE = 1_000_000


def _value(name: str, **parts_g: int) -> Value:
    return value_of(definition(name), parts_g, YEAR)


# published figures ----------------------------------------------------------------------------------------------


def test_the_published_rate_of_hazardous_waste_comes_out_again() -> None:
    """The state's report of 2012, in 10 000 t: used 2004.6, disposed 698.2, stored 846.9, dumped 16.1 t; 76.1 %."""
    used, disposed, stored, dumped = 20_046_000, 6_982_000, 8_469_000, 16
    generated = 34_652_000
    prior = used + disposed + stored + dumped - generated  # the identity gives only the sum of both

    value = _value(
        "use-and-disposal-hazardous",
        utilized=used * TONNE,
        disposed=disposed * TONNE,
        generated=generated * TONNE,
        utilized_prior=prior * TONNE,
        disposed_prior=0,
    )

    assert value.shown(1) == "76.1 %"
    assert value.denominator_g == (used + disposed + stored + dumped) * TONNE


def test_the_old_series_divided_by_generation_alone() -> None:
    """2003, in 10 000 t: 56 040 used of 100 428 generated, 55.8 %: no prior stock in the denominator."""
    value = _value("utilization-general", utilized=56_040 * TONNE, generated=100_428 * TONNE, utilized_prior=0 * TONNE)

    assert value.shown(1) == "55.8 %"


def test_what_nobody_reports_of_earlier_years_bounds_the_rate() -> None:
    """2016, 214 cities, in 100 Mt: 14.8 generated, 8.6 used, 3.8 disposed, 5.5 stored; the report says 48.0 %."""
    bounds = prior_bounds({"generated": 148, "utilized": 86, "disposed": 38, "stored": 55})

    assert bounds == (Fraction(86, 179), Fraction(86, 148))
    assert round(float(bounds[0]), 3) == 0.480
    assert prior_bounds({"generated": 200, "utilized": 86, "disposed": 38, "stored": 55}) is None


def test_the_associations_share_of_2024_is_about_24_percent() -> None:
    """19.15 Mt of secondary metal over 79.188 Mt of ten metals."""
    value = _value("supply-share", secondary=19_150_000 * TONNE, ten_metals_output=79_188_000 * TONNE)

    assert value.shown(1) == "24.1 %"
    assert value.verdict == "met"


def test_a_ratio_to_primary_is_no_share_of_supply() -> None:
    ratio = _value("supply-ratio-al", secondary=24, primary=100)
    share = _value("recycled-share", secondary=24, primary=100)

    assert ratio.exact == Fraction(24, 100)
    assert ratio_to_share(Fraction(24, 100)) == share.exact
    assert share.shown(2) == "19.35 %"


# verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("secondary_g", "verdict"), [(23_996, "missed"), (24_000, "met"), (23_999, "missed")])
def test_a_verdict_is_on_whole_grams(secondary_g: int, verdict: str) -> None:
    assert _value("supply-share", secondary=secondary_g, ten_metals_output=100_000).verdict == verdict


def test_a_verdict_sees_the_last_gram_of_a_province() -> None:
    """As floats the two would be one number."""
    whole = 10**17

    assert _value("direct-alloying", alloyed=whole * 9 // 10, tapped=whole).verdict == "met"
    assert _value("direct-alloying", alloyed=whole * 9 // 10 - 1, tapped=whole).verdict == "missed"


def test_what_is_shown_is_cut_and_not_rounded_up() -> None:
    value = _value("supply-share", secondary=23_996, ten_metals_output=100_000)

    assert value.shown(2) == "23.99 %"
    assert value.shown(1) == "23.9 %"
    assert value.ratio_text == "5999/25000"
    assert value.ratio == pytest.approx(0.23996)


# what cannot be said --------------------------------------------------------------------------------------------


def test_a_zero_denominator_is_null_with_a_reason() -> None:
    value = _value("utilization-general", utilized=0, generated=0, utilized_prior=0)

    assert (value.exact, value.ratio, value.ratio_text, value.shown(), value.verdict) == (None,) * 5
    assert value.reason == "zero-denominator"
    assert (value.numerator_g, value.denominator_g) == (0, 0)


def test_a_figure_that_nobody_declared_is_a_reason() -> None:
    value = _value("supply-share", secondary=5)

    assert value.reason == "figure-not-declared"
    assert (value.numerator_g, value.denominator_g, value.exact) == (5, None, None)


def test_a_rate_over_100_percent_stays_and_says_so() -> None:
    value = _value("utilization-general", utilized=13, generated=10, utilized_prior=0)

    assert value.shown(0) == "130 %"
    assert value.note == "rate-over-one"


def test_a_negative_rate_stays_and_says_so() -> None:
    value = _value("utilization-general", utilized=-1, generated=10, utilized_prior=0)

    assert value.shown(0) == "-10 %"
    assert value.note == "rate-negative"


def test_an_intensity_is_kilograms_to_the_tonne() -> None:
    assert _value("generation-intensity", generated=12, product=1000).shown(1) == "12.0 kg/t"
    assert _value("generation-intensity", generated=12, product=0).reason == "zero-denominator"


def test_a_mass_is_told_in_tonnes() -> None:
    assert _value("stock-general", stock=12_500_000).shown() == "12.5 t"


def test_an_unknown_indicator_names_those_there_are() -> None:
    with pytest.raises(Unknown) as caught:
        _ = definition("recycling-rate")

    assert "supply-share" in caught.value.text("en")


# periods --------------------------------------------------------------------------------------------------------


def test_a_period_is_whole_days_in_shanghai() -> None:
    day = Period(date(2026, 3, 9), date(2026, 3, 9))

    assert day.end_us - day.begin_us == 86_400_000_000
    assert day.begin_us == 1_772_985_600_000_000  # 2026-03-08 16:00 UTC


def test_periods_split_along_the_calendar() -> None:
    assert Period.month(2024, 2).last == date(2024, 2, 29)
    assert Period.quarter(2025, 4) == Period(date(2025, 10, 1), date(2025, 12, 31))
    assert list(Period.year(2025).split("quarter")) == [Period.quarter(2025, each) for each in (1, 2, 3, 4)]
    assert list(Period(date(2025, 11, 20), date(2026, 1, 3)).split("month")) == [
        Period(date(2025, 11, 20), date(2025, 11, 30)),
        Period.month(2025, 12),
        Period(date(2026, 1, 1), date(2026, 1, 3)),
    ]
    assert len(list(Period(date(2024, 7, 1), date(2026, 6, 30)).split("year"))) == 3


def test_a_period_does_not_run_backwards() -> None:
    with pytest.raises(Malformed) as caught:
        _ = Period(date(2026, 3, 2), date(2026, 3, 1))

    assert caught.value.key == "period-backwards"


# definitions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", definitions().values(), ids=lambda each: each.id)
def test_a_definition_says_everything_in_two_languages(each: Definition) -> None:
    for zh, en in (
        (each.name("zh"), each.name("en")),
        (each.recognition("zh"), each.recognition("en")),
        (each.formula("zh"), each.formula("en")),
    ):
        assert CHINESE.search(zh), each.id
        assert en, each.id
        assert not CHINESE.search(en), each.id
    assert CHINESE.search(each.source)
    assert bool(each.note("zh")) == bool(each.note("en"))
    assert set(each.numerator) | set(each.denominator) <= set(PART_WORDS)


def test_the_share_of_supply_stands_beside_the_target() -> None:
    share = definition("supply-share")

    assert share.beside == "recycled-share"
    assert share.target is not None
    assert (share.target.parts, share.target.of) == (24, 100)


def test_every_reason_and_note_has_its_words() -> None:
    told = {"no-data", "zero-denominator", "figure-not-declared", "not-for-enterprise", "rate-over-one"}

    assert told | {"rate-negative", "primary-by-metal"} <= set(messages())
    assert set(PART_WORDS) >= DECLARED


def test_a_boundary_is_everything_unless_it_says_less() -> None:
    assert Boundary() == Boundary("region", "", None, None, None)


# the page -------------------------------------------------------------------------------------------------------


def test_the_page_equals_the_definitions(*, accept: bool) -> None:
    if accept:
        PAGE.write_text(_page(), "utf-8")

    assert PAGE.read_text("utf-8") == _page()


def _page() -> str:
    parts = [f"| `{part}` | {zh} | {en} |" for part, (zh, en) in PART_WORDS.items()]
    return "\n".join([_HEAD, *(_section(each) for each in definitions().values()), _PARTS, *parts, ""])


def _section(each: Definition) -> str:
    numerator = " + ".join(f"`{part}`" for part in each.numerator)
    denominator = " + ".join(f"`{part}`" for part in each.denominator)
    lines = [
        f"### {each.name_zh} {each.name_en}\n",
        f"`{each.id}` · 版本 version {each.version} · 单位 unit {each.unit} · 基准 basis {_BASIS} · {_VIEWS[each.view]}\n",
        f"- 公式 formula: {each.formula_zh} · {each.formula_en}",
        f"- 计算 computed: {numerator}" + (f" ÷ ({denominator})" if denominator else ""),
        f"- 计入时点 recognition: {each.recognition_zh}。{each.recognition_en}.",
    ]
    if each.target is not None:
        target = each.target
        lines.append(f"- 目标 target: {target.year} 年 ≥ {target.parts}/{target.of}（{target.source}）")
    if each.beside is not None:
        lines.append(f"- 同时列出 shown with: `{each.beside}`")
    lines.append(f"- 来源 source: {each.source}")
    if each.note_zh:
        lines.append(f"- 注 note: {each.note_zh}。{each.note_en}.")
    return "\n".join(lines) + "\n"


_BASIS = "按称量 as weighed"
_VIEWS = {"gross": "毛口径 gross", "net": "净口径 net", "cohort": "同批次口径 cohort"}
_PARTS = "## 分量 Parts\n\n| 代码 in code | 中文 | means |\n|---|---|---|"
_HEAD = """# 指标 Indicators

每个数值都带分子、分母（整数克）、单位、期间、范围、定义编号与版本、完整性；不能计算时为空并给出原因。
数值不截断；判定达标用整数直接比较，不先取整；页面上的百分数只舍不入。本页与 `flows/tables/indicators.toml` 一致，由测试保证。

Every value carries numerator and denominator in whole grams, unit, period, boundary, definition with its version, and
completeness; where nothing can be said it is null with a reason. Values are never clipped; a target is judged on whole
numbers before any rounding, and a percentage on a page is cut, not rounded. This page equals
`flows/tables/indicators.toml`; a test holds it.

## 计入规则 What counts, and when

- 期间为上海时间的整日，按生效时间归属；`at`、`as_of` 限定“截至何时发生”和“截至何时已知”。
  A period is whole Shanghai days by effective time; `at` and `as_of` say what had happened, and what was known, by when.
- 产生量：登记的“产生”，以及改变物质的工艺中新出的废物。分批、合批、换装不产生废物；未用利用处置方式、物料不变的处理
  （如自行干燥）也不产生；由废料分选出的废料不算。外购废料不是任何单位的产生量。
  Generation: what was stated as generated, and waste that a process of substance made anew. Splitting, merging and
  repacking make none, nor does treating the same material without a method, nor sorting scrap out of scrap. Bought
  scrap is nobody's generation.
- 合批后的废物按所含各产生单位的克数分摊，整克不失；同一克在一个口径下只计一次。
  Merged waste is attributed to its generators by the grams in it, and no gram is lost; a gram counts once a view.
- 往年量：期初库存，或在期间第一日之前产生的。Prior: opening stock, or what was generated before the first day.
- 接受量以接受人过磅为准；多出的部分随产生单位计入（因此比率可能超过 100%），净口径则不计。
  What is accepted counts by the consignee's scale; what that scale finds more follows the generator, so that a rate may
  exceed 100 %; the net ledger does not follow it.
- 净口径与同批次口径：由废物制成的次生废物沿用最初的产生单位，只有此前不是废物的部分才算产生；只计最终去向。
  Net and cohort: waste made of waste stays its first generator's, only what was no waste before is generated; only final
  fates count.
- 再生部分：原生金属按溯源扣除；助熔剂、空气等不分摊金属；单位自己的残渣回到自己（或返还给它）是内部循环，不是供应。
  Secondary metal: primary metal is taken off by provenance; flux and air carry no metal; a residue that comes back to
  where it arose is a loop and no supply.
- 行政区的原生产量、精炼产量、十种金属产量来自登记的外部数据，须恰好覆盖期间；可由月、季首尾相接拼成，后登记的代替先登记的。
  A division's outputs are declared; the declarations must cover the period exactly, pieced together end to end, the
  later word on the same days standing for the earlier.

## 定义 Definitions
"""
