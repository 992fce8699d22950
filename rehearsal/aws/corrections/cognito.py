"""Amazon Cognito, on moto.

- The account of a user pool's domain is another made-up one in every answer; AWS answers the account that owns the pool
  (API reference, DomainDescriptionType). Without it every later plan finds the domain changed.
"""

import json
from dataclasses import replace

from rehearsal.aws.call import Answer, Call, Proceed

_TARGET = "AWSCognitoIdentityProviderService."


class Cognito:
    """Names the account of a domain."""

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Describe a domain with its pool's account; all else as moto does."""
        answer = await proceed(call)
        if not answer.succeeded or call.headers.get("x-amz-target") != f"{_TARGET}DescribeUserPoolDomain":
            return answer
        domain = answer.json["DomainDescription"]
        if "UserPoolId" not in domain:
            return answer
        headers = {**call.headers, "x-amz-target": f"{_TARGET}DescribeUserPool"}
        asked = json.dumps({"UserPoolId": domain["UserPoolId"]}).encode()
        pool = (await proceed(replace(call, headers=headers, body=asked))).json["UserPool"]
        return answer.with_json({"DomainDescription": {**domain, "AWSAccountId": pool["Arn"].split(":")[4]}})
