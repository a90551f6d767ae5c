/** What the explorer leaves in the browser: open operations, and never a token or a header. */
import type { Transaction } from './pkce';

/** Tenants may share an origin, so each explorer keeps to keys of its own. */
const SCOPE = `explorer:${location.pathname}:`;
const PENDING = `${SCOPE}pending`;
const REMEMBERED = `${SCOPE}signed-in`;

/** Storage may be switched off in a browser; the explorer works without it, save for signing in. */
function attempt<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

export function savePending(transaction: Transaction): void {
  sessionStorage.setItem(PENDING, JSON.stringify(transaction));
}

/** The transaction that has this state; it can be taken once. */
export function takePending(state: string): Transaction | null {
  return attempt(() => {
    const text = sessionStorage.getItem(PENDING);
    sessionStorage.removeItem(PENDING);
    const found = text === null ? null : (JSON.parse(text) as Transaction);
    return found && found.state === state ? found : null;
  }, null);
}

export function remember(signIn: number): void {
  attempt(() => sessionStorage.setItem(REMEMBERED, String(signIn)), undefined);
}

export function forget(): void {
  attempt(() => {
    sessionStorage.removeItem(REMEMBERED);
    sessionStorage.removeItem(PENDING);
  }, undefined);
}

/** Which sign-in this browser tab used last, if it did. */
export function remembered(): number | null {
  const text = attempt(() => sessionStorage.getItem(REMEMBERED), null);
  return text === null ? null : Number(text);
}

/** Where GraphiQL keeps the headers of a request beside it; headers may hold a token. */
const WITH_HEADERS = new Set(['graphiql:tabState', 'graphiql:queries', 'graphiql:favorites']);

function withoutHeaders(value: string): string {
  return attempt(
    () => JSON.stringify(JSON.parse(value), (key, item) => (key === 'headers' ? null : item)),
    '',
  );
}

/** The storage for GraphiQL. */
export const operations = {
  get length(): number {
    return attempt(() => localStorage.length, 0);
  },
  getItem(key: string): string | null {
    return attempt(() => localStorage.getItem(SCOPE + key), null);
  },
  setItem(key: string, value: string): void {
    if (/headers/i.test(key)) return;
    localStorage.setItem(SCOPE + key, WITH_HEADERS.has(key) ? withoutHeaders(value) : value);
  },
  removeItem(key: string): void {
    attempt(() => localStorage.removeItem(SCOPE + key), undefined);
  },
  clear(): void {
    attempt(() => {
      for (const key of Object.keys(localStorage))
        if (key.startsWith(SCOPE)) localStorage.removeItem(key);
    }, undefined);
  },
};
