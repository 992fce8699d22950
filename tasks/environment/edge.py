"""What stands between people and the agents of an environment on AWS."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.environment.section import Name, Section

Https = Annotated[str, Field(pattern=r"^https://.+", description="a URL that starts with https://")]
ClientId = Annotated[
    str,
    Field(pattern=r"^[\x21-\x7e]{1,255}$", description="what the identity provider calls the load balancer, no blanks"),
]
Rule = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]+_[A-Z]+$",
        description='a rule of AWSManagedRulesCommonRuleSet, such as "CrossSiteScripting_BODY"',
    ),
]


class Domain(Section):
    """The name that people type; without a `zone_id` a zone of that name is made, to be delegated to."""

    name: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$",
            description='a DNS name in small letters, such as "assistant.example.com"',
        ),
    ]
    zone_id: (
        Annotated[
            str,
            Field(
                pattern=r"^Z[0-9A-Z]{5,31}$",
                description='the id of a Route 53 zone, such as "Z0123456789ABCDEFGHIJ"',
            ),
        ]
        | None
    ) = None


class Firewall(Section):
    """Limits of requests, by address and by size; rules in `count_only` count a request and let it pass."""

    requests_per_5_minutes: Annotated[int, Field(ge=10, le=2_000_000_000)]
    largest_request_bytes: Annotated[int, Field(ge=256)]
    count_only: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _body_size_is_ours(self) -> Self:
        if "SizeRestrictions_BODY" in self.count_only:
            raise ValueError("count_only has 'SizeRestrictions_BODY', which always only counts; remove it")
        return self


class Cognito(Section):
    """Accounts of people kept in a Cognito user pool, made by an administrator."""

    kind: Literal["cognito"]
    mfa: Literal["optional", "required"]


class Oidc(Section):
    """An identity provider elsewhere, which knows the load balancer as `client_id`.

    `issuer` is as the provider writes it, a slash at its end included; `client_secret` is the name of a secret that a
    person supplies.
    """

    kind: Literal["oidc"]
    issuer: Https
    authorization_endpoint: Https
    token_endpoint: Https
    user_info_endpoint: Https
    client_id: ClientId
    client_secret: Name


class Edge(Section):
    """Name, firewall, sign-in and access logs."""

    domain: Domain | None = None
    access_log_days: Annotated[int, Field(ge=1)]
    firewall: Firewall
    sign_in: Annotated[Cognito | Oidc, Field(discriminator="kind")] | None = None

    @model_validator(mode="after")
    def _sign_in_needs_a_name(self) -> Self:
        if self.sign_in is not None and self.domain is None:
            raise ValueError(f"sign_in.kind = {self.sign_in.kind!r} needs edge.domain, where people come back to")
        return self
