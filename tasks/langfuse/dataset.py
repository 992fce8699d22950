"""The golden set as a dataset of Langfuse, where people see which experiment answered which question how."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tasks.golden.dataset import GoldenQuestion
from tasks.langfuse.api import answered

if TYPE_CHECKING:
    from langfuse.api import DatasetItem, LangfuseAPI

PAGE = 100


def golden_dataset(
    api: "LangfuseAPI", host: str, environment: str, questions: Sequence[GoldenQuestion]
) -> "dict[str, DatasetItem]":
    """Bring the dataset `<environment> golden questions` in line with `questions`; its items by the question's id.

    An item has a stable id, so that a question that is reworded keeps its history. Items of questions that were removed
    are archived: experiments that answered them stay whole.

    Raises:
        LangfuseUnavailable: Langfuse refuses or does not answer.
    """
    # It takes a second to import, which every start of a flow would pay.
    from langfuse.api import DatasetStatus

    name = f"{environment} golden questions"
    about = "Kept by the flow evaluation; edit golden/questions.jsonl instead"
    answered(host, lambda: api.datasets.create(name=name, description=about))
    kept = {item.id: item for item in _items(api, host, name)}
    items: dict[str, DatasetItem] = {}
    for question in questions:
        wanted = _wanted(environment, question)
        item = kept.pop(wanted["id"], None)
        if item is None or item.status is not DatasetStatus.ACTIVE or _differs(item, wanted):
            put = partial(api.dataset_items.create, dataset_name=name, status=DatasetStatus.ACTIVE, **wanted)
            item = answered(host, put)
        items[question.id] = item
    for item in kept.values():
        if item.status is DatasetStatus.ACTIVE:
            same = {"input": item.input, "expected_output": item.expected_output, "metadata": item.metadata}
            archive = partial(api.dataset_items.create, dataset_name=name, status=DatasetStatus.ARCHIVED, **same)
            answered(host, partial(archive, id=item.id))
    return items


def _wanted(environment: str, question: GoldenQuestion) -> dict[str, Any]:
    evidence = [{"document": each.document, "quote": each.quote} for each in question.evidence]
    return {
        # Ids are those of the project, which two environments may share.
        "id": f"{environment}-golden-{question.id}",
        "input": question.question,
        "expected_output": question.reference,
        "metadata": {"id": question.id, "kind": question.kind, "evidence": evidence},
    }


def _differs(item: "DatasetItem", wanted: dict[str, Any]) -> bool:
    return any(getattr(item, field) != value for field, value in wanted.items())


def _items(api: "LangfuseAPI", host: str, name: str) -> "list[DatasetItem]":
    found: list[DatasetItem] = []
    page = 1
    while True:
        answer = answered(host, partial(api.dataset_items.list, dataset_name=name, page=page, limit=PAGE))
        found += answer.data
        if answer.meta.total_pages <= page:
            return found
        page += 1
