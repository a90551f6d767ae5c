// openid-client through every flow, with every check it has switched on.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as client from "openid-client";
import { done, settings, visit } from "./talk.mjs";

const { redirect_uri, after, metadata, secret, key, assertion_alg } = settings;
const scope = "openid profile email offline_access";

async function authentication(method) {
  switch (method) {
    case "client_secret_basic":
      return client.ClientSecretBasic(secret);
    case "client_secret_post":
      return client.ClientSecretPost(secret);
    case "client_secret_jwt":
      return client.ClientSecretJwt(secret);
    case "private_key_jwt":
      return client.PrivateKeyJwt(await jose.importPKCS8(key, assertion_alg));
    default:
      return client.None();
  }
}

const options = {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  algorithm: settings.algorithm,
};
const issuer = new URL(settings.issuer);
const config = settings.register
  ? await client.dynamicClientRegistration(
      issuer,
      settings.register,
      await authentication(settings.register.token_endpoint_auth_method),
      options,
    )
  : await client.discovery(
      issuer,
      settings.client_id,
      metadata,
      await authentication(metadata.token_endpoint_auth_method),
      options,
    );
const result = { client: config.clientMetadata() };
const refusal = (error, status) => (thrown) => {
  assert.ok(thrown instanceof client.ResponseBodyError, thrown);
  assert.equal(thrown.error, error);
  assert.equal(thrown.status, status);
  assert.ok(thrown.error_description);
  return true;
};
assert.ok(config.serverMetadata().supportsPKCE());

// OpenID Connect Registration §4.
if (settings.register) {
  const { registration_client_uri, registration_access_token } = result.client;
  const uri = new URL(registration_client_uri);
  const read = await client.fetchProtectedResource(config, registration_access_token, uri, "GET");
  result.read = await read.json();
}

// The authorization code flow: RFC 7636, RFC 9207, OpenID Connect Core §3.1.
async function ask(parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    max_age: "3600",
    ...parameters,
  });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 3600 };
  return [await visit(url), { ...checks, idTokenExpected: true }];
}

const [answer, checks] = await ask();
assert.equal(answer.searchParams.get("iss"), settings.issuer);
const tokens = await client.authorizationCodeGrant(config, answer, checks);
const claims = tokens.claims();
result.id_token = jose.decodeProtectedHeader(tokens.id_token);
result.sub = claims.sub;
assert.equal(tokens.token_type, "bearer");
assert.ok(tokens.expiresIn() > 0);
await assert.rejects(
  client.authorizationCodeGrant(config, answer, checks),
  refusal("invalid_grant", 400),
);

// A replayed code ends what was made of it (RFC 6749 §4.1.2), so everything else has its own.
const [next, nextChecks] = await ask();
const second = await client.authorizationCodeGrant(config, next, nextChecks);

const [denied, deniedChecks] = await ask({ max_age: "0", prompt: "none" });
await assert.rejects(
  client.authorizationCodeGrant(config, denied, deniedChecks),
  (error) => error instanceof client.AuthorizationResponseError && error.error === "login_required",
);

// OpenID Connect Core §5.3.
result.userinfo = await client.fetchUserInfo(config, second.access_token, claims.sub);
await assert.rejects(client.fetchUserInfo(config, "wrong", claims.sub), (error) => {
  assert.ok(error instanceof client.WWWAuthenticateChallengeError);
  assert.equal(error.cause[0].scheme, "bearer");
  assert.equal(error.cause[0].parameters.error, "invalid_token");
  return true;
});

// RFC 6749 §6.
const refreshed = await client.refreshTokenGrant(config, second.refresh_token);
assert.equal(refreshed.claims().sub, claims.sub);
assert.notEqual(refreshed.access_token, second.access_token);
await assert.rejects(
  client.refreshTokenGrant(config, "wrong"),
  refusal("invalid_grant", 400),
);

// RFC 7662, and RFC 9701 when the application asks for it; RFC 7009.
const refreshToken = refreshed.refresh_token ?? second.refresh_token;
const isPublic = config.clientMetadata().token_endpoint_auth_method === "none";
if (isPublic) {
  await assert.rejects(
    client.tokenIntrospection(config, refreshed.access_token),
    (error) => error.status === 401 && error.cause[0].scheme === "basic",
  );
} else {
  result.introspection = await client.tokenIntrospection(config, refreshed.access_token);
  assert.equal(result.introspection.active, true);
}
await client.tokenRevocation(config, refreshToken, { token_type_hint: "refresh_token" });
await assert.rejects(
  client.refreshTokenGrant(config, refreshToken),
  refusal("invalid_grant", 400),
);
await client.tokenRevocation(config, refreshed.access_token);
if (!isPublic) {
  const ended = await client.tokenIntrospection(config, refreshed.access_token);
  assert.deepEqual(ended, { active: false });
}

// RFC 8628.
if (settings.device) {
  const device = await client.initiateDeviceAuthorization(config, { scope: "openid profile" });
  await visit(device.verification_uri_complete);
  const connected = await client.pollDeviceAuthorizationGrant(config, device);
  assert.equal(connected.claims().sub, claims.sub);
  result.device = await client.fetchUserInfo(config, connected.access_token, claims.sub);
}

// OpenID Connect RP-Initiated Logout §2.
const state = client.randomState();
const left = await visit(
  client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: after,
    id_token_hint: refreshed.id_token,
    state,
  }),
);
assert.equal(left.href, `${after}?state=${state}`);
const [silent] = await ask({ prompt: "none" });
assert.equal(silent.searchParams.get("error"), "login_required");
done(result);
