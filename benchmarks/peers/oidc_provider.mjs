// Node's oidc-provider as a token endpoint: `node oidc_provider.mjs PORT KIND`; the variable CLIENTS is [[id, secret], …] as JSON.
//
// With its in-memory adapter, and as near to what AgentIdP does as it can be set: client_credentials, the pair in form fields, and a
// JWT (RFC 9068) signed with ES256. `plaintext`: secrets are compared as they are, which is all that it does by itself. `scrypt`:
// only hashes are kept, and each request is checked against one, by its documented hook for that.

import { generateKeyPairSync, randomBytes, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import Provider from "oidc-provider";

const [, , port, kind] = process.argv;
const audience = "https://resumes.example";
const scope = "resumes:read";
const salt = randomBytes(16);
const length = 32;

const stored = { plaintext: (secret) => secret, scrypt: (secret) => scryptSync(secret, salt, length).toString("hex") }[kind];

const clients = JSON.parse(process.env.CLIENTS).map(([id, secret]) => ({
  client_id: id,
  client_secret: stored(secret),
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  scope,
  token_endpoint_auth_method: "client_secret_post",
}));

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
  scopes: [scope],
  ttl: { ClientCredentials: 3600 },
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope,
        audience,
        accessTokenFormat: "jwt",
        accessTokenTTL: 3600,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

if (kind === "scrypt") {
  const hashed = promisify(scrypt);
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(actual) {
    return timingSafeEqual(await hashed(actual, salt, length), Buffer.from(this.clientSecret, "hex"));
  };
}

provider.listen(Number(port), "127.0.0.1");
