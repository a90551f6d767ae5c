/** What the server wrote into the page. */

export interface SignIn {
  label: string;
  authorizeUrl: string;
  tokenUrl: string;
  clientId: string;
  audience: string;
  redirectUri: string;
  endSessionUrl: string;
  scope: string;
  issuer: string;
}

export interface Config {
  tenantName: string;
  endpoint: string;
  signIns: SignIn[];
  introspectAnonymously: boolean;
}

export function readConfig(): Config {
  const element = document.getElementById('explorer-config');
  return JSON.parse(element?.textContent ?? '') as Config;
}
