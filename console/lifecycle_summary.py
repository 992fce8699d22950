"""What `up` prints at its end: the sample answer with its citations, the stages, and where to go from here."""

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from console.answers import PrintedAnswer, print_answer
from tasks.lifecycle_summary import LifecycleSummary
from tasks.platforms import base_url
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local_components import LocalComponents


def print_summary(summary: LifecycleSummary, components: LocalComponents, console: Console) -> None:
    """Print the stages, the answer to the sample question, and the addresses of Prefect and of the assistant."""
    table = Table("stage", "seconds", "what it did")
    for stage in summary.stages:
        table.add_row(stage.name, f"{stage.seconds:.1f}", stage.summary)
    console.print(table)
    answer = PrintedAnswer.model_validate(asdict(summary.answer))
    console.print(f"\n{summary.answer.question}", markup=False, highlight=False, style="bold")
    print_answer(answer, console)
    host = components.platform.laptop.listen_host
    console.print(f"\nPrefect    {components.prefect_api_url.removesuffix('/api')}")
    console.print(f"Assistant  {base_url(host, components.ports[AGENTS])}")
