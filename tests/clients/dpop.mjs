// RFC 9449 by oauth4webapi: code, refresh and userinfo with proofs, and nonces as they come.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import { done, settings, visit } from "./talk.mjs";

const { redirect_uri } = settings;
const http = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(settings.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
const client = { client_id: settings.client_id, token_endpoint_auth_method: "none" };
const auth = oauth.None();
const keys = await oauth.generateKeyPair(settings.alg);
assert.ok(as.dpop_signing_alg_values_supported.includes(settings.alg));
const DPoP = oauth.DPoP(client, keys);
const options = { ...http, DPoP };
let nonces = 0;

/** As the library has it: once more with the nonce that the answer gave. */
async function proven(send, read) {
  try {
    return await read(await send());
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    nonces += 1;
    return read(await send());
  }
}

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const parameters = {
  client_id: client.client_id,
  redirect_uri,
  response_type: "code",
  scope: "openid profile email offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  dpop_jkt: await DPoP.calculateThumbprint(),
  state,
};
let authorization = parameters;
if (settings.pushes) {
  const pushed = await proven(
    () => oauth.pushedAuthorizationRequest(as, client, auth, parameters, options),
    (response) => oauth.processPushedAuthorizationResponse(as, client, response),
  );
  authorization = { client_id: client.client_id, request_uri: pushed.request_uri };
}
const url = new URL(as.authorization_endpoint);
for (const [name, value] of Object.entries(authorization)) url.searchParams.set(name, value);
const answer = oauth.validateAuthResponse(as, client, await visit(url), state);
const tokens = await proven(
  () =>
    oauth.authorizationCodeGrantRequest(as, client, auth, answer, redirect_uri, verifier, options),
  (response) => oauth.processAuthorizationCodeResponse(as, client, response),
);
assert.equal(tokens.token_type, "dpop");
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
const userinfo = (token) =>
  proven(
    () => oauth.userInfoRequest(as, client, token, options),
    (response) => oauth.processUserInfoResponse(as, client, sub, response),
  );
await userinfo(tokens.access_token);

// Without the key neither is of use.
const refresh = (given) =>
  oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, given);
const stolen = await refresh(http);
assert.equal((await stolen.json()).error, "invalid_request");
await assert.rejects(
  oauth.userInfoRequest(as, client, tokens.access_token, http).then(
    (response) => oauth.processUserInfoResponse(as, client, sub, response),
  ),
  (error) => error.cause[0].parameters.error === "invalid_token",
);

const again = await proven(
  () => refresh(options),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
);
assert.equal(again.token_type, "dpop");
const jkt = await jose.calculateJwkThumbprint(await jose.exportJWK(keys.publicKey));
assert.equal(jose.decodeJwt(again.access_token).cnf.jkt, jkt);
done({ userinfo: await userinfo(again.access_token), nonces });
