"""A pytest plugin: what each rule is proved by, out of the markers and what this very run showed.

`--rules write` puts the table into docs/governance.md, `--rules check` fails when the committed table is another one,
or when a core rule of a group in scope has no test that counts. A test counts when it names the rule, asserts
something, and all its cases ran and passed: skipped and expected failures do not. Both need the whole suite; a run of
some tests leaves the table alone.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support import assertions, pages, rulebook
from tests.support.rulebook import Rulebook

PAGE = rulebook.ROOT / "docs" / "governance.md"
KINDS = {"gate": "gate", "default": "safe default", "record": "signed record", "figure": "published"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rules")
    group.addoption("--rules", choices=["write", "check"], help="write or check the table of rules")
    group.addoption("--rulebook", type=Path, default=rulebook.FILE, help="the rules")
    group.addoption("--governance", type=Path, default=PAGE, help="the page with the table")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Proof(config, rulebook.load(config.getoption("--rulebook"))), "rules-proof")


class Proof:
    """One run's evidence."""

    def __init__(self, config: pytest.Config, book: Rulebook) -> None:
        self._config = config
        self._book = book
        self._named: dict[str, set[str]] = defaultdict(set)  # rule -> tests that name it
        self._empty: set[str] = set()  # tests that assert nothing
        self._passed: set[str] = set()
        self._not: set[str] = set()  # a case that failed, was skipped, or was expected to fail
        self._whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
        self._page: Path = config.getoption("--governance")
        self._said: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which test names which rule. Raises UsageError for a rule that does not exist."""
        for item in items:
            test = rulebook.function_of(item.nodeid)
            for rule in (rule for mark in item.iter_markers("rule") for rule in mark.args):
                if rule not in self._book.rules:
                    raise pytest.UsageError(f"{item.nodeid}: there is no rule {rule!r} in docs/rules.yaml")
                if test not in self._named[rule]:
                    self._named[rule].add(test)
                    if not assertions.asserts(item.obj):  # type: ignore[attr-defined]
                        self._empty.add(test)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Not the whole suite, then."""
        self._whole = self._whole and not items

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came of each case."""
        test = rulebook.function_of(report.nodeid)
        if not report.passed or hasattr(report, "wasxfail"):
            self._not.add(test)
        elif report.when == "call":
            self._passed.add(test)

    def proofs(self) -> dict[str, list[str]]:
        """Rule -> the tests that count, in order."""
        good = self._passed - self._not - self._empty
        return {rule: sorted(self._named[rule] & good) for rule in self._book.rules}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write or check, when asked to."""
        wanted = self._config.getoption("--rules")
        if wanted is None:
            return
        proofs = self.proofs()
        if wanted == "write":
            self._write(proofs, exitstatus)
            return
        self._said = self._wrong(proofs)
        if self._said and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, proofs: dict[str, list[str]], exitstatus: int) -> None:
        if not self._whole or exitstatus or self._not & set().union(*self._named.values()):
            self._said = ["the table is left as it is: it is written only when the whole suite ran and passed"]
            return
        self._page.write_text(pages.with_part(self._page.read_text(), "rules", table(self._book, proofs)))
        self._said = unproved(self._book, proofs)

    def _wrong(self, proofs: dict[str, list[str]]) -> list[str]:
        if not self._whole:
            return ["the proof of the rules needs the whole suite"]
        said = unproved(self._book, proofs)
        said += [f"{test} names a rule and asserts nothing" for test in sorted(self._empty)]
        text = self._page.read_text()
        if pages.with_part(text, "rules", table(self._book, proofs)) != text:
            said.append("docs/governance.md: the table is not what the tests show; run scripts/test and commit it")
        return said

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what came of it."""
        if self._said:
            terminalreporter.section("rules")
            for line in self._said:
                terminalreporter.line(line)


def unproved(book: Rulebook, proofs: dict[str, list[str]]) -> list[str]:
    """Core rules of groups in scope that lack a test or the code that enforces them."""
    wanted = [rule for rule in book.rules if book.in_scope(rule)]
    said = [f"{rule}: no test proves it" for rule in wanted if not proofs[rule]]
    return said + [f"{rule}: docs/rules.yaml names no code" for rule in wanted if not book.rules[rule].enforced_by]


def table(book: Rulebook, proofs: dict[str, list[str]]) -> str:
    """One Markdown table for each group."""
    parts = []
    for group, title in book.groups.items():
        parts.append(f"### {group}. {title}\n")
        parts.append("| rule | asks | enforced by | proved by |\n|---|---|---|---|")
        for rule, one in book.rules.items():
            if rule[0] == group:
                star = "★" if one.core else ""
                code = "<br>".join(f"`{spot.removeprefix('lfr.')}`" for spot in one.enforced_by) or "not yet"
                tests = "<br>".join(_short(test) for test in proofs[rule]) or "not yet"
                parts.append(f"| {rule}{star} | {one.text} | {KINDS[one.kind]}: {code} | {tests} |")
        parts.append("")
    return "\n".join(parts)


def _short(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.replace('_', ' ').removeprefix('test ')}](../{path})"
