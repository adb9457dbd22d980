"""YAML from people: read whole or not at all, every key once, nothing that unfolds. Any fault is one ConfigError."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec
import yaml

from lfr.domain.errors import ConfigError

MOST = 1 << 18
"""Bytes of a file that anybody will look at."""

Kind = TypeVar("Kind")


class _Loader(yaml.SafeLoader):
    """Refuses anchors and aliases (a small file can become endless), doubled keys, numbers that are not finite."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """As the base, without aliases."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases have no place here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """As the base, without doubled keys."""
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
            if key.value in seen:
                what = f"the key {key.value[:60]!r} stands there twice"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_float(self, node: Any) -> float:
        """As the base, without infinity and what is no number: neither has a canonical form to be signed."""
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise yaml.MarkedYAMLError(problem="a number is finite", problem_mark=node.start_mark)
        return value


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def decode(raw: bytes, kind: type[Kind], *, where: str, hint: str) -> Kind:
    """The file as `kind`, unknown keys refused. where: its name, for the message. Raises ConfigError with the key."""
    if len(raw) > MOST:
        raise ConfigError(f"{where}: longer than {MOST >> 10} KiB", hint=hint)
    try:
        given = yaml.load(raw.decode(), _Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise ConfigError(
            f"{where}: not valid YAML{line}: {_one_line(error.problem)}", hint="check indentation"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, AttributeError, TypeError) as error:
        # PyYAML lets its converters' own errors out: a 31 February, an integer of ten thousand digits.
        raise ConfigError(f"{where}: not valid YAML ({type(error).__name__})", hint="check indentation") from None
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", hint=hint) from None


def _one_line(text: str | None) -> str:
    return " ".join((text or "cannot be read").split())[:200]
