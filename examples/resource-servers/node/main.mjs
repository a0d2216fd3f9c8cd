// An API that takes AgentIdP's tokens, with jose: `ISSUER=… AUDIENCE=… PORT=8000 node main.mjs`.

import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { ISSUER: issuer, AUDIENCE: audience, PORT: port } = process.env;

// Found once (RFC 8414). jose asks for the keys again when a token names an unknown one, at most every 30 s.
const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { cacheMaxAge: 300_000 });

// What the token says, once it is known to be good and for us (RFC 9068, section 4).
async function claims(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: "at+jwt",
    algorithms: ["ES256", "RS256"], // what AgentIdP can be set to; never take the list from the token
    requiredClaims: ["exp", "iat", "sub", "client_id", "jti"],
  });
  return payload;
}

// As RFC 6750, section 3, has it; a request without a token is told nothing but the scheme.
function refuse(response, status, error) {
  response.writeHead(status, { "WWW-Authenticate": error ? `Bearer error="${error}"` : "Bearer" }).end();
}

async function resumes(request, response) {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (!token) return refuse(response, 401);
  const caller = await claims(token);
  if (!(caller.scope ?? "").split(" ").includes("resumes:read")) return refuse(response, 403, "insufficient_scope");
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ agent: caller.client_id, resumes: [] }));
}

// A token that is not good is the caller's trouble; keys that cannot be had are ours.
function failed(response, trouble) {
  const ofToken = trouble instanceof errors.JOSEError && !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT"].includes(trouble.code);
  if (ofToken) refuse(response, 401, "invalid_token");
  else response.writeHead(503).end();
}

createServer((request, response) => {
  if (request.method !== "GET" || request.url !== "/resumes") return response.writeHead(404).end();
  resumes(request, response).catch((trouble) => failed(response, trouble));
}).listen(Number(port));
