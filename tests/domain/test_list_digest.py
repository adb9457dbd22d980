"""The digest of a list, and which of its leaves were approved."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.authority import ListAmendment, ListApproval
from lfr.domain.errors import Conflict
from lfr.domain.list_digest import Approved, amendment, approved_leaves, digest_of, leaf_of

AT = datetime(2026, 11, 24, tzinfo=UTC)
DEPLOYMENT = UUID(int=7)


def leaves(count):
    return [
        leaf_of(UUID(int=n + 1), "wanted-by-court", "arrest-check", [(UUID(int=n + 100), b"x")]) for n in range(count)
    ]


def approval(held):
    return ListApproval(
        deployment_id=DEPLOYMENT, officer="ann", at=AT, list_digest=digest_of(held), entries=len(held), band=20
    )


def link(previous, added, after):
    return ListAmendment(
        deployment_id=DEPLOYMENT, officer="ann", at=AT, previous=previous, added=tuple(added),
        list_digest=digest_of(after), entries=len(after),
    )  # fmt: skip


def test_a_leaf_changes_with_everything_it_names():
    one = UUID(int=1), "wanted", "check", [(UUID(int=2), b"a"), (UUID(int=3), b"b")]
    same = (*one[:3], list(reversed(one[3])))
    assert leaf_of(*one) == leaf_of(*same)
    others = [
        (UUID(int=9), *one[1:]),
        (one[0], "missing", *one[2:]),
        (*one[:2], "arrest", one[3]),
        (*one[:3], one[3][:1]),
        (*one[:3], [(UUID(int=2), b"a"), (UUID(int=3), b"c")]),
        (*one[:3], [(UUID(int=2), b"a"), (UUID(int=4), b"b")]),
    ]
    assert len({leaf_of(*one), *(leaf_of(*other) for other in others)}) == 7


@given(st.lists(st.sampled_from(leaves(8)), unique=True), st.randoms())
def test_a_digest_does_not_depend_on_order(held, random):
    mixed = list(held)
    random.shuffle(mixed)
    assert digest_of(held) == digest_of(mixed)
    for gone in range(len(held)):
        assert digest_of(held) != digest_of(held[:gone] + held[gone + 1 :])


def test_what_was_added_after_the_approval_waits_for_an_amendment():
    all_ = leaves(5)
    approved = Approved(approval(all_[:3]))
    assert approved_leaves(approved, all_) == frozenset(all_[:3])
    added, made = amendment(approved, all_, all_)
    assert added == tuple(sorted(all_[3:]))
    assert (made.digest, made.entries) == (digest_of(all_), 5)
    # Whoever was taken off meanwhile is not added.
    assert amendment(approved, all_, all_[:4])[0] == (all_[3],)


def test_amendments_follow_one_another():
    all_ = leaves(6)
    first, then, last = all_[:3], [*all_[:3], all_[4]], [*all_[:3], all_[4], all_[3]]
    chain = (link(digest_of(first), [all_[4]], then), link(digest_of(then), [all_[3]], last))
    assert approved_leaves(Approved(approval(first), chain), all_) == frozenset(last)
    with pytest.raises(Conflict, match="follow"):
        approved_leaves(Approved(approval(first), chain[::-1]), all_)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"previous": "0" * 64}, "follow"),
        ({"list_digest": "0" * 64}, "digest"),
        ({"entries": 9}, "digest"),
        ({"added": ("0" * 64,)}, "not on the list"),
    ],
)
def test_an_amendment_that_does_not_fit(changed, match):
    all_ = leaves(4)
    good = link(digest_of(all_[:3]), [all_[3]], all_)
    assert approved_leaves(Approved(approval(all_[:3]), (good,)), all_) == frozenset(all_)
    bad = msgspec.structs.replace(good, **changed)
    with pytest.raises(Conflict, match=match):
        approved_leaves(Approved(approval(all_[:3]), (bad,)), all_)


def test_a_stored_leaf_that_was_changed_or_lost():
    all_ = leaves(4)
    approved = Approved(approval(all_))
    for stored in (all_[:3], [*all_[:3], leaf_of(uuid4(), "a", "b", [])], []):
        with pytest.raises(Conflict, match="not the one that was approved"):
            approved_leaves(approved, stored)
