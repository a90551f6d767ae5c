/** What one authorization request keeps secret until its answer comes (RFC 7636). */

export interface Transaction {
  state: string;
  verifier: string;
  nonce: string;
  signIn: number;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

export function newTransaction(signIn: number): Transaction {
  return { state: random(), verifier: random(), nonce: random(), signIn };
}

export async function challenge(verifier: string): Promise<string> {
  if (!globalThis.crypto?.subtle)
    throw new Error('Signing in needs HTTPS (or an address on this machine, such as localhost).');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}
