"""A policy that contradicts itself: every fault is named, all at once."""

import msgspec
import pytest

from lfr.domain.policy import Approver, SensitivePlace
from lfr.domain.policy_check import faults, is_safe_url, open_points
from lfr.services import policies

UK, DEMO = policies.load("uk-default"), policies.load("demo")
KEY = "a" * 64
SQUARE = ((0.0, 51.0), (0.1, 51.0), (0.1, 51.1))


def changed(path, value, policy=UK):
    """The policy with one key changed: `watchlist.cap`, or of something with a code: `use_cases.missing.title`."""
    head, _, rest = path.partition(".")
    held = getattr(policy, head)
    if not rest:
        return msgspec.structs.replace(policy, **{head: value})
    if isinstance(held, tuple):
        code, _, field = rest.partition(".")
        new = tuple(msgspec.structs.replace(one, **{field: value}) if one.code == code else one for one in held)
    else:
        new = msgspec.structs.replace(held, **{rest: value})
    return msgspec.structs.replace(policy, **{head: new})


def test_the_policies_that_come_with_it_agree_with_themselves():
    for name in policies.policy_names():
        assert faults(policies.read(name)) == ()


@pytest.mark.rule("A6")
@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("modes", (), "modes"),
        ("modes", ("demo", "operational"), "modes"),
        ("authority.ranks", (), "authority.ranks"),
        ("authority.ranks", (*UK.authority.ranks, "constable"), "authority.ranks"),
        ("authority.min_rank", "general", "authority.min_rank"),
        ("authority.urgent_rank", "general", "authority.urgent_rank"),
        ("authority.urgent_rank", "superintendent", "authority.urgent_rank"),
        ("authority.urgent_confirm_hours", 24.1, "authority.urgent_confirm_hours"),
        ("authority.max_window_hours", 12.5, "authority.max_window_hours"),
        ("authority.min_words", 4, "authority.min_words"),
        ("authority.self_signed", True, "authority.self_signed"),
        ("use_cases", (), "use_cases"),
        ("use_cases", (UK.use_cases[0], UK.use_cases[0]), "use_cases"),
        ("actions", (), "actions"),
        ("categories", (), "categories"),
        ("categories.missing-at-risk.actions", ("arrest",), "categories.missing-at-risk.actions"),
        ("categories.missing-at-risk.actions", (), "categories.missing-at-risk.actions"),
        ("categories.missing-at-risk.legal_bases", (), "categories.missing-at-risk.legal_bases"),
        ("sources", (), "sources"),
        ("sources.family.lawful_holds", (), "sources.family.lawful_holds"),
        ("watchlist.bands", (), "watchlist.bands"),
        ("watchlist.bands", (16_000, 10_000, 20_000), "watchlist.bands"),
        ("watchlist.bands", (10_000, 20_000, 20_000), "watchlist.bands"),
        ("watchlist.cap", 30_001, "watchlist.cap"),
        ("watchlist.required", ("shoe_size",), "watchlist.required"),
        ("watchlist.default_category", "of-interest", "watchlist.default_category"),
        ("watchlist.default_category", "victim-or-witness", "watchlist.default_category"),
        ("watchlist.default_action", "arrest", "watchlist.default_action"),
        ("watchlist.default_source", "passport", "watchlist.default_source"),
        ("watchlist.max_age_hours", 25.0, "watchlist.max_age_hours"),
        ("watchlist.needs_certificate", False, "watchlist.needs_certificate"),
        ("watchlist.second_check", False, "watchlist.second_check"),
        ("ages.young_child", 18, "ages.young_child"),
        ("ages.minor_rank", "general", "ages.minor_rank"),
        ("ages.minor_rank", "sergeant", "ages.minor_rank"),
        ("ages.young_child_rank", "sergeant", "ages.young_child_rank"),
        ("documents", (), "documents"),
        ("documents", (UK.documents[0], UK.documents[0]), "documents"),
        ("documents.dpia.covers_public", False, "documents"),
        ("documents.dpia.max_age_days", 2000.0, "documents.dpia.max_age_days"),
        ("signs.items", (), "signs.items"),
        ("signs.items", ("signs", "signs"), "signs.items"),
        ("sensitive.rank", "constable", "sensitive.rank"),
        ("sensitive.approvals", ("mayor",), "sensitive.approvals"),
        ("sensitive.places", (SensitivePlace("x", "X", ((0, 0), (1, 1))),), "sensitive.places.x"),
        ("sensitive.places", (SensitivePlace("x", "X", ((200, 0), (201, 0), (201, 1))),), "sensitive.places.x"),
        ("sensitive.places", (SensitivePlace("x", "X", SQUARE),) * 2, "sensitive.places"),
        ("conflicts", (), "conflicts"),
        ("conflicts", (*UK.conflicts, ("operator", "operator")), "conflicts"),
        ("conflicts", (*UK.conflicts, UK.conflicts[0][::-1]), "conflicts"),
        ("people", ("authorising-officer", "operator"), "people"),
        ("people", (*UK.people, "operator"), "people"),
        ("needs_place", False, "needs_place"),
        ("oversight", ("A" * 64,), "oversight"),
        ("holds", (UK.holds[0], UK.holds[0]), "holds"),
    ],
)
def test_each_contradiction_is_named(path, value, where):
    assert where in {fault.where for fault in faults(changed(path, value))}


