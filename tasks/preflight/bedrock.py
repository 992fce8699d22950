"""Whether the account may call the Bedrock models of the catalogue.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModelAvailability.html
"""

import re

from tasks.preflight.aws import Absent, AwsReader
from tasks.preflight.finding import PreflightFinding

# An inference profile spreads calls over the regions of a geography: <geography>.<vendor>.<model>.
PROFILE = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.(?P<model>.+)")


def check_model(aws: AwsReader, name: str, bedrock_id: str) -> PreflightFinding:
    """Whether the model called `name` in the catalogue exists in the region and may be called."""
    check = f"Bedrock model {name}"
    correct = f"correct models.catalogue.{name}.bedrock_id: `aws bedrock list-foundation-models --region {aws.region}`"
    profile = PROFILE.fullmatch(bedrock_id)
    try:
        if profile:
            status = aws.ask("bedrock", "get_inference_profile", inferenceProfileIdentifier=bedrock_id)["status"]
            if status != "ACTIVE":
                return PreflightFinding(check, "blocked", f"inference profile {bedrock_id!r} is {status}", correct)
        model = profile["model"] if profile else bedrock_id
        answer = aws.ask("bedrock", "get_foundation_model_availability", modelId=model)
    except Absent:
        return PreflightFinding(check, "blocked", f"{bedrock_id!r} does not exist in {aws.region}", correct)
    granted = {
        "agreement": answer["agreementAvailability"]["status"] == "AVAILABLE",
        "authorization": answer["authorizationStatus"] == "AUTHORIZED",
        "entitlement": answer["entitlementAvailability"] == "AVAILABLE",
        # A profile may call from a region that does not offer the model by itself.
        "region": profile is not None or answer["regionAvailability"] == "AVAILABLE",
    }
    missing = [what for what, given in granted.items() if not given]
    if not missing:
        return PreflightFinding(check, "ok", f"{bedrock_id} may be called from {aws.region}")
    console = f"https://console.aws.amazon.com/bedrock/home?region={aws.region}#/modelaccess"
    remedy = f"ask for access to {model!r} at {console}"
    return PreflightFinding(check, "blocked", f"{bedrock_id!r} lacks {', '.join(missing)}", remedy)
