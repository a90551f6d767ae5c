// openid-client where tokens and requests pass through the browser, and where no person is asked.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as client from "openid-client";
import { done, settings, visit } from "./talk.mjs";

const { redirect_uri, audience } = settings;
const key = await jose.importPKCS8(settings.key, settings.assertion_alg);
const auth = () => client.PrivateKeyJwt(key);
const configured = (...execute) =>
  client.discovery(
    new URL(settings.issuer),
    settings.client_id,
    settings.metadata,
    auth(),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks, ...execute] },
  );
const result = {};

async function asked() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const parameters = {
    redirect_uri,
    scope: "openid",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  };
  return [parameters, { ...checks, idTokenExpected: true }];
}

// RFC 9101: the parameters as a JWT by the application's key.
{
  const config = await configured();
  const [parameters, checks] = await asked();
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, key);
  assert.ok(!url.searchParams.has("redirect_uri"));
  const tokens = await client.authorizationCodeGrant(config, await visit(url), checks);
  result.by_request_object = tokens.claims().sub;
}

// OpenID Connect Core §3.3.2.11: `c_hash`, and with it `s_hash` of a detached signature.
for (const detached of [[], [client.enableDetachedSignatureResponseChecks]]) {
  const config = await configured(client.useCodeIdTokenResponseType, ...detached);
  const [parameters, checks] = await asked();
  const url = client.buildAuthorizationUrl(config, parameters);
  assert.equal(url.searchParams.get("response_type"), "code id_token");
  const answer = await visit(url);
  assert.ok(answer.hash);
  const tokens = await client.authorizationCodeGrant(config, answer, checks);
  result[detached.length ? "detached" : "hybrid"] = tokens.claims().sub;
}

// OpenID Connect Core §3.2.
{
  const config = await configured(client.useIdTokenResponseType);
  const [{ code_challenge, code_challenge_method, ...parameters }, checks] = await asked();
  const url = client.buildAuthorizationUrl(config, parameters);
  assert.equal(url.searchParams.get("response_type"), "id_token");
  const { expectedNonce, expectedState } = checks;
  const answer = await visit(url);
  const claims = await client.implicitAuthentication(config, answer, expectedNonce, {
    expectedState,
  });
  result.implicit = claims.sub;
}

// RFC 6749 §4.4, and RFC 8707 for the same API.
const config = await configured();
for (const parameters of [{ audience }, { resource: audience }]) {
  const tokens = await client.clientCredentialsGrant(config, parameters);
  assert.equal(jose.decodeJwt(tokens.access_token).aud, audience);
  assert.equal(tokens.scope, "read");
}
await assert.rejects(
  client.clientCredentialsGrant(config, { audience, scope: "write" }),
  (error) => error instanceof client.ResponseBodyError && error.error === "invalid_scope",
);
done(result);
