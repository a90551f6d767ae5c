// Writes the browser files of the explorer. Run it through ./build.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '../../src/tenantry/management/explorer/static');

const common = {
  absWorkingDir: here,
  bundle: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none', // the licences are collected in LICENSES.txt
  logLevel: 'warning',
  metafile: true,
  minify: true,
  outdir: out,
  target: ['es2022'],
};

const workers = {
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
};

/** The path of the package that a bundled file comes from, below node_modules. */
function packageOf(file) {
  const parts = file.split('/');
  const at = parts.lastIndexOf('node_modules');
  if (at < 0) return null;
  return parts.slice(0, at + (parts[at + 1].startsWith('@') ? 3 : 2)).join('/');
}

/** The licences of everything that was bundled, as those licences ask. */
function licences(metafiles) {
  const packages = new Set();
  for (const { inputs } of metafiles)
    for (const file of Object.keys(inputs)) {
      const found = packageOf(file);
      if (found) packages.add(found);
    }
  const seen = new Map();
  for (const folder of [...packages].sort()) {
    const manifest = JSON.parse(readFileSync(join(here, folder, 'package.json'), 'utf8'));
    const name = `${manifest.name} ${manifest.version}`;
    const files = readdirSync(join(here, folder)).filter((f) => /^(licen[cs]e|notice)/i.test(f));
    const texts = files.map((f) => readFileSync(join(here, folder, f), 'utf8').trim());
    seen.set(name, texts.length ? texts.join('\n\n') : `Licence: ${manifest.license}`);
  }
  const rule = '-'.repeat(78);
  return [...seen].map(([name, text]) => `${rule}\n${name}\n${rule}\n${text}\n`).join('\n');
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const built = await esbuild.build({ ...common, entryPoints: workers, format: 'iife' });

const versions = Object.fromEntries(
  Object.keys(workers).map((name) => {
    const hash = createHash('sha256').update(readFileSync(join(out, `${name}.js`)));
    return [name, hash.digest('hex').slice(0, 16)];
  }),
);

const script = await esbuild.build({
  ...common,
  define: { ...common.define, WORKER_VERSIONS: JSON.stringify(versions) },
  // GraphiQL asks for these by their old names, which lead to files that cannot be imported so.
  alias: {
    'prettier/parser-babel': 'prettier/plugins/babel',
    'prettier/parser-graphql': 'prettier/plugins/graphql',
  },
  entryPoints: { explorer: 'src/explorer.ts' },
  chunkNames: '[name]-[hash]',
  format: 'esm',
  jsx: 'automatic',
  // The editor's own styles are part of explorer.css.
  loader: { '.css': 'empty', '.ttf': 'empty' },
  splitting: true,
});

const style = await esbuild.build({
  ...common,
  entryPoints: { explorer: 'src/explorer.css' },
  loader: { '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' },
});

const metafiles = [built.metafile, script.metafile, style.metafile];
writeFileSync(join(out, 'LICENSES.txt'), licences(metafiles));

let total = 0;
for (const name of readdirSync(out).sort()) {
  const { size } = statSync(join(out, name));
  total += size;
  console.log(`${String(size).padStart(9)}  ${name}`);
}
console.log(`${String(total).padStart(9)}  in all`);
