/** Tells the editor where its workers are: beside this file, at the server that sent the page. */

declare const WORKER_VERSIONS: Record<string, string>;

const NAMES: Record<string, string> = { graphql: 'graphql.worker', json: 'json.worker' };

(globalThis as { MonacoEnvironment?: unknown }).MonacoEnvironment = {
  getWorker(_id: string, label: string): Worker {
    const name = NAMES[label] ?? 'editor.worker';
    return new Worker(new URL(`./${name}.js?v=${WORKER_VERSIONS[name]}`, import.meta.url), {
      name: label,
    });
  },
};
