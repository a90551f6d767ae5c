// oauth4webapi through every flow: the library that leaves no answer unchecked.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import { done, settings, visit } from "./talk.mjs";

const { redirect_uri, after, metadata, secret, key, assertion_alg } = settings;
const http = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(settings.issuer);
const result = {};

// OpenID Connect Discovery §4 and RFC 8414 §3.
const { algorithm } = settings;
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm, ...http }),
);
assert.ok(as.authorization_response_iss_parameter_supported);

// OpenID Connect Registration §3 or RFC 7591 §3, if the test wants it.
const client = settings.register
  ? await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(as, settings.register, http),
    )
  : { client_id: settings.client_id, ...metadata };
result.client = client;

async function authentication() {
  const known = client.client_secret ?? secret;
  switch (client.token_endpoint_auth_method) {
    case "client_secret_basic":
      return oauth.ClientSecretBasic(known);
    case "client_secret_post":
      return oauth.ClientSecretPost(known);
    case "client_secret_jwt":
      return oauth.ClientSecretJwt(known);
    case "private_key_jwt":
      return oauth.PrivateKeyJwt(await jose.importPKCS8(key, assertion_alg));
    default:
      return oauth.None();
  }
}

const auth = await authentication();
const refused = (promise, error, status = 400) =>
  assert.rejects(promise, (thrown) => {
    assert.ok(thrown instanceof oauth.ResponseBodyError, thrown);
    assert.deepEqual([thrown.error, thrown.status], [error, status]);
    assert.ok(thrown.error_description);
    return true;
  });
const signed = async (response) => {
  await oauth.validateApplicationLevelSignature(as, response, http);
};

// OpenID Connect Registration §4.
if (settings.register) {
  const { registration_client_uri, registration_access_token } = client;
  const uri = new URL(registration_client_uri);
  const read = await oauth.protectedResourceRequest(
    registration_access_token,
    "GET",
    uri,
    undefined,
    undefined,
    http,
  );
  result.read = await read.json();
}

// The authorization code flow: RFC 7636, RFC 9207, OpenID Connect Core §3.1.
async function ask(parameters = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint);
  const asked = {
    client_id: client.client_id,
    redirect_uri,
    response_type: "code",
    scope: "openid profile email offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...parameters,
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return { answer: await visit(url), verifier, state, nonce };
}

async function redeem({ answer, verifier, state, nonce }) {
  const parameters = oauth.validateAuthResponse(as, client, answer, state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    auth,
    parameters,
    redirect_uri,
    verifier,
    http,
  );
  const kept = response.clone();
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce,
    maxAge: 3600,
    requireIdToken: true,
  });
  assert.equal(kept.headers.get("cache-control"), "no-store");
  await signed(response);
  return tokens;
}

const asked = await ask({ max_age: "3600" });
// RFC 9207 §2.4: an answer of another issuer is refused, so ours must say whose it is.
const foreign = new URL(asked.answer);
foreign.searchParams.set("iss", "https://attacker.example");
assert.throws(() => oauth.validateAuthResponse(as, client, foreign, asked.state));
const tokens = await redeem(asked);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const { sub } = claims;
result.sub = sub;
result.id_token = jose.decodeProtectedHeader(tokens.id_token);

// OpenID Connect Core §5.3.
async function userinfo(token) {
  const response = await oauth.userInfoRequest(as, client, token, http);
  const type = response.headers.get("content-type");
  const claims = await oauth.processUserInfoResponse(as, client, sub, response);
  if (client.userinfo_signed_response_alg) {
    assert.equal(type, "application/jwt");
    await signed(response);
  }
  return claims;
}

result.userinfo = await userinfo(tokens.access_token);
await assert.rejects(userinfo("wrong"), (error) => {
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError);
  assert.equal(error.cause[0].parameters.error, "invalid_token");
  return true;
});

// RFC 6749 §6, OpenID Connect Core §12.
async function refresh(token, parameters = {}) {
  const response = await oauth.refreshTokenGrantRequest(as, client, auth, token, {
    additionalParameters: parameters,
    ...http,
  });
  const answer = await oauth.processRefreshTokenResponse(as, client, response);
  if (answer.id_token) await signed(response);
  return answer;
}

const narrowed = await refresh(tokens.refresh_token, { scope: "openid" });
assert.equal(oauth.getValidatedIdTokenClaims(narrowed).sub, sub);
result.narrowed = await userinfo(narrowed.access_token);
const refreshToken = narrowed.refresh_token ?? tokens.refresh_token;
await refused(refresh(refreshToken, { scope: "openid address" }), "invalid_scope");

// RFC 7662 and RFC 9701.
async function introspect(token, requestJwtResponse) {
  const response = await oauth.introspectionRequest(as, client, auth, token, {
    requestJwtResponse,
    ...http,
  });
  const answer = await oauth.processIntrospectionResponse(as, client, response);
  if (requestJwtResponse) await signed(response);
  return answer;
}

const isPublic = client.token_endpoint_auth_method === "none";
if (!isPublic) {
  result.introspection = await introspect(narrowed.access_token, false);
  assert.deepEqual(await introspect(narrowed.access_token, true), result.introspection);
  assert.deepEqual(await introspect("wrong", true), { active: false });
}

// RFC 7009.
async function revoke(token) {
  const response = await oauth.revocationRequest(as, client, auth, token, http);
  await oauth.processRevocationResponse(response);
}

await revoke(narrowed.access_token);
await revoke("wrong");
await assert.rejects(userinfo(narrowed.access_token), oauth.WWWAuthenticateChallengeError);
await revoke(refreshToken);
await refused(refresh(refreshToken), "invalid_grant");

// A code that is used twice (RFC 6749 §4.1.2), and one with another verifier (RFC 7636 §4.6).
await refused(redeem(asked), "invalid_grant");
await refused(
  redeem({ ...(await ask()), verifier: oauth.generateRandomCodeVerifier() }),
  "invalid_grant",
);

// RFC 8628.
if (settings.device) {
  const device = await oauth.processDeviceAuthorizationResponse(
    as,
    client,
    await oauth.deviceAuthorizationRequest(as, client, auth, { scope: "openid email" }, http),
  );
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(as, client, auth, device.device_code, http);
    const answer = await oauth.processDeviceCodeResponse(as, client, response);
    await signed(response);
    return answer;
  };
  await refused(poll(), "authorization_pending");
  await visit(device.verification_uri_complete);
  const connected = await poll();
  assert.equal(oauth.getValidatedIdTokenClaims(connected).sub, sub);
  result.device = await userinfo(connected.access_token);
  await refused(poll(), "invalid_grant");
}

// OpenID Connect RP-Initiated Logout §2.
const end = new URL(as.end_session_endpoint);
const state = oauth.generateRandomState();
end.searchParams.set("id_token_hint", narrowed.id_token);
end.searchParams.set("post_logout_redirect_uri", after);
end.searchParams.set("state", state);
assert.equal((await visit(end)).href, `${after}?state=${state}`);
const silent = await ask({ prompt: "none" });
assert.throws(
  () => oauth.validateAuthResponse(as, client, silent.answer, silent.state),
  (error) => error instanceof oauth.AuthorizationResponseError && error.error === "login_required",
);
done(result);
