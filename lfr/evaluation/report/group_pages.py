"""The pages on groups of people. What the evidence cannot carry is said in the same table as what it can (I2)."""

from __future__ import annotations

from collections.abc import Sequence

from lfr.evaluation import equity
from lfr.evaluation.equity import Finding, Spread, State
from lfr.evaluation.report import plots, words
from lfr.evaluation.report.page import Page, Plot, Table, Text
from lfr.evaluation.set_run import Evaluated

_MEANING = (
    "Three answers are possible. Difference found: a gap this large would hardly come by chance (5 % over all tests "
    "together, Holm's method). Within margin: enough people were tested, and the gap lies, with all intervals holding "
    f"together, within {equity.TPIR_MARGIN * 100:.0f} points of TPIR or a factor of {equity.FPIR_RATIO:.0f} of FPIR. "
    "Insufficient evidence: neither can be said. Finding no difference among few people is not finding equality."
)
_HOW = (
    "Each group is compared with everybody else in the same column, at the one threshold that holds for all. Tests "
    "shuffle people, not pictures. No label was known to detector, recogniser or threshold: labels were read after all "
    "scores had been made."
)


def group_pages(found: Evaluated) -> list[Page]:
    """One page for each column and each pair of columns, and first one on what is missing."""
    if found.groups is None:
        return [_nothing()]
    columns = list(dict.fromkeys(finding.column for finding in found.findings))
    return [_missing(found), *(_column(found, column) for column in columns)]


def _nothing() -> Page:
    return Page(
        "Groups of people: not tested",
        "No groups were given, so this report says nothing about whether women and men, older and younger people, or "
        "people of different ethnicity are treated alike.",
        "Silence here is no finding of equality. Sex, ethnicity, age: insufficient evidence on all of them.",
        (Text("Give --groups CSV with a column `identity` and one column for each kind of group."),),
    )


def _missing(found: Evaluated) -> Page:
    groups = found.groups
    assert groups is not None
    rows = [
        (column, f"{sum(1 for value in values if value != 'not stated'):,} of {len(values):,}", f"{len(set(values)):,}")
        for column, values in groups.labels.items()
    ]
    missing = [(name, State.INSUFFICIENT.value, "no column in the CSV") for name in groups.missing]
    empty = [
        (f"{f.column}: {f.group}", State.INSUFFICIENT.value, "nobody in the set")
        for f in found.findings
        if f.measure == "tpir" and not f.share.people and not _anybody(found.findings, f)
    ]
    summed = [_spread(spread) for spread in found.spreads]
    return Page(
        "Groups of people: what was and was not tested",
        f"Rates were compared for {', '.join(groups.labels)}. "
        + (f"Nothing can be said about {', '.join(groups.missing)}." if groups.missing else "No kind is missing."),
        "Labels come from whoever labelled the set; they are not what people say of themselves. A group that is small "
        "or absent here is not thereby safe.",
        (
            Table.of("Columns", ("column", "people with a label", "different values"), rows),
            Table.of("Missing", ("group", "state", "why"), [*missing, *empty] or [("none", "-", "-")]),
            Table.of(
                "How far apart groups are (point values, ISO/IEC 19795-10)",
                (
                    "column",
                    "rate",
                    "worst group",
                    "worst / best",
                    "worst / geometric mean",
                    "left out (under 30 people)",
                ),
                summed,
            ),
            Text(_MEANING),
            Text(_HOW),
        ),
    )


def _anybody(findings: Sequence[Finding], one: Finding) -> bool:
    """Whether any measure saw somebody of this group."""
    return any(f.share.people for f in findings if (f.column, f.group) == (one.column, one.group))


def _spread(spread: Spread) -> tuple[str, ...]:
    def ratio(value: float | None) -> str:
        return "no ratio" if value is None else f"{value:.2f}"

    rate = "misses (FNIR)" if spread.measure == "fnir" else "false alerts (FPIR)"
    left = ", ".join(spread.left_out) or "-"
    return spread.column, rate, spread.worst or "-", ratio(spread.worst_by_best), ratio(spread.worst_by_mean), left


def _column(found: Evaluated, column: str) -> Page:
    findings = [finding for finding in found.findings if finding.column == column]
    blocks: list[Text | Table | Plot] = [Text("Hollow marks with dotted lines: insufficient evidence.")]
    for tpir, name in ((True, "Listed people found (TPIR)"), (False, "False alerts (FPIR)")):
        mine = [f for f in findings if (f.measure == "tpir") == tpir]
        if any(f.share.value is not None for f in mine):
            blocks.append(
                Plot(plots.groups(mine, tpir=tpir), f"{name} by {column}: " + "; ".join(str(f) for f in mine))
            )
        rows = [
            (f.group, f"{f.share.people:,}", words.share(f.share), _apart(f), words.p_value(f.p), words.finding(f))
            for f in mine
        ]
        apart = "difference to others" if tpir else "ratio to others"
        blocks.append(Table.of(name, ("group", "people", "rate", apart, "adjusted p", "state"), rows))
    return Page(
        f"Groups: {column}",
        f"At the threshold for {words.target(found.operated.points[0])}: " + _said(findings),
        "Where it says insufficient evidence, the rates of this page neither show a difference nor rule one out, "
        "however alike or unlike they look.",
        tuple(blocks),
    )


def _said(findings: Sequence[Finding]) -> str:
    count = {state: sum(f.state is state for f in findings) for state in State}
    different = "".join(f" {finding}." for finding in findings if finding.state is State.DIFFERENCE)
    return (
        f"of {len(findings)} comparisons {count[State.INSUFFICIENT]} have insufficient evidence, "
        f"{count[State.WITHIN]} are within margin and {count[State.DIFFERENCE]} show a difference.{different}"
    )


def _apart(finding: Finding) -> str:
    mine, theirs = finding.share.value, finding.others.value
    if mine is None or theirs is None:
        return "-"
    if finding.measure == "tpir":
        return f"{100 * (mine - theirs):+.2f} points ({100 * finding.low:+.1f} to {100 * finding.high:+.1f})"
    if not theirs or finding.high == float("inf"):
        return "no ratio"
    return f"{mine / theirs:.2f} ({finding.low:.2f} to {finding.high:.2f})"
