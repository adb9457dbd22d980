"""The rules as docs/rules.yaml states them, strictly decoded."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "rules.yaml"

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][1-9][0-9]?$")]
Spot = Annotated[str, msgspec.Meta(pattern=r"^lfr(\.[a-z_0-9]+)+:[A-Za-z_][A-Za-z_0-9.]*$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown keys are errors."""


class Rule(_Strict, frozen=True):
    """One rule. See the head of docs/rules.yaml."""

    kind: Literal["gate", "default", "record", "figure"]
    text: str
    core: bool = False
    enforced_by: tuple[Spot, ...] = ()


class Mutant(_Strict, frozen=True):
    """One way to disable an enforcing function. Exactly one of body and swap."""

    at: Spot
    fails: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    body: str | None = None
    swap: tuple[str, str] | None = None


class Rulebook(_Strict, frozen=True):
    """All rules by id; mutants by rule and name. scope: the groups whose core rules must be proved."""

    scope: tuple[str, ...]
    groups: dict[str, str]
    rules: dict[RuleId, Rule]
    mutants: dict[RuleId, dict[str, Mutant]]

    def in_scope(self, rule: str) -> bool:
        """Whether this is a core rule of a group in scope: without a proof the build fails."""
        return self.rules[rule].core and rule[0] in self.scope

    def faults(self) -> list[str]:
        """What the types cannot say: unknown groups, mutants of no rule, gates in scope that nothing disables."""
        out = [f"{rule}: no group {rule[0]}" for rule in self.rules if rule[0] not in self.groups]
        out += [f"{rule}: a mutant of a rule that is not here" for rule in self.mutants if rule not in self.rules]
        for rule, named in self.mutants.items():
            both = [name for name, one in named.items() if (one.body is None) == (one.swap is None)]
            out += [f"{rule} {name}: body or swap?" for name in both]
        for rule, one in self.rules.items():
            if self.in_scope(rule) and one.kind == "gate" and not self.mutants.get(rule):
                out.append(f"{rule}: a gate that no mutant disables")
        return out


def load(path: Path = FILE) -> Rulebook:
    """The rules. Raises msgspec.ValidationError."""
    return msgspec.yaml.decode(path.read_bytes(), type=Rulebook)


def resolve(spot: str) -> Any:
    """The object that `module:qualified.name` names. Raises ImportError, AttributeError."""
    module, _, name = spot.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def function_of(node_id: str) -> str:
    """`tests/x.py::test_y[case]` -> `tests/x.py::test_y`."""
    return re.sub(r"\[.*\]$", "", node_id, flags=re.DOTALL)
