"""Disable one function of `lfr` before it is imported, to see that a test notices. Nothing in lfr/ knows of this.

A finder on sys.meta_path hands out the module with one function's body replaced, or some of its words exchanged.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import textwrap
from types import CodeType, ModuleType
from typing import Any

from tests.support.rulebook import Mutant

Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def mutated(source: str, mutant: Mutant) -> str:
    """The module's source with the mutation in it. Raises LookupError when there is nothing to change, or too much."""
    node = _find(ast.parse(source), mutant.at.partition(":")[2])
    lines = source.splitlines(keepends=True)
    if mutant.body is not None:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            raise LookupError(f"{mutant.at} is no function: use swap")
        first, last = node.body[0].lineno, node.end_lineno or node.lineno
        new = textwrap.indent(mutant.body.rstrip() + "\n", " " * node.body[0].col_offset)
    else:
        assert mutant.swap is not None
        first, last = node.lineno, node.end_lineno or node.lineno
        old, by = mutant.swap
        text = "".join(lines[first - 1 : last])
        if text.count(old) != 1:
            raise LookupError(f"{mutant.at} says {old!r} {text.count(old)} times, not once")
        new = text.replace(old, by)
    return "".join([*lines[: first - 1], new, *lines[last:]])


def _find(tree: ast.AST, name: str) -> Defined:
    head, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Defined) and head in _names(node):
            return _find(node, rest) if rest else node
    raise LookupError(f"there is no {name} to disable")


def _names(node: Defined) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    return [node.name]


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # never from, and never into, a .pyc
        path = self.get_filename(fullname)
        source = mutated(self.get_data(path).decode(), self._mutant)
        return self.source_to_code(source.encode(), path)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._module = mutant.at.partition(":")[0]
        self._mutant = mutant

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != self._module:
            return None
        plain = importlib.machinery.PathFinder.find_spec(name, path, target)
        if plain is None or plain.origin is None:
            return None
        loader = _Loader(name, plain.origin, self._mutant)
        return importlib.util.spec_from_file_location(
            name, plain.origin, loader=loader, submodule_search_locations=plain.submodule_search_locations
        )


def install(mutant: Mutant) -> None:
    """From now on the mutated module is what an import gives. Raises RuntimeError when it was imported already."""
    if mutant.at.partition(":")[0] in sys.modules:
        raise RuntimeError(f"{mutant.at} was imported before it could be disabled")
    sys.meta_path.insert(0, _Finder(mutant))
