"""The policy that a deployment was planned under: nothing is listed under another."""

from __future__ import annotations

from lfr.domain.errors import Conflict
from lfr.domain.policy import Policy
from lfr.services import policies
from lfr.storage.models import Deployment


def policy_of(deployment: Deployment, given: Policy | None = None) -> Policy:
    """The deployment's policy: the one given, or the one of its name, if its digest is the deployment's.

    Raises Conflict when it is another or another version, ConfigError when there is none of that name.
    """
    policy = policies.load(deployment.policy) if given is None else given
    if policy.digest != deployment.policy_digest:
        raise Conflict(
            f"deployment {deployment.id} was planned under another version of the policy {deployment.policy}",
            hint="plan it anew under the present policy, or name the policy's file in the configuration",
        )
    return policy
