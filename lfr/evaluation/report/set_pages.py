"""The pages on the set itself, and on how everything was measured."""

from __future__ import annotations

from collections import Counter

from lfr.domain.intervals import percent
from lfr.evaluation.report import words
from lfr.evaluation.report.page import Page, Table, Text
from lfr.evaluation.set_run import Evaluated
from lfr.evaluation.suspects import named

_MOST = 60
_METHOD = {
    "Search": (
        "For each draw the given number of people who have two pictures or more is chosen at random and one "
        "picture of each is listed. Their other pictures are searches of listed people; every picture of "
        "everybody else is a search of an unlisted person. Searches of all draws are pooled."
    ),
    "TPIR": (
        "True positive identification rate: the right entry came first and reached the threshold. A picture "
        "without a face is a miss."
    ),
    "FPIR": (
        "False positive identification rate: the best entry reached the threshold though the person is not listed."
    ),
    "FNIR": "One less TPIR: listed people missed.",
    "FTE": ("Failure to enrol: share of pictures in which no face was found, after a second look at another scale."),
    "Threshold": "The smallest at which the share of unlisted searches that reach it is at most the allowed one.",
    "Interval of TPIR": (
        "People are drawn again with replacement, all their searches with them, a thousand times, and the "
        "threshold is found anew each time; the middle 95 % are given. Where no one is missed: the exact "
        "interval of as many people."
    ),
    "Interval of FPIR": (
        "Exact (Clopper and Pearson) at the effective number of searches: several pictures of one person, and "
        "one entry that resembles many, count for less than independent searches would."
    ),
    "Insufficient evidence": (
        "A rate of 1 in n cannot be shown by fewer than about 3 n people who are searched without an error (95 %)."
    ),
    "One-to-one": (
        "Pairs of pictures are told the same person or different by a threshold chosen on nine tenths of the "
        "pairs and tried on the last tenth; ten shuffles. A pair with a face that was not found is told "
        "different."
    ),
}


def the_set(found: Evaluated, name: str) -> Page:
    """What is odd in the set, with names, so that somebody can look."""
    embedded, people = found.embedded, found.people
    kinds = Counter(suspect.kind for suspect in found.suspects)
    rows = [
        ("no face found", len(embedded.faceless), "counted in FTE; a miss where the person is listed"),
        ("unreadable", len(embedded.unreadable), "counted in FTE; a miss where the person is listed"),
        ("more than one face", embedded.several, "the most central face was taken"),
        ("too small for enrolment", embedded.too_small, "evaluated all the same"),
        ("too blurred for enrolment", embedded.too_blurred, "evaluated all the same"),
        ("people with one picture", people.single, "can only be unlisted"),
        ("empty folders", len(people.empty), "not evaluated"),
        ("files that are no pictures by their names", people.other_files, "not evaluated"),
        *((kind, count, "in all rates; listed below") for kind, count in sorted(kinds.items())),
    ]
    said = [(what, f"{count:,}", became) for what, count, became in rows]
    blocks: list[Text | Table] = [Table.of("Counted, never dropped", ("what", "how many", "what became of it"), said)]
    if found.groups is not None and found.groups.strangers:
        blocks.append(Text(f"{found.groups.strangers:,} rows of the groups' CSV name nobody in the set."))
    blocks += _suspects(found)
    blocks += _faceless(found)
    return Page(
        "The set, and what is odd in it",
        f"The set {name} has {len(people.pictures):,} pictures of {len(people.people):,} people; "
        f"{len(found.suspects):,} entries below should be looked at by a person.",
        "Suspects are found by scores of the very pack that is tested: a pack sees no mistake that it makes itself, "
        "and people who look alike may be listed here without a mistake. Whoever is not listed is not thereby right.",
        tuple(blocks),
    )


def _suspects(found: Evaluated) -> list[Text | Table]:
    if not found.suspects:
        return [Text("No picture is suspect.")]
    pictures = found.people.pictures
    listed = named(list(found.suspects), lambda row: f"{pictures[row].parent.name}/{pictures[row].name}")
    blocks: list[Text | Table] = []
    if found.without_suspects:
        rows = [
            (words.target(ours), percent(ours.tpir), percent(without.tpir), f"{without.threshold:.4f}")
            for ours, without in zip(found.operated.points, found.without_suspects.points, strict=True)
        ]
        columns = ("allowed", "TPIR with everybody", "TPIR without suspects", "threshold without")
        blocks.append(Table.of("If all people with a suspect picture were left out", columns, rows))
        blocks.append(
            Text("Leaving them out flatters: some of them are merely hard. The rates of this report keep everybody.")
        )
    blocks.append(Table.of("Suspect pictures", ("kind", "pictures", "score"), listed[:_MOST]))
    if len(listed) > _MOST:
        blocks.append(Text(f"{len(listed) - _MOST:,} more are in suspects.csv."))
    return blocks


def _faceless(found: Evaluated) -> list[Text | Table]:
    pictures = found.people.pictures
    rows = [
        (f"{pictures[row].parent.name}/{pictures[row].name}", what)
        for what, some in (("no face", found.embedded.faceless), ("unreadable", found.embedded.unreadable))
        for row in some
    ]
    if not rows:
        return []
    more = [Text(f"{len(rows) - _MOST:,} more are in suspects.csv.")] if len(rows) > _MOST else []
    return [Table.of("Pictures without a face", ("picture", "what"), rows[:_MOST]), *more]


def method(found: Evaluated) -> Page:
    """Terms and ways, and what would have to be done next."""
    speed = len(found.people.pictures) / found.embedded.seconds if found.embedded.seconds else 0.0
    return Page(
        "How this was measured",
        "Terms and methods, so that somebody else can do the same and get the same: all random choices follow from the "
        f"seed {found.plan.seed}.",
        "No method makes up for pictures that are unlike the place where the system will be used.",
        (
            Table.of("Terms (ISO/IEC 19795-1 and -10)", ("term", "meaning"), list(_METHOD.items())),
            Text(
                f"Found and embedded {speed:.1f} pictures a second with {found.workers} workers; "
                f"{found.seconds:.0f} s for everything. Templates were held in memory only."
            ),
        ),
    )
