"""The digest of a list."""

import hashlib
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.list_digest import digest_of, image_digest, leaf_of

LEAVES = [leaf_of(UUID(int=number + 1), "wanted", "check", [(UUID(int=100), "00")]) for number in range(8)]


def test_a_leaf_changes_with_everything_it_names():
    one = UUID(int=1), "wanted", "check", [(UUID(int=2), "a"), (UUID(int=3), "b")]
    same = (*one[:3], list(reversed(one[3])))
    assert leaf_of(*one) == leaf_of(*same)
    others = [
        (UUID(int=9), *one[1:]),
        (one[0], "missing", *one[2:]),
        (*one[:2], "arrest", one[3]),
        (*one[:3], one[3][:1]),
        (*one[:3], [(UUID(int=2), "a"), (UUID(int=3), "c")]),
        (*one[:3], [(UUID(int=2), "a"), (UUID(int=4), "b")]),
    ]
    assert len({leaf_of(*one), *(leaf_of(*other) for other in others)}) == 7


@given(st.lists(st.sampled_from(LEAVES), unique=True), st.randoms())
def test_a_digest_does_not_depend_on_order(held, random):
    mixed = list(held)
    random.shuffle(mixed)
    assert digest_of(held) == digest_of(mixed)
    for gone in range(len(held)):
        assert digest_of(held) != digest_of(held[:gone] + held[gone + 1 :])


def test_an_outsider_can_recompute_it():
    template = hashlib.sha256(b"sealed").hexdigest()
    assert image_digest(b"sealed") == template
    said = (
        '{"action":"check","category":"wanted","id":"00000000-0000-0000-0000-000000000001",'
        f'"images":[["00000000-0000-0000-0000-000000000002","{template}"]]}}'
    )
    leaf = leaf_of(UUID(int=1), "wanted", "check", [(UUID(int=2), template)])
    assert leaf == hashlib.sha256(said.encode()).hexdigest()
    assert digest_of([leaf]) == hashlib.sha256(leaf.encode()).hexdigest()
