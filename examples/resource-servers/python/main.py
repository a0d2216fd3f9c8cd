"""An API that takes AgentIdP's tokens, with FastAPI and PyJWT: `ISSUER=… AUDIENCE=… uvicorn main:app --port 8000`."""

import os
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER, AUDIENCE = os.environ["ISSUER"], os.environ["AUDIENCE"]
ALGORITHMS = ["ES256", "RS256"]  # what AgentIdP can be set to; never take the list from the token
CLOCK_SKEW = 5  # seconds; without it, PyJWT refuses a fresh token of an issuer whose clock is ahead
CLAIMS = ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"]

app = FastAPI()


@cache
def keys() -> jwt.PyJWKClient:
    """The issuer's keys: found once (RFC 8414), asked for again every five minutes and when a token names an unknown one."""
    metadata = httpx.get(f"{ISSUER}/.well-known/oauth-authorization-server").raise_for_status().json()
    return jwt.PyJWKClient(metadata["jwks_uri"], lifespan=300)


def claims(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
    """What the caller's token says, once it is known to be good and for us (RFC 9068, section 4)."""
    token = sent.credentials
    try:
        told = jwt.decode_complete(
            token,
            keys().get_signing_key_from_jwt(token),
            algorithms=ALGORITHMS,
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": CLAIMS},
            leeway=CLOCK_SKEW,
        )
    except (httpx.HTTPError, jwt.PyJWKClientConnectionError) as trouble:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "the issuer's keys cannot be had") from trouble
    except jwt.PyJWTError as trouble:
        raise refusal(HTTPStatus.UNAUTHORIZED, "invalid_token") from trouble
    if told["header"].get("typ", "").lower() != "at+jwt":
        raise refusal(HTTPStatus.UNAUTHORIZED, "invalid_token")
    payload: dict[str, Any] = told["payload"]
    return payload


def refusal(status: HTTPStatus, error: str) -> HTTPException:
    """As RFC 6750, section 3, has it."""
    return HTTPException(status, error, {"WWW-Authenticate": f'Bearer error="{error}"'})


@app.get("/resumes")
def resumes(caller: Annotated[dict[str, Any], Depends(claims)]) -> dict[str, Any]:
    """For agents that may read them."""
    if "resumes:read" not in caller.get("scope", "").split():
        raise refusal(HTTPStatus.FORBIDDEN, "insufficient_scope")
    return {"agent": caller["client_id"], "resumes": []}
