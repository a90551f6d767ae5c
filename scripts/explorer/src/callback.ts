/** The answer of the authorization server, as it stands in the address of the page. */

export const CALLBACK_MESSAGE = 'explorer-callback';

export interface Callback {
  state: string;
  code: string | null;
  error: string | null;
  errorDescription: string | null;
  issuer: string | null;
}

const PARAMETERS = [
  'code',
  'state',
  'error',
  'error_description',
  'error_uri',
  'iss',
  'session_state',
];

export function readCallback(): Callback | null {
  const query = new URLSearchParams(location.search);
  const code = query.get('code');
  const error = query.get('error');
  if (code === null && error === null) return null;
  return {
    state: query.get('state') ?? '',
    code,
    error,
    errorDescription: query.get('error_description'),
    issuer: query.get('iss'),
  };
}

/** Takes the answer out of the address, so that it is in no history and no bookmark. */
export function cleanAddress(): void {
  const url = new URL(location.href);
  for (const name of PARAMETERS) url.searchParams.delete(name);
  history.replaceState(history.state, '', url.pathname + url.search + url.hash);
}
