"""`python -m console golden`: propose golden questions, take those that people accept, and show what they cover."""

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from agents.knowledge.sources import SourceError
from console.failures import explained
from console.golden_table import print_coverage
from console.prefect_address import own_api_url
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.gateway.reached import GatewayOutOfReach, reached_gateway
from tasks.golden.dataset import InvalidGoldenSet
from tasks.golden.documents import UnknownDocument, read_documents
from tasks.golden.proposals import (
    ProposalsRefused,
    accepted_questions,
    append_lines,
    proposals_file,
    read_proposals,
    settle,
)
from tasks.golden.proposing import FEW, Dropped, open_passages, propose, questions_by_document
from tasks.golden.suggestions import ModelAway, suggestions

golden = typer.Typer(no_args_is_help=True, help="Golden questions: propose them, accept them, see what they cover.")
Of = Annotated[EnvironmentName, typer.Option("--environment", help="The environment whose questions they are.")]
WRONG = (InvalidGoldenSet, ProposalsRefused, UnknownDocument)


@golden.command("propose")
def propose_questions(
    environment: Of,
    document: Annotated[
        list[str] | None,
        typer.Option(help=f"A document's path in its source, may be repeated; default: all with less than {FEW}."),
    ] = None,
    per_document: Annotated[int, typer.Option(min=1, help="The most passages of a document.")] = 3,
) -> None:
    """Have the environment's chat model write questions about passages that none is about, for people to decide on.

    Exits with 2 when the questions, the proposals or a document's name are wrong, and with 1 when the model is away;
    what it proposed before that is kept.
    """
    with explained((SourceError, GatewayOutOfReach, ModelAway), WRONG):
        settings = load_environment(environment)
        dataset = REPOSITORY / settings.evaluation.dataset
        file = proposals_file(dataset)
        known = [*accepted_questions(dataset), *(each.proposal for each in read_proposals(file))]
        documents = read_documents(settings.knowledge, document)
        _tell(documents.unreadable)
        asked = questions_by_document(known)
        wanted = [each for path, each in documents.by_path.items() if document or asked[path] < FEW]
        passages = open_passages(wanted, known, per_document)
        with _prefect_api(settings), reached_gateway(settings) as gateway, suggestions(gateway, settings.models) as ask:
            dropped = Counter[str]()
            for outcome in propose(passages, known, ask):
                if isinstance(outcome, Dropped):
                    dropped[outcome.reason] += 1
                else:
                    append_lines(file, [outcome])
                    typer.echo(f"{outcome.id} {outcome.evidence[0].document}: {outcome.question}")
    typer.echo(f"{len(passages)} passages, {len(passages) - dropped.total()} proposals added to {file}")
    for reason, times in dropped.most_common():
        typer.echo(f"  {times} dropped: {reason}")


@golden.command("accept")
def accept_questions(environment: Of = EnvironmentName.LOCAL) -> None:
    """Take the proposals with `"decision": "accept"` into the dataset, and those with "reject" out of the file.

    Exits with 2 when an accepted one does not hold; then nothing is taken.
    """
    with explained((SourceError,), WRONG):
        settings = load_environment(environment)
        dataset = REPOSITORY / settings.evaluation.dataset
        settled = settle(dataset, read_documents(settings.knowledge))
    typer.echo(f"{settled.accepted} accepted into {dataset}, {settled.rejected} rejected, {settled.waiting} undecided")


@golden.command("coverage")
def show_coverage(environment: Of = EnvironmentName.LOCAL) -> None:
    """A table of the documents: questions by kind, and the share of sections that one is about; the unasked first."""
    with explained((SourceError,), WRONG):
        settings = load_environment(environment)
        questions = accepted_questions(REPOSITORY / settings.evaluation.dataset)
        documents = read_documents(settings.knowledge)
    _tell(documents.unreadable)
    print_coverage(documents, questions, Console())


def _tell(problems: Iterable[str]) -> None:
    for problem in problems:
        typer.echo(problem, err=True)


@contextmanager
def _prefect_api(settings: Environment) -> Generator[None]:
    """Prefect's API of an environment on AWS, which knows what Terraform made there; a laptop needs none."""
    if settings.laptop is not None:
        yield
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: own_api_url(settings)}):
        yield
