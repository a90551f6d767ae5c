// Tokens as an API decodes them with jose; RFC 9068 ones also as oauth4webapi wants them.
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import { done, settings } from "./talk.mjs";

const { issuer, tokens, key } = settings;
const http = { [oauth.allowInsecureRequests]: true };
const keys = jose.createRemoteJWKSet(new URL(settings.jwks_uri));
const as = { issuer, jwks_uri: settings.jwks_uri };

async function decoded({ token, alg, audience, secret, encrypted_with, rfc9068 }) {
  const answer = {};
  if (encrypted_with) {
    const opened = await jose.compactDecrypt(
      token,
      await jose.importPKCS8(key, encrypted_with),
      { keyManagementAlgorithms: [encrypted_with], contentEncryptionAlgorithms: ["A256GCM"] },
    );
    answer.outer = opened.protectedHeader;
    token = new TextDecoder().decode(opened.plaintext);
  }
  const verified = await jose.jwtVerify(token, secret ? new TextEncoder().encode(secret) : keys, {
    issuer,
    audience,
    algorithms: [alg],
    typ: rfc9068 ? "at+jwt" : "JWT",
    requiredClaims: ["sub", "iat", "exp"],
  });
  answer.header = verified.protectedHeader;
  answer.claims = verified.payload;
  if (rfc9068 && !secret) {
    const headers = { authorization: `Bearer ${token}` };
    const request = new Request(audience, { headers });
    const claims = await oauth.validateJwtAccessToken(as, request, audience, http);
    answer.agreed = JSON.stringify(claims) === JSON.stringify(verified.payload);
  }
  return answer;
}

const answers = [];
for (const token of tokens) answers.push(await decoded(token));
done({ answers });
