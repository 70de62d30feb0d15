"""Accept, review or drop: what becomes of a translation after its last step."""

from __future__ import annotations

from globmed.core.item import Finding
from globmed.data.translate.drafts import Draft
from globmed.data.translate.plan import Plan

REVIEW = "translation_review"
"""The name under which a translation is sent to review."""


def judge(draft: Draft, plan: Plan) -> tuple[Finding, ...]:
    """Return all that was found in a translation; one that is to be looked at has a finding that says why.

    What a check blocks is dropped: the draft then names the check as its reason.

    Args:
        draft: after its last step.
        plan: what may pass.
    """
    blocks = [one for one in draft.findings if one.severity == "block"]
    if blocks and not draft.dropped:
        draft.dropped = f"blocked by {blocks[0].check}"
    reasons = list(_reasons(draft, plan))
    if not reasons:
        return tuple(draft.findings)
    review = Finding(check=REVIEW, severity="review", field="", message="; ".join(reasons))
    return (*draft.findings, review)


def _reasons(draft: Draft, plan: Plan) -> list[str]:
    checks = sorted({one.check for one in draft.findings if one.severity == "review"})
    reasons = [f"found by checks: {', '.join(checks)}"] if checks else []
    critique, agreement = draft.critique, draft.agreement
    if critique is not None and critique.lowest < plan.review_below:
        reasons.append(f"the critic gives {critique.summary}")
    if agreement is not None and agreement < plan.agreement_below:
        reasons.append(f"only {agreement:.0f} of 100 of the original come back (chrF)")
    return reasons + draft.doubts
