"""Where traces of questions and answers go from a laptop; on AWS `addons.langfuse` says it."""

from typing import Annotated

from pydantic import Field

from tasks.environment.addons import PublicKey
from tasks.environment.section import Section
from tasks.environment.web_search import VariableName


class Tracing(Section):
    """A Langfuse that is reached from here, and one of its projects, whose secret key is in `secret_key_variable`."""

    host: Annotated[
        str, Field(pattern=r"^https?://\S+$", description="an address that starts with http:// or https://")
    ]
    public_key: PublicKey
    secret_key_variable: VariableName = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable
