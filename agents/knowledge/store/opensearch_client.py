"""The connection to an OpenSearch server; one to a domain of AWS signs its requests."""

from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth

from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.settings import OpenSearchSettings

# Amazon's name of the service in signatures:
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/request-signing.html
SIGNED_SERVICE = "es"


def open_client(settings: OpenSearchSettings) -> OpenSearch:
    """Prepare the connection; nothing is asked of the server yet.

    Raises:
        StoreUnavailable: requests have to be signed, and the process has no AWS credentials.
    """
    signer = None if settings.region is None else _signer(settings.endpoint, settings.region)
    # Nothing is compressed: that takes longer than the network between the two does, most of all for vectors.
    return OpenSearch(settings.endpoint, timeout=settings.seconds, http_auth=signer)


def _signer(endpoint: str, region: str) -> Urllib3AWSV4SignerAuth:
    # A server of one's own needs no AWS library.
    import boto3

    # These renew themselves: a refresh may outlive the credentials that it began with.
    credentials = boto3.Session(region_name=region).get_credentials()
    if credentials is None:
        raise StoreUnavailable(
            f"requests to the OpenSearch domain at {endpoint} have to be signed, and there are no AWS credentials: "
            "give the process a role (on EKS by Pod Identity), or sign in where you are"
        )
    return Urllib3AWSV4SignerAuth(credentials, region, SIGNED_SERVICE)
