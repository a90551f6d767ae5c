/** Sends GraphiQL's operations to the API, with the token of whoever is signed in. */
import type { Fetcher } from '@graphiql/toolkit';
import type { Session } from './session';

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

  return async (params, options) => {
    const introspecting = params.operationName === INTROSPECTION;
    const headers = new Headers((options?.headers ?? {}) as Record<string, string>);
    const ownToken = headers.has('Authorization');
    const body = JSON.stringify(params);

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
