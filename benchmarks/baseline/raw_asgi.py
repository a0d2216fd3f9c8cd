"""The token endpoint as a raw ASGI application, on plain uvicorn: `python -m benchmarks.baseline.raw_asgi PORT KIND`.

`token`: what one would write by hand to be fast, leaving out all else. The form is read by the standard library, the one
client's secret is known by its HMAC, claims and answer are JSON by msgspec, the token is signed with a key object.
`signature`: no form, no claims; one signature of as many bytes as a token has, and a constant answer. Nobody can be faster
than the server's loop and this.
"""

import base64
import hmac
import os
import socket
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agentidp.http_server.asgi import Endpoint, Receive, Scope, Send

CLIENT_ID = "1f0d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"  # noqa: S105 of nobody
ISSUER = "http://127.0.0.1:8080"
AUDIENCE = "https://resumes.example"
SCOPE = "resumes:read"
KEEP_ALIVE_SECONDS = 75

Sign = Callable[[bytes], bytes]


def token_application() -> Endpoint:
    """Issues real tokens to one client."""
    sign, key = signer(), os.urandom(32)
    digests = {CLIENT_ID: hmac.digest(key, SECRET.encode(), "sha256")}
    header = base64url(msgspec.json.encode({"alg": "ES256", "kid": "x" * 43, "typ": "at+jwt"})) + b"."

    async def application(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 there is one path
        form = dict(parse_qsl((await receive())["body"].decode()))
        digest = hmac.digest(key, form["client_secret"].encode(), "sha256")
        if form["grant_type"] != "client_credentials" or not hmac.compare_digest(digests[form["client_id"]], digest):
            return await answer(send, 401, b'{"error":"invalid_client"}')
        signed = header + base64url(msgspec.json.encode(claims()))
        token = (signed + b"." + base64url(sign(signed))).decode()
        body = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": SCOPE}
        return await answer(send, 200, msgspec.json.encode(body))

    return application


def signature_application() -> Endpoint:
    """Signs and answers, always the same."""
    sign, signed, body = signer(), b"x" * 600, b'{"access_token":"' + b"x" * 690 + b'"}'

    async def application(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 there is one path
        await receive()
        sign(signed)
        await answer(send, 200, body)

    return application


def claims() -> dict[str, Any]:
    """Return the claims of a token."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "sub": CLIENT_ID,
        "client_id": CLIENT_ID,
        "aud": AUDIENCE,
        "scope": SCOPE,
        "credential_id": CLIENT_ID,
        "iat": now,
        "exp": now + 3600,
        "jti": str(uuid.uuid4()),
    }


def signer() -> Sign:
    """ES256 (RFC 7518, section 3.4)."""
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256())

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def base64url(data: bytes) -> bytes:
    """Encode as base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


async def answer(send: Send, status: int, body: bytes) -> None:
    """With the headers that RFC 6749, section 5.1, asks for."""
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"pragma", b"no-cache"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


APPLICATIONS = {"token": token_application, "signature": signature_application}


def main() -> None:
    """Serve until told to stop."""
    port, kind = int(sys.argv[1]), sys.argv[2]
    uvloop.run(plain_uvicorn(APPLICATIONS[kind]()).serve(sockets=[socket.create_server(("127.0.0.1", port))]))


def plain_uvicorn(application: Endpoint) -> uvicorn.Server:
    """Nothing of ours: what our server adds to it counts as ours."""
    options: dict[str, Any] = {
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "lifespan": "off",
        "ws": "none",
    }
    config = uvicorn.Config(
        application, interface="asgi3", http="httptools", log_config=None, timeout_keep_alive=KEEP_ALIVE_SECONDS, **options
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    main()
