"""The artifacts of a reviewed plan."""

import re

from prefect import task

from tasks.artifacts import publish_markdown, publish_table
from tasks.plan_review.review import PlanReview
from tasks.runs.result_storage import once_per_run
from tasks.terraform.plan_document import Action

SHORT_DIGEST = 12
_WORDS = {Action.CREATE: "add", Action.UPDATE: "change", Action.REPLACE: "replace", Action.DELETE: "destroy"}
STAGE = "provision"
PLAN = "plan"
_NOTHING_TO_CHANGE = "# Nothing to change"
_DIGEST = "SHA-256 of the plan file: "


@task(task_run_name="publish-review", cache_key_fn=once_per_run, persist_result=True, result_serializer="json")
def publish_review(review: PlanReview) -> None:
    """Publish the plan's page, and the tables of its changes, policy findings and cost."""
    environment = review.environment
    publish_markdown(environment, STAGE, PLAN, plan_page(review), in_one_line(review))
    publish_table(
        environment,
        STAGE,
        "changes",
        [
            {"action": change.action.value, "resource": change.address, "module": change.module}
            for change in review.changes
        ],
        f"Every change of plan {review.digest[:SHORT_DIGEST]}",
    )
    publish_table(
        environment,
        STAGE,
        "cost",
        [
            {
                "resource": line.address,
                "difference": round(line.after_usd - line.before_usd, 2),
                "before": round(line.before_usd, 2),
                "after": round(line.after_usd, 2),
            }
            for line in sorted(review.cost.changes, key=lambda line: line.before_usd - line.after_usd)
        ],
        f"USD a month when nobody uses it, by list prices of {review.cost.as_of}; the plan's page names their sources",
    )


def in_one_line(review: PlanReview) -> str:
    """What stands under the plan's name where the Prefect UI lists artifacts, which has room for some 45 characters."""
    cost = review.cost.after_usd - review.cost.before_usd
    counts = [(review.count(action), word) for action, word in _WORDS.items()]
    changes = ", ".join(f"{number} to {word}" for number, word in counts if number) or "nothing to change"
    return f"{changes}; {len(review.findings)} findings; {cost:+,.0f} USD a month"


def plan_page(review: PlanReview) -> str:
    """The page that a person reads before they decide, as markdown."""
    sections = (*_sections(review), _unjudged(review), _sources(review))
    return "\n\n".join(section for section in sections if section)


def digest_to_apply(page: str) -> str | None:
    """The digest of the plan whose page this is; None where the plan has nothing to change."""
    found = re.search(rf"{_DIGEST}`([0-9a-f]{{64}})`", page)
    return found[1] if found and not page.startswith(_NOTHING_TO_CHANGE) else None


def approval_form(review: PlanReview, run_id: str) -> str:
    """What stands above the form in the Prefect UI, as markdown; the dialogue is narrow."""
    form = (
        f"Type `{review.digest[:SHORT_DIGEST]}` as the plan: an approval of another one does not count. A protected "
        f"environment wants proof of who you are, which this gives:\n```\nmake approve RUN={run_id} "
        f"ENV={review.environment.value}\n```"
    )
    return "\n\n".join(section for section in (form, *_sections(review)) if section)


def _sections(review: PlanReview) -> tuple[str, ...]:
    return _head(review), _losses(review), _counts(review), _removals(review), _policy(review), _cost(review)


def _sources(review: PlanReview) -> str:
    links = "\n".join(f"- {source}" for source in review.cost.source)
    return f"## Where this comes from\n{_DIGEST}`{review.digest}`\n\nPrices:\n{links}"


def _head(review: PlanReview) -> str:
    lines = [
        f"# {review.environment.value}: {review.summary()}" if review.changed else _NOTHING_TO_CHANGE,
        f"- plan `{review.digest[:SHORT_DIGEST]}`",
        f"- requested by {review.requested_by or 'not stated'}, made {review.made:%Y-%m-%d %H:%M} UTC",
        f"- against state serial {review.serial}, Terraform {review.terraform_version}",
    ]
    if not review.complete:
        lines.append(
            "\n> **This plan is not complete:** it covers a part of the configuration only (`-target`, or changes "
            "that Terraform puts off), so an apply leaves the rest as it is."
        )
    return "\n".join(lines)


def _losses(review: PlanReview) -> str:
    if not review.losses:
        return ""
    rows = [f"| `{loss.address}` | {loss.action.value} | {loss.holds} |" for loss in review.losses]
    return "\n".join(
        (
            "## DATA WOULD BE LOST",
            "It is applied only by `provision` with `allow_data_loss`. Look for a `moved` block that is missing, or a "
            "name that changed, before you allow it.",
            "",
            "| resource | action | what is lost |",
            "| --- | --- | --- |",
            *rows,
        )
    )


def _counts(review: PlanReview) -> str:
    if not review.changes:
        return ""
    rows = [
        f"| {line.module} | {line.add} | {line.change} | {line.replace} | {line.destroy} |" for line in review.modules()
    ]
    total = [str(review.count(action)) for action in (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)]
    return "\n".join(
        (
            "## By module",
            "| module | add | change | replace | destroy |",
            "| --- | ---: | ---: | ---: | ---: |",
            *rows,
            f"| **all** | {' | '.join(f'**{number}**' for number in total)} |",
        )
    )


def _removals(review: PlanReview) -> str:
    if not review.removals():
        return ""
    return "\n".join(
        ("## Destroyed or replaced", *(f"- {each.action.value} `{each.address}`" for each in review.removals()))
    )


def _policy(review: PlanReview) -> str:
    lines = [f"- `{each.address}` {each.what} ({each.rule}): {each.remedy}" for each in review.findings]
    page = [f"## Policy: {len(lines)} findings", *lines] if lines else ["## Policy", "It finds nothing."]
    if review.unjudged:
        page.append(f"\nNot judged: {len(review.unjudged)}; the end of the plan's page names them.")
    return "\n".join(page)


def _unjudged(review: PlanReview) -> str:
    if not review.unjudged:
        return ""
    lines = [f"- `{address}`" for address in review.unjudged]
    return "\n".join(("## Policies that could not be judged", "Their text is known after the apply only.", "", *lines))


def _cost(review: PlanReview) -> str:
    cost = review.cost
    lines = [
        "## Cost",
        f"{cost.after_usd - cost.before_usd:+,.2f} USD a month when nobody uses it ({cost.before_usd:,.2f} now, "
        f"{cost.after_usd:,.2f} after); the environment's budget is {cost.budget_usd:,.0f}. Prices of {cost.as_of}.",
    ]
    if cost.after_usd > cost.budget_usd:
        lines.append("\n> **This is more than the budget**, before anybody uses it.")
    if cost.unpriced:
        lines.append("\nNot in it:")
        lines.extend(f"- {len(each.addresses)} of `{each.type}`: {each.reason}" for each in cost.unpriced)
    return "\n".join(lines)
