"""Who a request comes from, as plain ASGI: nobody gets further without being known and allowed to."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agents.access.api_key import is_key, prefix_of
from agents.access.load_balancer import HEADER, InvalidToken, KeysUnavailable, LoadBalancerTokens
from agents.access.operator_key import OPERATOR, OperatorKey, OperatorKeyUnavailable
from agents.access.policy import opening_scopes
from agents.caller import LOCAL, Caller
from agents.errors import error_response
from agents.state.api_keys import ApiKeys, Revocations
from agents.state.clock import moment, now_ms
from agents.state.database import StateDatabase, StateUnavailable

RETRY_SECONDS = 5


class Refused(Exception):
    """The caller is not let in; the message says why, to whoever holds the key or token."""


class SignedIn:
    """Recognizes callers by their API key, or by the token of the load balancer."""

    def __init__(
        self, database: StateDatabase, tokens: LoadBalancerTokens | None, operator_key: OperatorKey | None
    ) -> None:
        self._keys = ApiKeys(database)
        self._revocations = Revocations(database)
        self._tokens = tokens
        self._operator_key = operator_key

    async def caller(self, headers: Headers) -> Caller:
        """Whoever sent `headers`. A key counts before a token: programs behind the load balancer may have both.

        Raises:
            Refused: there is no key and no token, or it is not valid (any more).
            StateUnavailable, KeysUnavailable, OperatorKeyUnavailable: it cannot be verified now.
        """
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            caller = await self._holder(key.strip())
        elif self._tokens is not None and (token := headers.get(HEADER)):
            caller = await self._person(token, self._tokens)
        else:
            raise Refused("sign in: send an API key as `Authorization: Bearer ak_...`")
        if await self._revocations.is_revoked(caller.id):
            raise Refused(f"{caller.id!r} is blocked")
        return caller

    async def _holder(self, key: str) -> Caller:
        prefix = prefix_of(key)
        if prefix is None and self._operator_key is not None and self._operator_key.is_key(key):
            return OPERATOR
        kept = await self._keys.find(prefix) if prefix is not None else None
        if kept is None or not is_key(key, kept):
            raise Refused("the API key is not known")
        if kept.revoked_ms is not None:
            raise Refused(f"the API key ak_{prefix} was revoked at {moment(kept.revoked_ms):%Y-%m-%d %H:%M} UTC")
        if kept.expires_ms <= now_ms():
            raise Refused(f"the API key ak_{prefix} expired at {moment(kept.expires_ms):%Y-%m-%d %H:%M} UTC")
        return Caller(f"key:{kept.owner}", "key", kept.scopes)

    async def _person(self, token: str, tokens: LoadBalancerTokens) -> Caller:
        try:
            return await tokens.caller(token)
        except InvalidToken as error:
            raise Refused(str(error)) from error


class SignIn:
    """Puts the `Caller` at `request.state.caller`; with `callers` None it is the local one, who may do everything."""

    def __init__(self, app: ASGIApp, callers: SignedIn | None) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        needed = opening_scopes(scope["path"])
        if self._callers is None or not needed:
            scope["state"]["caller"] = LOCAL
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._callers.caller(Headers(scope=scope))
        except Refused as error:
            response = error_response(401, str(error), "invalid_api_key")
            response.headers["www-authenticate"] = "Bearer"
        except (StateUnavailable, KeysUnavailable, OperatorKeyUnavailable) as error:
            response = error_response(
                503, f"the caller's identity cannot be verified right now: {error}", "sign_in_unavailable"
            )
            response.headers["retry-after"] = str(RETRY_SECONDS)
        else:
            if any(map(caller.may, needed)):
                scope["state"]["caller"] = caller
                await self._app(scope, receive, send)
                return
            has = ", ".join(sorted(caller.scopes)) or "none"
            lacking = " or ".join(map(repr, needed))
            message = f"{caller.id!r} lacks the scope {lacking} for {scope['path']!r}; it has {has}"
            response = error_response(403, message, "insufficient_scope")
        await response(scope, receive, send)
