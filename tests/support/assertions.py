"""Whether a test asserts anything at all. One that does not proves nothing, however green it is."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

CHECKS = {"raises", "warns", "fail", "expect"}
"""Calls that fail by themselves: pytest.raises, pytest.warns, pytest.fail, Playwright's expect."""
DEPTH = 3
"""How far a test's own helpers are followed: those of its module and of tests.support."""


def asserts(test: Callable[..., Any]) -> bool:
    """Whether this test, or a helper of the tests that it calls, asserts something that is not a constant."""
    return _asserts(_innermost(test), DEPTH, set())


def _innermost(test: Any) -> Any:
    """The function as written: without fixtures' partials, decorators, and Hypothesis around it."""
    test = getattr(test, "__func__", test)
    if (given := getattr(test, "hypothesis", None)) is not None:
        test = given.inner_test
    machine = getattr(test, "_hypothesis_state_machine_class", None)
    if machine is None:
        test = inspect.unwrap(test)
    return machine or test


def _asserts(thing: Any, depth: int, seen: set[int]) -> bool:
    if id(thing) in seen or depth < 0:
        return False
    seen.add(id(thing))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):
        return False
    if any(_says_so(node) for node in ast.walk(tree)):
        return True
    return any(_asserts(helper, depth - 1, seen) for helper in _helpers(thing, tree))


def _says_so(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return isinstance(node, ast.Call) and _called(node) in CHECKS


def _called(call: ast.Call) -> str:
    named = call.func
    return named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""


def _helpers(thing: Any, tree: ast.AST) -> list[Any]:
    """What it calls that is part of the tests."""
    known = getattr(thing, "__globals__", None) or vars(inspect.getmodule(thing) or object())
    names = {_called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [known[name] for name in sorted(names) if name in known]
    return [one for one in found if inspect.isroutine(one) and _of_the_tests(one)]


def _of_the_tests(thing: Any) -> bool:
    try:
        return "/tests/" in (inspect.getsourcefile(thing) or "")
    except TypeError:
        return False
