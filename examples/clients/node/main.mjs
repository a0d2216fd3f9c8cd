// An agent with openid-client: it gets a token, uses it, looks at it and gives it back. `node main.mjs API_URL`.
// All that it needs is in its Secret, mounted as a folder: AGENT_SECRET says where.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as client from "openid-client";

const folder = process.env.AGENT_SECRET ?? "/var/run/secrets/agent";

// Read when it is needed, not once at the start: after a rotation the file has the new value.
const secret = (key) => readFileSync(join(folder, key), "utf8");

const issuer = new URL(secret("issuer"));
const config = await client.discovery(issuer, secret("client_id"), undefined, client.ClientSecretBasic(secret("client_secret")), {
  algorithm: "oauth2",
  execute: issuer.protocol === "http:" ? [client.allowInsecureRequests] : [], // http: a cluster on this machine
});

const token = await client.clientCredentialsGrant(config, { scope: "resumes:read", resource: "https://resumes.example" });
const response = await client.fetchProtectedResource(config, token.access_token, new URL(process.argv[2]), "GET");
if (!response.ok) throw new Error(`the API answered ${response.status}`);
const answer = await response.json();

const before = await client.tokenIntrospection(config, token.access_token);
await client.tokenRevocation(config, token.access_token);
const after = await client.tokenIntrospection(config, token.access_token);
console.log(JSON.stringify({ scope: token.scope, answer, active: [before.active, after.active] }));
