/** The explorer itself: a bar that says who is signed in, and GraphiQL below it. */
import './workers';
import { GraphiQL } from 'graphiql';
import { type JSX, useMemo, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import type { Callback } from './callback';
import { readConfig } from './config';
import { examples } from './examples';
import { createFetcher } from './fetcher';
import { Session, type View } from './session';
import { operations } from './storage';

const BUTTON_IDS = ['explorer-sign-in', 'explorer-sign-in-operator'];

function Bar({ session, view }: { session: Session; view: View }): JSX.Element {
  const { signIns, tenantName } = session.config;
  return (
    <header className="explorer-bar">
      <svg className="explorer-mark" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 2.5 20.5 7v10L12 21.5 3.5 17V7Z" />
        <circle cx="12" cy="12" r="3.2" />
      </svg>
      <div className="explorer-titles">
        <h1>GraphQL explorer</h1>
        <p id="explorer-tenant">{tenantName}</p>
      </div>
      <div className="explorer-account" role="status">
        {view.phase === 'starting' && <span className="explorer-muted">Checking sign-in…</span>}
        {view.phase === 'signed-in' && (
          <span id="explorer-viewer" className="explorer-who">
            <span className="explorer-dot" aria-hidden="true" />
            {view.who ? (
              <>
                <strong>{view.who.name}</strong>
                <span className="explorer-muted">
                  {view.who.scopes === 1 ? '1 scope' : `${view.who.scopes} scopes`}
                </span>
              </>
            ) : (
              'Signed in'
            )}
          </span>
        )}
      </div>
      <div className="explorer-buttons">
        {view.phase === 'signed-in' ? (
          <button id="explorer-sign-out" type="button" onClick={() => session.signOut()}>
            Sign out
          </button>
        ) : (
          signIns.map((option, index) => (
            <button
              key={index}
              id={BUTTON_IDS[index] ?? `explorer-sign-in-${index + 1}`}
              className={index === 0 ? 'explorer-primary' : undefined}
              type="button"
              onClick={() => void session.signIn(index)}
            >
              {option.label}
            </button>
          ))
        )}
      </div>
    </header>
  );
}

function NoticeLine({ session, view }: { session: Session; view: View }): JSX.Element | null {
  const { notice } = view;
  if (!notice) return null;
  return (
    <div
      id="explorer-notice"
      className={`explorer-notice explorer-${notice.tone}`}
      role={notice.tone === 'error' ? 'alert' : 'status'}
    >
      <p>{notice.text}</p>
      <button type="button" aria-label="Dismiss" onClick={() => session.notify(null)}>
        ×
      </button>
    </div>
  );
}

function Explorer({ session }: { session: Session }): JSX.Element {
  const view = useSyncExternalStore(session.subscribe, session.current);
  // A new fetcher makes GraphiQL read the schema again.
  const fetcher = useMemo(() => createFetcher(session), [session, view.generation]);
  return (
    <>
      <Bar session={session} view={view} />
      <NoticeLine session={session} view={view} />
      <main className="explorer-main">
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={examples}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
          storage={operations}
        >
          <GraphiQL.Logo> </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

export function start(callback: Callback | null): void {
  const session = new Session(readConfig());
  session.start(callback);
  createRoot(document.getElementById('explorer')!).render(<Explorer session={session} />);
}
