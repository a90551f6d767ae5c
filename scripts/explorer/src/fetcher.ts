/** Sends GraphiQL's operations to the API, with the token of whoever is signed in. */
import type { Fetcher } from '@graphiql/toolkit';
import type { Session } from './session';
import { eventsOf, isSubscription } from './subscriptions';

const INTROSPECTION = 'IntrospectionQuery';
const SIGN_IN_FIRST = 'Sign in to explore the schema.';

export function createFetcher(session: Session): Fetcher {
  const { config } = session;

  const post = (body: string, headers: Headers, token: string | null): Promise<Response> => {
    const all = new Headers(headers);
    all.set('Content-Type', 'application/json');
    all.set('Accept', 'application/graphql-response+json, application/json;q=0.9');
    if (token !== null) all.set('Authorization', `Bearer ${token}`);
    return fetch(config.endpoint, { method: 'POST', credentials: 'omit', headers: all, body });
  };

  /** Server-sent events: one answer for each event, until the operation is stopped. */
  async function* follow(body: string, given: Headers, ownToken: boolean) {
    const aborted = new AbortController();
    try {
      const headers = new Headers(given);
      const token = ownToken ? null : await session.accessToken();
      if (!ownToken && token === null) throw new Error('Sign in to run this operation.');
      headers.set('Accept', 'text/event-stream');
      headers.set('Content-Type', 'application/json');
      if (token !== null) headers.set('Authorization', `Bearer ${token}`);
      const response = await fetch(config.endpoint, {
        method: 'POST',
        credentials: 'omit',
        headers,
        body,
        signal: aborted.signal,
      });
      if (!response.ok || response.body === null) {
        yield JSON.parse(await response.text());
        return;
      }
      yield* eventsOf(response.body);
    } finally {
      aborted.abort();
    }
  }

  return async (params, options) => {
    const introspecting = params.operationName === INTROSPECTION;
    const headers = new Headers((options?.headers ?? {}) as Record<string, string>);
    const ownToken = headers.has('Authorization');
    const body = JSON.stringify(params);

    if (isSubscription(params.query, params.operationName))
      return follow(body, headers, ownToken) as never;

    const token = ownToken ? null : await session.accessToken();
    const anonymous = !ownToken && token === null;
    const signIn = (): Error => {
      if (introspecting) session.notify({ tone: 'hint', text: SIGN_IN_FIRST });
      return new Error(introspecting ? SIGN_IN_FIRST : 'Sign in to run this operation.');
    };
    if (anonymous && introspecting && !config.introspectAnonymously) throw signIn();

    let response = await post(body, headers, token);
    if (response.status === 401 && token !== null && (await session.renew()))
      response = await post(body, headers, await session.accessToken());

    const text = await response.text();
    if (response.status === 401 && !ownToken) throw signIn();
    try {
      return JSON.parse(text) as never;
    } catch {
      throw new Error(`The server answered HTTP ${response.status}: ${text.slice(0, 500)}`);
    }
  };
}