@pytest.mark.rule("A10")
@pytest.mark.parametrize(
    "approver",
    [
        Approver("x", "X", "officer"),
        Approver("x", "X", "officer", rank="general"),
        Approver("x", "X", "officer", rank="superintendent", keys=(KEY,)),
        Approver("x", "X", "file", rank="superintendent"),
        Approver("x", "X", "file", keys=("short",)),
        Approver("x", "X", "file", url="https://court.example"),
        Approver("x", "X", "http", keys=(KEY,)),
        Approver("x", "X", "http", url="https://court.example"),
        Approver("x", "X", "http", keys=(KEY,), url="http://court.example"),
        Approver("x", "X", "http", keys=(KEY,), url="https://user:pw@court.example"),
        Approver("x", "X", "file", keys=(KEY,), when="sensitive"),
    ],
)
def test_an_approver_that_cannot_approve(approver):
    found = faults(changed("approvers", (*UK.approvers, approver)))
    assert any(fault.where.startswith("approvers.x") for fault in found)


@pytest.mark.rule("A10")
def test_approvers_that_can():
    good = (
        Approver("judge", "Judge", "http", keys=(KEY,), url="https://court.example/lfr"),
        Approver("clerk", "Clerk", "file", keys=(KEY,)),
        Approver("second", "Second", "officer", when="high-risk", rank="superintendent"),
    )
    assert faults(changed("approvers", (*UK.approvers, *good))) == ()


def test_all_faults_at_once():
    spoilt = changed("watchlist.cap", 99_999, changed("authority.min_rank", "general", changed("people", ())))
    where = {fault.where for fault in faults(spoilt)}
    assert {"watchlist.cap", "authority.min_rank", "people"} <= where
    assert len([fault for fault in faults(spoilt) if fault.where == "people"]) == 3


def test_a_demonstration_may_do_without():
    assert faults(changed("conflicts", (), DEMO)) == ()
    assert open_points(DEMO) == ()


def test_what_a_force_has_still_to_fill_in():
    where = [point.where for point in open_points(UK)]
    assert where == ["sensitive.places", "approvers", "oversight", "version"]
    done = changed("version", "1", changed("oversight", (KEY,), changed("approvers.legal-advice.keys", (KEY,))))
    done = changed("sensitive.places", (SensitivePlace("church", "Church", SQUARE),), done)
    assert (open_points(done), faults(done)) == ((), ())


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://court.example/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://localhost.example/x", False),
        ("http://127.0.0.1.example/x", False),
        ("http://court.example/x", False),
        ("https://", False),
        ("https://a:b@court.example", False),
        ("https://court.example:port/", False),
        ("http://[::1", False),
        ("//court.example", False),
        ("", False),
    ],
)
def test_where_a_plan_may_be_sent(url, safe):
    assert is_safe_url(url) is safe
