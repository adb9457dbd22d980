"""Disable each gate in turn, and see that the tests named for it fail. Run by scripts/mutants.

First all those tests run on the code as it is: they must pass, and name the rule. Then each mutant runs its own tests
in a forked process (imports of libraries are done by then), and every one of them must fail in its own body; one that
passes, or that never got so far, is a survivor. Arguments choose rules or names of mutants.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tests.support import mutation, rulebook
from tests.support.rulebook import Mutant, Rulebook

WARM = ("numpy", "cv2", "msgspec", "yaml", "cryptography.hazmat.primitives.ciphers.aead", "hypothesis.stateful",
    "pytest_asyncio", "pytest_timeout", "sqlalchemy.ext.asyncio", "sqlmodel", "alembic.config", "aiosqlite",
    "structlog", "httpx", "shapely", "argon2", "litestar")  # fmt: skip
"""What every child would import anew. Nothing of lfr, and nothing that starts threads."""


@dataclass
class Seen:
    """What one run of tests showed, by test function."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    rules: dict[str, list[str]] = field(default_factory=dict)


class _Watch:
    """A pytest plugin that fills a Seen."""

    def __init__(self, wanted: list[str]) -> None:
        self.seen = Seen()
        self._wanted = set(wanted)

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        quick = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", deadline=None, database=None, derandomize=True, phases=quick)
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # Whole files are collected, so that one name that is gone does not hide what came of all others.
        items[:] = [i for i in items if {i.nodeid, rulebook.function_of(i.nodeid)} & self._wanted]
        for item in items:
            names = [rule for mark in item.iter_markers("rule") for rule in mark.args]
            self.seen.rules[rulebook.function_of(item.nodeid)] = names

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = rulebook.function_of(report.nodeid)
        if report.when == "call":
            (self.seen.passed if report.passed else self.seen.failed).append(test)
        elif not report.passed:
            self.seen.broken.append(test)


def run(tests: list[str], mutant: Mutant | None, said: Path) -> Seen:
    """Run tests in a forked process, on a mutant if given. Their output goes to `said`."""
    out = Path(f"{said}.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside NumPy's idle threads
        child = os.fork()
    if child == 0:
        try:
            _child(tests, mutant, said, out)
        except BaseException:  # it must never come back into the parent's loop
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return Seen(**json.loads(out.read_bytes())) if out.exists() else Seen()


def _child(tests: list[str], mutant: Mutant | None, said: Path, out: Path) -> None:
    sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    if mutant is not None:
        mutation.install(mutant)
    watch = _Watch(tests)
    files = sorted({test.partition("::")[0] for test in tests})
    options = ["-q", "-p", "no:cacheprovider", "--no-header", "--timeout=60", "--assert=plain", "-o", "addopts="]
    pytest.main([*options, "--import-mode=importlib", *files], plugins=[watch])
    out.write_text(json.dumps(asdict(watch.seen)))


def chosen(book: Rulebook, words: list[str]) -> list[tuple[str, str, Mutant]]:
    """Rule, name and mutant of all that the words name; of everything without words."""
    every = [(rule, name, one) for rule, named in book.mutants.items() for name, one in named.items()]
    return [item for item in every if not words or item[0] in words or item[1] in words]


def baseline(picked: list[tuple[str, str, Mutant]], folder: Path) -> list[str]:
    """Run every named test on the code as it is. Returns what is wrong with them."""
    named = sorted({test for _, _, one in picked for test in one.fails})
    seen = run(named, None, folder / "baseline")
    tests = [rulebook.function_of(test) for test in named]
    good = set(seen.passed) - set(seen.failed) - set(seen.broken)
    wrong = [f"{test} does not pass on the code as it is" for test in tests if test not in good]
    for rule, name, one in picked:
        wrong += [f"{test} is to fail for {name}, but does not name {rule}"
            for test in map(rulebook.function_of, one.fails)
            if test in good and rule not in seen.rules.get(test, [])]  # fmt: skip
    return wrong


def survives(mutant: Mutant, folder: Path) -> str:
    """Empty when every named test failed in its own body; else what happened instead."""
    seen = run(list(mutant.fails), mutant, folder / "mutant")
    lived = [test for test in mutant.fails if rulebook.function_of(test) not in seen.failed]
    return f"not noticed by {', '.join(lived)}" if lived else ""


def main(words: list[str], book: Rulebook) -> int:
    """0 when every mutant was noticed."""
    picked = chosen(book, words)
    for name in WARM:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="lfr-mutants-") as name:
        folder = Path(name)
        wrong = [] if words else book.faults()
        wrong += baseline(picked, folder)
        for fault in wrong:
            print(fault)
        if wrong:
            print((folder / "baseline").read_text()[-4000:])
        for rule, label, one in picked:
            began = time.monotonic()
            fault = survives(one, folder)
            took = time.monotonic() - began
            print(f"{'SURVIVED' if fault else 'noticed':8} {rule:4} {label} ({took:.1f} s)", flush=True)
            if fault:
                print(f"  {one.at}: {fault}")
                print((folder / "mutant").read_text()[-2000:])
                wrong.append(fault)
    print(f"{len(picked)} mutants, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chosen", nargs="*", help="rules (A1) or names of mutants; all without")
    parser.add_argument("--rulebook", type=Path, default=rulebook.FILE, help="the rules; docs/rules.yaml without")
    given = parser.parse_args()
    sys.exit(main(given.chosen, rulebook.load(given.rulebook)))
