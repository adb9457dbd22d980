"""The mutation check can fail: it changes what it says it changes, and tells a survivor from one that was noticed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mutation import mutated
from tests.support.rulebook import Mutant

ROOT = Path(__file__).parents[2]
SOURCE = '''
LIMIT: int = 3
"""So many."""


class Door:
    """A door."""

    def open(self, key):
        """Only with the key."""
        if key != "right":
            raise ValueError(key)
        return True

    async def knock(self): return "who"


def other():
    return LIMIT
'''


def changed(**mutant):
    space = {}
    exec(mutated(SOURCE, Mutant(fails=("t",), **mutant)), space)
    return space


def test_a_body_is_replaced_and_nothing_else():
    space = changed(at="lfr.x:Door.open", body="return key")
    assert space["Door"]().open("wrong") == "wrong"
    assert space["other"]() == 3


def test_words_are_exchanged_within_the_thing_named():
    assert changed(at="lfr.x:LIMIT", swap=("3", "4"))["other"]() == 4
    with pytest.raises(ValueError, match="right"):
        changed(at="lfr.x:Door", swap=('!= "right"', '== "right"'))["Door"]().open("right")


@pytest.mark.parametrize(
    "mutant",
    [
        {"at": "lfr.x:Door.close", "body": "return"},
        {"at": "lfr.x:Window", "body": "return"},
        {"at": "lfr.x:LIMIT", "body": "return"},
        {"at": "lfr.x:other", "swap": ("THERE", "HERE")},
        {"at": "lfr.x:Door.open", "swap": ("key", "lock")},
    ],
)
def test_a_mutant_that_changes_nothing_or_too_much_is_an_error(mutant):
    with pytest.raises(LookupError):
        changed(**mutant)


TEST = "tests/vision/test_zone.py::test_a_face_is_inside_by_its_centre"
BOOK = f"""
scope: []
groups: {{C: Camera}}
rules:
  C1: {{kind: gate, text: "Zones."}}
mutants:
  C1:
    noticed:
      {{at: "lfr.vision.zone:Zone.inside", body: "return np.arange(len(boxes))", fails: ["{TEST}"]}}
    survives:
      {{at: "lfr.vision.zone:Zone.cover", body: "return", fails: ["{TEST}"]}}
    cannot-be-made:
      {{at: "lfr.vision.zone:Zone.inside", swap: ["no such words", ""], fails: ["{TEST}"]}}
"""


def check(folder, book, *words):
    path = folder / "rules.yaml"
    path.write_text(book)
    given = [sys.executable, "-m", "tests.support.mutants", "--rulebook", str(path), *words]
    return subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_test_that_fails_has_noticed_and_a_mutant_that_nobody_notices_fails_the_build(tmp_path):
    ran = check(tmp_path, BOOK)
    said = {line.split()[2]: line.split()[0] for line in ran.stdout.splitlines() if " C1 " in line}
    assert said == {"noticed": "noticed", "survives": "SURVIVED", "cannot-be-made": "SURVIVED"}
    assert ran.returncode == 1
    assert check(tmp_path, BOOK, "noticed").returncode == 0


def test_a_named_test_must_exist_pass_as_the_code_is_and_name_the_rule(tmp_path):
    gone = check(tmp_path, BOOK.replace("by_its_centre", "nowhere"), "noticed")
    assert f"{TEST.replace('by_its_centre', 'nowhere')} does not pass on the code as it is" in gone.stdout
    unmarked = check(tmp_path, BOOK.replace("C1", "C9"), "noticed")
    assert "does not name C9" in unmarked.stdout
    assert gone.returncode == unmarked.returncode == 1
