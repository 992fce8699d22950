"""What the emulators answer otherwise than AWS does, corrected: a module a service.

Each says what the emulator answers and what AWS documents. With them, an environment that was just provisioned plans no
change.
"""

from collections.abc import Mapping
from typing import Protocol

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.cognito import Cognito
from rehearsal.aws.corrections.ec2 import Ec2
from rehearsal.aws.corrections.eks import Eks
from rehearsal.aws.corrections.elasticache import ElastiCache
from rehearsal.aws.corrections.grafana import Grafana
from rehearsal.aws.corrections.prometheus import Prometheus
from rehearsal.aws.corrections.rds import Rds
from rehearsal.aws.corrections.s3 import S3


class Correction(Protocol):
    """What stands between a caller and the emulator of one service."""

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Answer `call` as AWS does; `proceed` asks the emulator."""
        ...


def corrections() -> Mapping[str, Correction]:
    """A fresh set, by the service's name in signatures."""
    return {
        "aps": Prometheus(),
        "cognito-idp": Cognito(),
        "ec2": Ec2(),
        "eks": Eks(),
        "elasticache": ElastiCache(),
        "grafana": Grafana(),
        "rds": Rds(),
        "s3": S3(),
    }
