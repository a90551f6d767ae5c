/**
 * Who is signed in. The tokens live in this module's memory and nowhere else: closing or reloading
 * the page drops them, and a hidden frame asks the authorization server for new ones.
 */
import { CALLBACK_MESSAGE, type Callback, cleanAddress } from './callback';
import type { Config, SignIn } from './config';
import { type Transaction, challenge, newTransaction } from './pkce';
import { forget, remember, remembered, savePending, takePending } from './storage';

const FRAME_TIMEOUT = 10_000;
const LONGEST_TIMER = 2 ** 31 - 1;

export interface Notice {
  tone: 'error' | 'hint';
  text: string;
}

export interface View {
  phase: 'starting' | 'signed-out' | 'signed-in';
  signIn: number | null;
  who: { name: string; scopes: number } | null;
  notice: Notice | null;
  /** Changes when the schema must be read again. */
  generation: number;
}

interface Tokens {
  access: string;
  id: string | null;
  /** In milliseconds, from performance.now(). */
  expiresAt: number;
}

/** A refusal by the authorization server, with the text that it gave. */
class Refused extends Error {
  constructor(
    readonly code: string,
    description: string | null,
  ) {
    super(description || `The authorization server answered: ${code}`);
  }
}

export class Session {
  private view: View = {
    phase: 'starting',
    signIn: null,
    who: null,
    notice: null,
    generation: 0,
  };
  private readonly listeners = new Set<() => void>();
  private tokens: Tokens | null = null;
  private renewal: Promise<boolean> | null = null;
  private timer = 0;
  /** Resolves when the page knows whether somebody is signed in. */
  private ready: Promise<void> = Promise.resolve();

