"""What `up` prints at its end: the sample answer with its citations, the stages, and where to go from here."""

from rich.console import Console
from rich.table import Table

from console.answers import PrintedAnswer, print_answer
from tasks.platforms import base_url
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local_components import LocalComponents
from tasks.runs.lifecycle_summary import LifecycleSummary

SUMMARY_WIDTH = 54


def print_summary(summary: LifecycleSummary, components: LocalComponents, console: Console) -> None:
    """Print the answer to the sample question, the stages, and the addresses of Prefect and of the assistant."""
    answer = PrintedAnswer.model_validate(summary.probe.answer, from_attributes=True)
    console.print(f"\n{summary.probe.question}", markup=False, highlight=False, style="bold")
    print_answer(answer, console)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stage", no_wrap=True, min_width=10)
    table.add_column("seconds", justify="right", no_wrap=True, min_width=7)
    # The whole of it is in the artifact of the run.
    table.add_column("what it did", style="dim", no_wrap=True, overflow="ellipsis", max_width=SUMMARY_WIDTH)
    for stage in summary.stages:
        table.add_row(stage.name, f"{stage.seconds:.1f}", stage.summary)
    console.print()
    console.print(table)
    host = components.platform.laptop.listen_host
    console.print(f"\nPrefect    {components.prefect_api_url.removesuffix('/api')}", highlight=False)
    console.print(f"Assistant  {base_url(host, components.ports[AGENTS])}", highlight=False)
