"""Group labels of a face set's people, from a CSV. Only reports read them, no engine, matcher or threshold (I5)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import ConfigError

NOT_STATED = "not stated"
CHARACTERISTICS = {"sex": ("sex", "gender"), "ethnicity": ("ethnic", "race"), "age": ("age",)}
"""What a test must break its rates down by (I1), and the words by which a column's name shows that it is there."""
_HINT = "a CSV with a column `identity` (folder names) and one column for each kind of group"


@dataclass(frozen=True, slots=True)
class Groups:
    """labels: for each column, one value per person in the set's order. strangers: rows that name nobody in the set."""

    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strangers: int = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Characteristics that no column speaks of: nothing can be said about them (I1)."""
        columns = [column.lower() for column in self.labels]
        return tuple(
            name
            for name, words in CHARACTERISTICS.items()
            if not any(_speaks_of(column, word) for column in columns for word in words)
        )

    def masks(self, column: str) -> dict[str, NDArray[np.bool_]]:
        """Who is in each group of a column: bool (people,) by value."""
        values = np.array(self.labels[column])
        return {str(value): values == value for value in sorted(set(self.labels[column]))}

    def intersections(self) -> dict[str, dict[str, NDArray[np.bool_]]]:
        """Each pair of columns, each pair of their values, also pairs that nobody is in."""
        found: dict[str, dict[str, NDArray[np.bool_]]] = {}
        for one, other in combinations(self.labels, 2):
            found[f"{one} & {other}"] = {
                f"{a} & {b}": first & second
                for a, first in self.masks(one).items()
                for b, second in self.masks(other).items()
            }
        return found


def read_groups(path: Path, people: Sequence[str], columns: Sequence[str] = ()) -> Groups:
    """Read the groups of these people. columns: which to take; without any, those whose name ends in `_label`.

    A person without a row or with an empty field is in the group "not stated". Raises ConfigError on a file that is
    no such table, on a column that is not there, and on two rows that differ for one person.
    """
    header, rows = _table(path)
    if "identity" not in header:
        raise ConfigError(f"{path}: no column `identity`", hint=_HINT)
    taken = list(columns) or [name for name in header if name.endswith("_label")]
    unknown = [name for name in taken if name not in header]
    if unknown or not taken:
        wrong = f"no column {unknown[0]!r}" if unknown else "no column ends in `_label`"
        raise ConfigError(f"{path}: {wrong}", hint=f"name one with --group-by; there are: {', '.join(header)}")
    known = set(people)
    said: dict[str, tuple[str, ...]] = {}
    strangers = 0
    for number, row in enumerate(rows, start=2):
        values = tuple((row[name] or "").strip() or NOT_STATED for name in taken)
        person = row["identity"]
        if person not in known:
            strangers += 1
        elif said.setdefault(person, values) != values:
            raise ConfigError(f"{path}, line {number}: a second row of one person says otherwise", hint=_HINT)
    nothing = (NOT_STATED,) * len(taken)
    table = [said.get(person, nothing) for person in people]
    return Groups({name: tuple(row[place] for row in table) for place, name in enumerate(taken)}, strangers)


def _table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = list(reader)
            header = list(reader.fieldnames or ())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint=_HINT) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no CSV table in UTF-8", hint=_HINT) from error
    if any(None in row or None in row.values() for row in rows):
        raise ConfigError(f"{path}: a row has more or fewer fields than the header", hint=_HINT)
    return header, rows


def _speaks_of(column: str, word: str) -> bool:
    # `age` must not be found in `image` or `language`.
    return word in column.split("_") or (len(word) > 3 and word in column)
