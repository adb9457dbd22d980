"""The pages on how often listed people are found and unlisted ones are not left alone."""

from __future__ import annotations

from lfr.domain.intervals import one_in, percent, span
from lfr.evaluation.report import plots, words
from lfr.evaluation.report.page import Page, Plot, Table, Text
from lfr.evaluation.set_run import Evaluated
from lfr.evaluation.variants import Variant

STILLS = (
    "Still pictures are no street: people who walk past a camera are smaller, turned, blurred and badly lit, and more "
    "of them are missed"
)


def summary(found: Evaluated) -> Page:
    """The first page: the figures that matter, and everything that they do not say."""
    point, *_ = found.operated.points
    rows = [(words.target(p), words.tpir(p), f"{p.threshold:.4f}", words.evidence(p)) for p in found.operated.points]
    columns = ("false alerts allowed", "listed people found (TPIR)", "threshold", "evidence")
    blocks: list[Text | Table | Plot] = [
        Table.of("What was found", columns, rows),
        *(Text(f"Insufficient evidence: {p.words}. The figure is given all the same, as a hint.")
          for p in found.operated.points if not p.supported),
        Table.of("What was tested", ("what", "value"), _tested(found)),
    ]  # fmt: skip
    if found.groups is not None:
        blocks.append(Text(_equality(found)))
    return Page(
        "What this test found",
        f"On {len(found.people.pictures):,} pictures of {len(found.people.people):,} people, with lists of "
        f"{found.entries:,}, the pack {found.pack.name} found {percent(point.tpir)} of the searches for listed people "
        f"(95 % interval {span(*point.tpir_interval)}) at a setting that gives a false alert in "
        f"{one_in(point.target)} searches of people who are not listed.",
        f"{STILLS}. It says nothing about people unlike those in the set, about another pack, threshold, camera or "
        "list, or about what officers do with an alert.",
        tuple(blocks),
    )


def _tested(found: Evaluated) -> list[tuple[str, str]]:
    rows = [
        ("pack", f"{found.pack.name}: {found.pack.title}"),
        ("permitted use of the pack", found.pack.use),
        ("pictures, people", f"{len(found.people.pictures):,}, {len(found.people.people):,}"),
        ("people on each list", f"{found.entries:,}, one picture each"),
        ("lists drawn", f"{found.plan.draws}, seeds {found.plan.seed} to {found.plan.seed + found.plan.draws - 1}"),
        ("searches", f"{len(found.trials.hits):,} of listed, {len(found.trials.tops):,} of unlisted people"),
        ("no face found (FTE)", str(found.faceless)),
        ("own entry came first at any score (rank 1)", percent(found.trials.rank1)),
    ]
    if found.verified:
        v = found.verified
        rows.append(("one-to-one pairs told right", f"{percent(v.accuracy)} of {v.pairs:,} (95 % {span(*v.interval)})"))
    return rows


def _equality(found: Evaluated) -> str:
    states = [finding.state.value for finding in found.findings]
    counts = ", ".join(f"{states.count(state)} x {state}" for state in dict.fromkeys(sorted(states)))
    missing = found.groups.missing if found.groups else ()
    unsaid = f" Nothing at all can be said about {', '.join(missing)}: the set has no such labels." if missing else ""
    return f"Between groups of people: {counts or 'no group was compared'}.{unsaid}"


def curves(found: Evaluated) -> Page:
    """TPIR over FPIR, and the DET curve."""
    points = found.operated.points
    name, theirs = (found.against.name, found.against.curve) if found.against else ("", None)
    rows = [(words.target(p), f"{p.threshold:.4f}", words.tpir(p), words.fpir(p), words.evidence(p)) for p in points]
    return Page(
        "Finding listed people against troubling others",
        "Every threshold is a bargain: the further left on these curves, the fewer people are stopped in error, and "
        "the more listed people walk past unnoticed.",
        f"Left of the grey edge, at {one_in(3 / max(1, points[0].strangers))}, this set has too few people: a rate "
        "that looks like zero there is only a rate that could not be seen. The bands speak of other people like these, "
        "not of other cameras.",
        (
            Plot(
                plots.found_over_false(found.curve, points, theirs, name),
                "TPIR over FPIR with 95 % band. " + "; ".join(f"at {words.target(p)} {words.tpir(p)}" for p in points),
            ),
            Plot(
                plots.detection_error_trade_off(found.curve, points[0].strangers, theirs, name),
                "Detection error trade-off: share of listed people missed over the share of false alerts.",
            ),
            Table.of("At the thresholds", ("allowed", "threshold", "TPIR", "FPIR counted", "evidence"), rows),
        ),
    )