  constructor(readonly config: Config) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): View => this.view;

  private show(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  /** A hint does not take the place of an error that is still to be read. */
  notify(notice: Notice | null): void {
    if (notice?.tone === 'hint' && this.view.notice?.tone === 'error') return;
    this.show({ notice });
  }

  start(callback: Callback | null): void {
    this.ready = this.begin(callback).then(() => {
      if (this.view.phase === 'starting') this.show({ phase: 'signed-out' });
    });
  }

  private async begin(callback: Callback | null): Promise<void> {
    if (callback) {
      cleanAddress();
      try {
        const transaction = takePending(callback.state);
        if (!transaction)
          throw new Error('This sign-in did not begin here or is used up. Please sign in again.');
        await this.finish(transaction, callback);
      } catch (error) {
        forget();
        this.notify({ tone: 'error', text: describe('Signing in failed', error) });
      }
      return;
    }
    const last = remembered();
    if (last !== null && this.config.signIns[last]) await this.renew(last);
  }

  /** Leaves the page for the authorization server. */
  async signIn(index: number): Promise<void> {
    try {
      const transaction = newTransaction(index);
      const url = await this.authorizeUrl(transaction, {});
      savePending(transaction);
      location.assign(url);
    } catch (error) {
      this.notify({ tone: 'error', text: describe('Signing in failed', error) });
    }
  }

  signOut(): void {
    const option = this.option(this.view.signIn);
    const idToken = this.tokens?.id ?? null;
    forget();
    this.drop();
    if (!option?.endSessionUrl) return;
    const url = new URL(option.endSessionUrl, location.href);
    url.searchParams.set('client_id', option.clientId);
    url.searchParams.set('post_logout_redirect_uri', option.redirectUri);
    if (idToken) url.searchParams.set('id_token_hint', idToken);
    location.assign(url);
  }

  /** The token for a call to the API; it is renewed first if its time is over. */
  async accessToken(): Promise<string | null> {
    await this.ready;
    if (this.tokens && performance.now() >= this.tokens.expiresAt) await this.renew();
    return this.tokens?.access ?? null;
  }

  /** Asks for new tokens in a hidden frame, once for all who wait; false if there are none. */
  renew(signIn: number | null = this.view.signIn): Promise<boolean> {
    if (signIn === null) return Promise.resolve(false);
    this.renewal ??= this.renewSilently(signIn).finally(() => (this.renewal = null));
    return this.renewal;
  }

  private async renewSilently(signIn: number): Promise<boolean> {
    const wasSignedIn = this.view.phase === 'signed-in';
    try {
      const transaction = newTransaction(signIn);
      const url = await this.authorizeUrl(transaction, { prompt: 'none' });
      await this.finish(transaction, await answerOfFrame(url, transaction.state));
      return true;
    } catch (error) {
      if (error instanceof Refused) forget();
      this.drop();
      if (wasSignedIn)
        this.notify({ tone: 'hint', text: 'Your session has ended. Please sign in again.' });
      return false;
    }
  }

  private option(index: number | null): SignIn | null {
    return index === null ? null : (this.config.signIns[index] ?? null);
  }

  private async authorizeUrl(
    transaction: Transaction,
    more: Record<string, string>,
  ): Promise<string> {
    const option = this.option(transaction.signIn);
    if (!option) throw new Error('This way to sign in is not offered.');
    const url = new URL(option.authorizeUrl, location.href);
    const parameters: Record<string, string> = {
      response_type: 'code',
      client_id: option.clientId,
      redirect_uri: option.redirectUri,
      audience: option.audience,
      scope: option.scope,
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: await challenge(transaction.verifier),
      code_challenge_method: 'S256',
      ...more,
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Exchanges the code of an answer that belongs to this transaction. */
  private async finish(transaction: Transaction, callback: Callback): Promise<void> {
    const option = this.option(transaction.signIn);
    if (!option) throw new Error('This way to sign in is not offered.');
    // RFC 9207 section 2.4: the issuer must be the one that was asked.
    if (option.issuer && callback.issuer !== null && callback.issuer !== option.issuer)
      throw new Error('The answer came from another authorization server.');
    if (callback.code === null)
      throw new Refused(callback.error ?? 'invalid_response', callback.errorDescription);

    const started = performance.now();
    const response = await fetch(option.tokenUrl, {
      method: 'POST',
      credentials: 'omit',
      cache: 'no-store',
      headers: { Accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: option.clientId,
        redirect_uri: option.redirectUri,
        code: callback.code,
        code_verifier: transaction.verifier,
      }),
    });
    const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    if (!response.ok || typeof body.access_token !== 'string')
      throw new Refused(
        typeof body.error === 'string' ? body.error : `HTTP ${response.status}`,
        typeof body.error_description === 'string' ? body.error_description : null,
      );
    const idToken = typeof body.id_token === 'string' ? body.id_token : null;
    if (idToken && nonceOf(idToken) !== transaction.nonce)
      throw new Error('The ID token belongs to another sign-in.');

    const lifetime = 1000 * (Number(body.expires_in) > 0 ? Number(body.expires_in) : 3600);
    this.tokens = { access: body.access_token, id: idToken, expiresAt: started + lifetime };
    remember(transaction.signIn);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(
      () => void this.renew(transaction.signIn),
      Math.min(lifetime * 0.8, LONGEST_TIMER),
    );
    const cameBack = this.view.phase === 'signed-out';
    this.show({
      phase: 'signed-in',
      signIn: transaction.signIn,
      notice: null,
      generation: this.view.generation + (cameBack ? 1 : 0),
    });
    if (!this.view.who) void this.askWho(body.access_token);
  }

  private async askWho(token: string): Promise<void> {
    try {
      const response = await fetch(this.config.endpoint, {
        method: 'POST',
        credentials: 'omit',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: 'query ExplorerViewer { viewer { name scopes } }' }),
      });
      const { data } = (await response.json()) as {
        data?: { viewer?: { name?: unknown; scopes?: unknown } | null } | null;
      };
      const { name, scopes } = data?.viewer ?? {};
      if (this.tokens && typeof name === 'string' && name)
        this.show({ who: { name, scopes: Array.isArray(scopes) ? scopes.length : 0 } });
    } catch {
      // The bar then only says that somebody is signed in.
    }
  }

  private drop(): void {
    window.clearTimeout(this.timer);
    this.tokens = null;
    this.show({ phase: 'signed-out', signIn: null, who: null });
  }
}

/** The answer that the authorization server gives without showing anything. */
function answerOfFrame(url: string, state: string): Promise<Callback> {
  return new Promise((resolve, reject) => {
    const frame = document.createElement('iframe');
    const end = (): void => {
      window.clearTimeout(timer);
      window.removeEventListener('message', receive);
      frame.remove();
    };
    const receive = (event: MessageEvent): void => {
      if (event.origin !== location.origin || event.source !== frame.contentWindow) return;
      const data = event.data as { type?: unknown; callback?: Callback } | null;
      if (data?.type !== CALLBACK_MESSAGE || data.callback?.state !== state) return;
      end();
      resolve(data.callback);
    };
    const timer = window.setTimeout(() => {
      end();
      reject(new Error('The authorization server did not answer in time.'));
    }, FRAME_TIMEOUT);
    window.addEventListener('message', receive);
    frame.hidden = true;
    frame.title = 'Session renewal';
    frame.src = url;
    document.body.append(frame);
  });
}

/** The token came straight from the token endpoint, so its signature need not be checked. */
function nonceOf(idToken: string): unknown {
  try {
    const part = (idToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    return (JSON.parse(new TextDecoder().decode(bytes)) as { nonce?: unknown }).nonce;
  } catch {
    return undefined;
  }
}

function describe(what: string, error: unknown): string {
  return `${what}. ${error instanceof Error ? error.message : String(error)}`;
}
