"""Who is entitled to decide: a signature, the registrar's word, the force, the role, the rank."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Authorisation, Credential, Endorsed, Refusal, endorsed, require_rank
from lfr.domain.errors import AuthorityError, SignatureInvalid
from lfr.domain.signing import open_signed, public_key_of, sign
from tests.support.office import FORCE, STARTS, Office

OFFICE = Office()
REGISTRAR = public_key_of(OFFICE.registrar)
OLGA = OFFICE.officer()


def asked(given: Endorsed, kind=Authorisation, at=STARTS, force=FORCE):
    return endorsed(given, kind, registrar=REGISTRAR, force=force, role="authorising-officer", at=at)


@pytest.mark.rule("A1")
def test_a_good_decision_comes_with_its_signer() -> None:
    decision, credential = asked(OLGA.endorse(OFFICE.authority()))
    assert decision == OFFICE.authority()
    assert (credential.officer, credential.rank) == ("olga", "superintendent")


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("another key", Endorsed(sign(OFFICE.authority(), Ed25519PrivateKey.generate()), OLGA.credential)),
        ("not the registrar's", OFFICE.officer(registrar=Ed25519PrivateKey.generate()).endorse(OFFICE.authority())),
        ("not the registrar's", Endorsed(OLGA.endorse(OFFICE.authority()).said, sign(OFFICE.authority(), OLGA.key))),
        ("belongs to south-force", OFFICE.officer(force="south-force").endorse(OFFICE.authority())),
        ("does not hold the role", OFFICE.officer(roles=("operator", "auditor")).endorse(OFFICE.authority())),
        ("another officer", OLGA.endorse(OFFICE.authority("petra"))),
        ("no lfr.authorisation/1", OLGA.endorse(OFFICE.approval())),
        (
            "not valid at this time",
            OFFICE.officer(valid=(STARTS - timedelta(days=2), STARTS)).endorse(OFFICE.authority()),
        ),
    ],
)
def test_whoever_is_not_entitled_is_refused(words: str, given: Endorsed) -> None:
    with pytest.raises(AuthorityError, match=words):
        asked(given)


def test_a_credential_that_its_holder_raised_is_refused() -> None:
    said = open_signed(OFFICE.officer(rank="inspector").credential, Credential)
    raised = msgspec.structs.replace(said, rank="chief-constable", key=public_key_of(OLGA.key))
    with pytest.raises(SignatureInvalid):
        asked(Endorsed(OLGA.endorse(OFFICE.authority()).said, sign(raised, OLGA.key)))


def test_a_decision_is_asked_for_by_its_kind() -> None:
    with pytest.raises(SignatureInvalid):
        asked(OLGA.endorse(OFFICE.authority()), Refusal)


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("rank", "enough"),
    [("superintendent", 1), ("chief-constable", 1), ("chief-inspector", 0), ("nobody", 0), (None, 0)],
)
def test_rank_is_counted_by_the_policy(rank: str | None, enough: int) -> None:
    credential = open_signed(OFFICE.officer(rank=rank).credential, Credential)
    if enough:
        require_rank(credential, "superintendent", OFFICE.policy)
    else:
        with pytest.raises(AuthorityError, match="superintendent"):
            require_rank(credential, "superintendent", OFFICE.policy)