def scores(found: Evaluated) -> Page:
    """Score distributions and why a threshold lies where it lies."""
    points = found.operated.points
    stand = "; ".join(f"threshold {p.threshold:.4f} at {words.target(p)}" for p in points)
    return Page(
        "Scores, and where the thresholds stand",
        "Listed people score high against their own entry, unlisted people low against everybody's. A threshold stands "
        "where the allowed share of the unlisted reaches it; listed people to its left are missed.",
        "A score is no probability that two pictures show one person, and a threshold of this pack means nothing with "
        "another pack or another list.",
        (
            Plot(
                plots.score_distributions(found.trials, points),
                f"Histograms of best scores. {stand}",
            ),
            Text(
                "Searches in which somebody else's entry came first are misses and not drawn: "
                f"{percent(1 - found.trials.rank1)} of the searches for listed people."
            ),
        ),
    )  # fmt: skip


def list_sizes(found: Evaluated) -> Page:
    """What a longer list costs."""
    measured = sorted([*found.sizes, (found.entries, found.operated)])
    rows = [
        (f"{size:,}", words.target(point), f"{point.threshold:.4f}", words.tpir(point), words.evidence(point))
        for size, operated in measured
        for point in operated.points
    ]
    blocks: list[Text | Table | Plot] = [
        Table.of("By size of the list", ("people listed", "allowed", "threshold", "TPIR", "evidence"), rows)
    ]
    if len(measured) > 1:
        blocks.insert(0, Plot(plots.list_sizes(measured), "TPIR over the number of people on the list."))
    return Page(
        "What a longer list costs",
        "The longer the list, the likelier a stranger resembles somebody on it: the threshold must rise, and more "
        "listed people are missed.",
        f"Lists longer than {measured[-1][0]:,} were not searched here. Nothing on this page may be carried on to a "
        "list of ten or twenty thousand.",
        tuple(blocks),
    )


def ways(found: Evaluated) -> Page:
    """Two pictures for an entry; several shots of a passage."""
    named: list[tuple[str, Variant, str, str]] = []
    if found.two_pictures:
        named.append(("two pictures for each entry", found.two_pictures, "one picture", "two pictures"))
    if found.fused_stills:
        named.append(("two or three pictures as one transit", found.fused_stills, "each alone", "fused"))
    if found.walked:
        named.append(("made transits", found.walked.variant, "best shot alone", "fused over one second"))
    rows = [
        (
            name,
            f"{variant.entries:,}",
            words.target(g.plain),
            percent(g.plain.tpir),
            percent(g.better.tpir),
            words.gain(g),
        )
        for name, variant, _, _ in named
        for g in variant.gains
    ]
    columns = ("way", "people listed", "allowed", "TPIR without", "TPIR with", "difference")
    blocks: list[Text | Table | Plot] = [Table.of("With and without, on the same people", columns, rows)]
    if named:
        lines = [
            (f"{name}: {label}" if name == "made transits" else label, operated)
            for name, variant, plain, better in named
            for label, operated in ((plain, variant.plain), (better, variant.better))
        ]
        drawn = "TPIR with its interval for each way, without and with. Wide intervals run out of the drawing."
        blocks.insert(0, Plot(plots.ways(lines), drawn))
    thin = [name for name, variant, *_ in named if not all(p.supported for p in variant.better.points)]
    if thin:
        blocks.append(
            Text(f"Insufficient evidence at one target or more: {', '.join(thin)}. Intervals are wide there.")
        )
    blocks.append(Text(_walked(found)))
    return Page(
        "More pictures of one person",
        "A second picture of a listed person, or several shots of somebody who passes, make one better comparison: "
        "this page says by how much on the same people.",
        "The second picture here is another news picture, not a police photograph; shots of one passage in a street "
        "resemble each other more than these do, so that fusing them may give less. Each pair of lines has people and "
        "lists of its own: compare within a pair only.",
        tuple(blocks),
    )


def _walked(found: Evaluated) -> str:
    if found.walked is None:
        return "Made transits were not measured in this run (option --transits)."
    w = found.walked
    return (
        f"Made transits: {w.listed_walkers:,} listed and {w.strangers:,} unlisted people passed by once each, as "
        f"stills that come nearer, turned, blurred, noisy and compressed. {w.missed:,} gave no two good shots: "
        "misses where listed, no alerts where not."
    )


def against(found: Evaluated) -> Page | None:
    """Beside the library's own path; None where it was not run."""
    other = found.against
    if other is None:
        return None
    rows = [(words.target(g.plain), words.tpir(g.plain), words.tpir(g.better), words.gain(g)) for g in other.gains]
    lines = [
        ("no face found", str(other.faceless), str(found.faceless)),
        ("own entry first (rank 1)", percent(other.rank1), percent(found.trials.rank1)),
    ]
    if other.verified and found.verified:
        lines.append(("one-to-one, all pairs", percent(other.verified.accuracy), percent(found.verified.accuracy)))
        lines.append(
            (
                "one-to-one, both faces detected",
                percent(other.verified.detected_only),
                percent(found.verified.detected_only),
            )
        )
    return Page(
        f"Beside {other.name}",
        f"The same models, pictures and lists, once through this system's path for stills and once through "
        f"{other.name}, the loop a user would write.",
        "It compares two ways to use one recogniser. It does not compare this system with another make.",
        (
            Table.of("TPIR", ("allowed", other.name, "this system", "difference"), rows),
            Table.of("Other figures", ("figure", other.name, "this system"), lines),
        ),
    )
