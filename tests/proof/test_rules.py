"""The proof of the rules proves itself: what counts, what does not, and that a build without proof fails."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support import rulebook
from tests.support.assertions import asserts

ROOT = Path(__file__).parents[2]
SETTINGS = """
[pytest]
testpaths = t
markers =
    rule(id): the rule
filterwarnings = error
"""
BOOK = """
scope: [A]
groups: {A: First, D: Later}
rules:
  A1: {core: true, kind: gate, text: "Ask first.", enforced_by: ["lfr.domain.mandate:verify"]}
  A2: {core: true, kind: gate, text: "Write it down.", enforced_by: ["lfr.domain.plan:Plan"]}
  A7: {kind: gate, text: "Not there."}
  D1: {core: true, kind: gate, text: "One bundle."}
mutants: {}
"""
PAGE = "Before.\n<!-- begin rules -->\n<!-- end rules -->\nAfter.\n"
A1 = """
import pytest

@pytest.mark.rule("A1")
@pytest.mark.parametrize("n", [1, 2])
def test_asked(n):
    assert n
"""
A2 = A1.replace("A1", "A2").replace("asked", "written")


class Project:
    """A folder with tests, rules and a page of its own."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "t").mkdir()
        (folder / "pytest.ini").write_text(SETTINGS)
        (folder / "rules.yaml").write_text(BOOK)
        self.page = folder / "page.md"
        self.page.write_text(PAGE)

    def test(self, name, text):
        (self.folder / "t" / f"test_{name}.py").write_text(text)

    def run(self, *arguments):
        given = ["--rulebook", "rules.yaml", "--governance", "page.md", "-p", "tests.support.rules", *arguments]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        clean |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *given],
            cwd=self.folder, env=clean, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    made.test("a1", A1)
    made.test("a2", A2)
    return made


def test_a_whole_run_writes_the_table_and_a_second_one_agrees_with_it(project):
    ran = project.run("--rules", "write")
    assert ran.returncode == 0, ran.stdout
    page = project.page.read_text()
    assert page.startswith("Before.\n")
    assert page.endswith("After.\n")
    assert "| A1★ | Ask first. | gate: `domain.mandate:verify` | [asked](../t/test_a1.py) |" in page
    assert "| D1★ | One bundle. | gate: not yet | not yet |" in page
    assert project.run("--rules", "check").returncode == 0


def test_a_table_that_says_something_else_fails_the_build(project):
    project.run("--rules", "write")
    project.page.write_text(project.page.read_text().replace("Ask first.", "Ask later."))
    ran = project.run("--rules", "check")
    assert ran.returncode == 1
    assert "the table is not what the tests show" in ran.stdout


NO_PROOF = {
    "skipped": A2.replace("    assert n", "    pytest.skip('not here')"),
    "one case skipped": A2.replace("    assert n", "    assert n == 1 or pytest.skip('not here')"),
    "expected to fail": A2.replace("    assert n", "    pytest.xfail('later')"),
    "expected to fail, and passes": A2.replace("@pytest.mark.rule", "@pytest.mark.xfail\n@pytest.mark.rule"),
    "asserts nothing": A2.replace("assert n", "print(n)"),
    "asserts a constant": A2.replace("assert n", "assert True"),
}


def test_a_core_rule_without_a_test_that_counts_fails_the_build(project):
    """One rule for each way of not proving it, all in one run; the rule beside them is proved."""
    rule = '  A{}: {{core: true, kind: gate, text: "x", enforced_by: ["lfr.domain.plan:Plan"]}}\n'
    extra = "".join(rule.format(20 + i) for i in range(len(NO_PROOF)))
    (project.folder / "rules.yaml").write_text(BOOK.replace("  D1:", extra + "  D1:"))
    for i, text in enumerate(NO_PROOF.values()):
        project.test(f"a{20 + i}", text.replace('"A2"', f'"A{20 + i}"'))
    ran = project.run("--rules", "check")
    assert ran.returncode == 1
    unproved = {line.partition(":")[0] for line in ran.stdout.splitlines() if line.endswith("no test proves it")}
    assert unproved == {f"A{20 + i}" for i in range(len(NO_PROOF))}


def test_a_run_of_some_tests_or_a_red_one_leaves_the_table_alone(project):
    project.run("--rules", "write")
    before = project.page.read_text()
    project.run("--rules", "write", "t/test_a1.py")
    project.run("--rules", "write", "-k", "asked")
    project.test("a2", A2.replace("assert n", "assert n > 1").replace("written", "signed"))
    project.run("--rules", "write")
    assert project.page.read_text() == before
    assert project.run("--rules", "check", "t/test_a1.py").returncode == 1


def test_a_rule_that_does_not_exist_is_an_error(project):
    project.test("a2", A2.replace("A2", "A99"))
    ran = project.run()
    assert ran.returncode == 4
    assert "there is no rule 'A99'" in ran.stderr + ran.stdout


def helper(value):
    assert value


def test_what_asserts_is_seen_through_helpers_and_decorators():
    def by_helper():
        helper(1)

    def by_raises():
        with pytest.raises(ValueError, match="x"):
            int("x")

    def nothing():
        print(helper)

    assert asserts(by_helper)
    assert asserts(by_raises)
    assert not asserts(nothing)


def test_the_rules_name_code_that_exists_and_every_gate_in_scope_has_a_mutant():
    book = rulebook.load()
    spots = {spot for rule in book.rules.values() for spot in rule.enforced_by}
    spots |= {mutant.at for named in book.mutants.values() for mutant in named.values()}
    assert [rulebook.resolve(spot) for spot in sorted(spots)]
    landed = {rule for rule, one in book.rules.items() if one.enforced_by}
    assert [fault for fault in book.faults() if fault.partition(":")[0] in landed] == []


def test_a_gate_without_a_mutant_and_a_mutant_without_a_rule_are_faults():
    mutant = rulebook.Mutant(at="lfr.domain.mandate:verify", fails=("t",))
    book = msgspec.structs.replace(rulebook.load(), mutants={"A99": {"x": mutant}})
    faults = book.faults()
    assert "A1: a gate that no mutant disables" in faults
    assert "A99: a mutant of a rule that is not here" in faults
    assert "A99 x: body or swap?" in faults
