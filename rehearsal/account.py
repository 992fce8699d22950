"""What a person does once in a new AWS account before the first provision, as docs and preflight ask for it."""

from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of

# Services that do not make their service-linked role by themselves.
SERVICE_LINKED_ROLES = ("opensearchservice.amazonaws.com",)


def prepare_account(aws: EmulatedAws) -> None:
    """Make the service-linked roles that nothing else makes."""
    iam = client_of(aws, "iam")
    for service in SERVICE_LINKED_ROLES:
        iam.create_service_linked_role(AWSServiceName=service)
