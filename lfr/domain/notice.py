"""The public notice: what the policy allows and how long anything is kept, in plain words; and one deployment (J1)."""

from __future__ import annotations

from collections.abc import Iterator

from lfr.domain.periods import periods
from lfr.domain.plan import Plan
from lfr.domain.policy import Policy


def notice(policy: Policy, plan: Plan | None = None) -> str:
    """Markdown. plan: announce this deployment; without one the notice speaks of the policy alone."""
    return "\n".join(_lines(policy, plan)) + "\n"


def _lines(policy: Policy, plan: Plan | None) -> Iterator[str]:
    yield f"# {plan.title if plan is not None and plan.title else policy.title}"
    yield ""
    yield (
        "Police use live facial recognition: cameras compare the faces of people who pass with a short list of people "
        "who are looked for. A computer never decides: trained officers look at every alert first."
    )
    if plan is not None:
        yield from _deployment(policy, plan)
    yield from _purposes(policy)
    yield from _listed(policy)
    yield from _kept(policy)
    yield from _rights(policy)
    yield ""
    yield f"Policy {policy.name}, version {policy.version}, digest {policy.digest}."


def _deployment(policy: Policy, plan: Plan) -> Iterator[str]:
    use_case = next((one.title for one in policy.use_cases if one.code == plan.use_case), "")
    yield from ("", "## Where and when", "")
    yield f"- Place: {plan.place.title or 'not fixed yet'}"
    if plan.starts_at is not None and plan.ends_at is not None:
        yield f"- Time: {plan.starts_at:%A %d %B %Y, %H:%M} to {plan.ends_at:%H:%M} UTC"
    yield f"- Purpose: {use_case or 'not fixed yet'}"
    yield f"- Force: {plan.force}"
    yield f"- Cameras: {len(plan.cameras)}"
    yield "- Signs stand where the zone begins, and another way round it is marked."


def _purposes(policy: Policy) -> Iterator[str]:
    yield from ("", "## What it may be used for", "")
    yield from (f"- {one.title}" for one in policy.use_cases)
    yield from ("", "It is not used for anything else.")


def _listed(policy: Policy) -> Iterator[str]:
    yield from ("", "## Who may be on the list", "")
    yield from (f"- {one.title}" for one in policy.categories if not one.disabled)
    yield ""
    yield f"At most {policy.watchlist.cap:,} people. Pictures come from these sources only:"
    yield ""
    yield from (f"- {one.title}" for one in policy.sources)
    if not policy.ages.minors:
        yield from ("", f"Nobody under {policy.ages.adult} is listed.")


def _kept(policy: Policy) -> Iterator[str]:
    yield from ("", "## How long anything is kept", "")
    yield from (f"- {one.what}: {one.how_long}" for one in periods(policy))


def _rights(policy: Policy) -> Iterator[str]:
    yield from ("", "## Your rights", "")
    yield "- You may walk another way, cover your face, or refuse to say who you are: none of it raises an alert."
    yield "- You may ask the force's data protection officer whether you were listed, complain to the force or to the"
    yield "  Independent Office for Police Conduct, and to the Information Commissioner."
    if policy.oversight:
        yield "- A body outside the force can suspend a deployment at any time."
