"""One-to-one comparison on a list of pairs: the sanity line beside the open-set figures (the protocol of LFW)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lfr.domain.errors import ConfigError
from lfr.domain.faces import Metric, Templates
from lfr.domain.intervals import Interval, wilson
from lfr.evaluation.labelled_set import LabelledSet
from lfr.evaluation.openset import Rows

FOLDS, REPEATS = 10, 10
_GRID = 300
_HINT = "lines of NAME<TAB>i<TAB>j (same person) or NAME<TAB>i<TAB>NAME<TAB>j; picture i of NAME is NAME/NAME_000i.*"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of pictures, int64 (pairs,) rows of the set, and whether both show one person."""

    first: Rows
    second: Rows
    same: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verified:
    """accuracy: share of all pairs told right, a pair with an undetected face told "different".

    detected_only: share of the pairs with two faces. threshold: mean over the folds. Means over REPEATS shuffles.
    """

    pairs: int
    same: int
    undetected: int
    accuracy: float
    interval: Interval
    detected_only: float
    threshold: float


def read_pairs(path: Path, people: LabelledSet) -> Pairs:
    """Read pairs in LFW's form, with or without its header line (folds and counts, which are not used).

    Picture i of a person is the file whose name ends in i (NAME_0001.jpg, 1.jpg), in a folder of names without numbers
    the i-th file.
    Raises ConfigError with the line's number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the pairs in {path}", hint=_HINT) from error
    number = {name: index for index, name in enumerate(people.people)}
    found: list[tuple[int, int, bool]] = []
    for place, line in enumerate(lines, start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not fields or (place == 1 and all(field.strip().isdigit() for field in fields)):
            continue
        if len(fields) not in {3, 4}:
            raise ConfigError(f"{path}, line {place}: {len(fields)} fields, 3 or 4 are needed", hint=_HINT)
        one, other = (fields[0], fields[1]), (fields[-2], fields[-1]) if len(fields) == 4 else (fields[0], fields[2])
        rows = [_row(people, number, *picture) for picture in (one, other)]
        if rows[0] is None or rows[1] is None:
            raise ConfigError(f"{path}, line {place}: a picture that is not in the set", hint=_HINT)
        found.append((rows[0], rows[1], one[0] == other[0]))
    if len({same for *_, same in found}) < 2:
        raise ConfigError(f"{path}: pairs of the same and of different people are needed", hint=_HINT)
    first, second, same = (np.array(column) for column in zip(*found, strict=True))
    return Pairs(first.astype(np.int64), second.astype(np.int64), same.astype(np.bool_))


def _row(people: LabelledSet, number: dict[str, int], name: str, picture: str) -> int | None:
    person = number.get(name)
    if person is None or not picture.strip().isdigit():
        return None
    wanted = int(picture)
    rows = people.rows[person]
    for row in rows:
        ending = people.pictures[row].stem.rpartition("_")[2]
        if ending.isdigit() and int(ending) == wanted:
            return int(row)
    numbered = any(people.pictures[row].stem.rpartition("_")[2].isdigit() for row in rows)
    return int(rows[wanted - 1]) if not numbered and 1 <= wanted <= len(rows) else None


def verify(pairs: Pairs, templates: Templates, seen: NDArray[np.bool_], metric: Metric, *, seed: int) -> Verified:
    """Accuracy with a threshold that is chosen on nine tenths of the pairs and tried on the last, ten times over."""
    scores = _scores(pairs, templates, metric)
    both = seen[pairs.first] & seen[pairs.second]
    scores[~both] = -np.inf
    right, thresholds = _cross_validated(scores, pairs.same, seed)
    detected, _ = _cross_validated(scores[both], pairs.same[both], seed) if both.sum() >= FOLDS else (0.0, [0.0])
    count = len(scores)
    return Verified(
        pairs=count,
        same=int(pairs.same.sum()),
        undetected=int((~both).sum()),
        accuracy=right / count,
        interval=wilson(right, count),
        detected_only=detected / max(1, int(both.sum())),
        threshold=float(np.mean(thresholds)),
    )


def _scores(pairs: Pairs, templates: Templates, metric: Metric) -> NDArray[np.float64]:
    one, other = templates[pairs.first], templates[pairs.second]
    if metric == "cosine":
        return np.asarray((one * other).sum(axis=1), np.float64)
    return np.asarray(1 - np.linalg.norm(one - other, axis=1), np.float64)


def _cross_validated(scores: NDArray[np.float64], same: NDArray[np.bool_], seed: int) -> tuple[float, list[float]]:
    """Pairs told right, the mean over all shuffles, and every threshold used."""
    right = 0
    thresholds: list[float] = []
    for repeat in range(REPEATS):
        folds = np.array_split(np.random.default_rng([seed, repeat]).permutation(len(scores)), FOLDS)
        for fold in folds:
            others = np.ones(len(scores), np.bool_)
            others[fold] = False
            threshold = best_threshold(scores[others], same[others])
            right += int(((scores[fold] >= threshold) == same[fold]).sum())
            thresholds.append(threshold)
    return right / REPEATS, thresholds


def best_threshold(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """Where the smoothed number of wrong pairs is lowest. -inf scores (no face) are wrong or right wherever it lies.

    Counted errors form a flat, jagged valley whose lowest point is chance; each score is spread by a Gaussian kernel
    of Silverman's width, so that the valley's middle is found.
    """
    finite = np.isfinite(scores)
    mine, others = scores[same & finite], scores[~same & finite]
    if not len(mine) or not len(others):
        return float(scores[finite].mean()) if finite.any() else 0.0
    grid = np.linspace(min(others.mean(), mine.mean()), max(others.mean(), mine.mean()), _GRID)
    lost = _below(grid, mine)
    wrong = len(others) - _below(grid, others)
    return float(grid[int((lost + wrong).argmin())])


def _below(grid: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    width = max(1.06 * float(scores.std()) * len(scores) ** -0.2, 1e-6)
    ordered = np.sort(scores)
    # The kernel is counted on a histogram finer than its width: exact enough, and quick on many pairs.
    bins = min(len(ordered), 400)
    counts, edges = np.histogram(ordered, bins=bins)
    centres = (edges[:-1] + edges[1:]) / 2
    return np.asarray(ndtr((grid[:, None] - centres[None]) / width) @ counts, np.float64)
