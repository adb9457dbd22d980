"""Policy files: found, read strictly, compared. Nothing but ConfigError comes out of any file."""

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError
from lfr.domain.policy import Policy
from lfr.resources import configs
from lfr.services import policies

RAW = (configs() / "policies" / "uk-default.yaml").read_bytes()
TREE = yaml.safe_load(RAW)


def test_by_name_and_by_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(RAW)
    assert policies.load(str(path)) == policies.load("uk-default")
    assert policies.policy_names() == ["demo", "uk-default"]


@pytest.mark.parametrize("name", ["", "nothing", "../uk-default", "/", "x\x00y", "no/where.yaml", ".."])
def test_what_is_not_there(name):
    with pytest.raises(ConfigError, match="no policy"):
        policies.load(name)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"name: uk-default", b"name: uk-default\nname: other", "twice"),
        (b"min_rank: superintendent", b"min_rank: superintendent\n  min_rank: constable", "twice"),
        (b"name: uk-default", b"name: uk-default\nsecret_list: yes", "secret_list"),
        (b"name: uk-default", b"name: UK Default", "name"),
        (b"max_window_hours: 12", b"max_window_hours: -1", "max_window_hours"),
        (b"max_window_hours: 12", b"max_window_hours: .nan", "finite"),
        (b"min_max_sentence_years: 1 ", b"min_max_sentence_years: .inf ", "finite"),
        (b"cap: 20000", b"cap: 40000", "watchlist.cap"),
        (b"min_rank: superintendent", b"min_rank: general", "authority.min_rank"),
        (b"cap: 20000", b"cap: twenty", "cap"),
        (b"cap: 20000", b"cap: 2026-02-31", "YAML"),
        (b"cap: 20000", b"cap: !!python/object/apply:os.system [true]", "YAML"),
        (b"name: uk-default", b"? [a]\n: b\nname: uk-default", "word"),
        (b"modes: [operational, research]", b"modes: &a [operational]\nother: *a", "aliases"),
        (b"name: uk-default", b"name: [", "YAML"),
        (b"name: uk-default", b"\xff\xfe", "YAML"),
        (b"name: uk-default", b"--- 1\n--- 2", "YAML"),
    ],
)
def test_what_no_policy_says(old, new, words):
    assert RAW.count(old) == 1
    with pytest.raises(ConfigError, match=words) as refused:
        policies.parse(RAW.replace(old, new), where="mine.yaml")
    assert refused.value.message.startswith("mine.yaml")
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"a: 1", b"[" * 5000, b"{" * 5000, b"x" * (1 << 19), b"- " * 9000]
)
def test_what_is_no_policy_at_all(raw):
    with pytest.raises(ConfigError):
        policies.parse(raw, where="x")


def test_a_small_file_cannot_become_endless():
    bomb = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (97 + n, 97 + n, b", ".join([b"*%c" % (96 + n)] * 9)) for n in range(1, 12)
    )
    with pytest.raises(ConfigError, match="aliases"):
        policies.parse(bomb, where="x")


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(raw):
    with pytest.raises(ConfigError):
        policies.parse(raw, where="x")


@given(st.integers(0, len(RAW) - 1), st.binary(min_size=1, max_size=6))
def test_no_damage_raises_anything_else(at, put):
    try:
        policies.parse(RAW[:at] + put + RAW[at + len(put) :], where="x")
    except ConfigError:
        return


SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=8) | st.dates()
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=6
)


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _paths(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _paths(each, (*path, index))


@given(st.sampled_from(sorted(_paths(TREE), key=str)), ANY, st.booleans())
def test_no_other_value_at_any_key_raises_anything_else(path, value, gone):
    tree = yaml.safe_load(RAW)
    if not path:
        tree = value
    else:
        node = tree
        for key in path[:-1]:
            node = node[key]
        if gone:
            del node[path[-1]]
        else:
            node[path[-1]] = value
    try:
        found = policies.parse(yaml.safe_dump(tree).encode(), where="x")
    except ConfigError:
        return
    assert isinstance(found, Policy)
    assert len(found.digest) == 64


@pytest.mark.rule("B1")
def test_every_difference_by_its_key():
    one = policies.load("uk-default")
    assert policies.differences(one, one) == ()
    other = msgspec.structs.replace(
        one,
        version="2",
        watchlist=msgspec.structs.replace(one.watchlist, cap=16_000),
        categories=tuple(
            msgspec.structs.replace(c, disabled=False) if c.code == "victim-or-witness" else c for c in one.categories
        ),
        use_cases=one.use_cases[1:],
    )
    found = {each.where: (each.before, each.after) for each in policies.differences(one, other)}
    assert found["version"] == (one.version, "2")
    assert found["watchlist.cap"] == (20_000, 16_000)
    assert found["categories.victim-or-witness.disabled"] == (True, False)
    assert found["use_cases.wanted-persons.title"][1] is None
    assert len(found) == 6
    assert one.digest != other.digest
