// What the compiler leaves to be done: each package is "type": "module", so its dist/cjs must say that
// it holds CommonJS; and core becomes one file, for two hundred small ones take longer to find than to
// run. It is CommonJS, and what is imported is a list of its exports: a process that does both, its own
// code the one and a dependency the other, has one core and not two.
//
// The command line is a file of its own, which takes the stores from those beside it.
//
// Core's calendar, where Node has none, is another file beside it, read when a budget needs it. It is
// built in, and not installed: the polyfill is ESM alone, which CommonJS tests on Node 20 cannot load.
import { build } from 'esbuild';
import { createRequire } from 'node:module';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packages, readJson, root } from './packages.mjs';

const POLYFILL = 'temporal-polyfill';

for (const { dir } of packages) {
  const cjs = join(dir, 'dist', 'cjs');
  if (existsSync(cjs)) writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
}

const dist = join(root, 'packages', 'core', 'dist');
const ENTRIES = [
  'index',
  'exporters/otel',
  'exporters/prometheus',
  'stores/postgres',
  'stores/redis',
];
const { version } = readJson(join(root, 'packages', 'core', 'package.json'));
const shared = { bundle: true, platform: 'node', format: 'cjs', target: 'node20.19' };

for (const entry of ENTRIES) {
  const outfile = join(dist, `${entry}.cjs`);
  await build({
    ...shared,
    entryPoints: [join(dist, 'esm', `${entry}.js`)],
    outfile,
    // Names stay, for stack traces; what is published is never read otherwise.
    minifySyntax: true,
    minifyWhitespace: true,
    define: { CORE_VERSION: JSON.stringify(version) },
    // The calendar is loaded with require(), which works under Jest as well.
    supported: { 'dynamic-import': false },
    plugins: [beside(POLYFILL, './temporal.cjs')],
  });
  const names = Object.keys(createRequire(outfile)(outfile)).sort();
  const name = basename(entry);
  // Between the two, so that Node reads a line for names of exports and not the whole of core.
  writeFileSync(
    join(dist, `${entry}.import.cjs`),
    `const all = require('./${name}.cjs');\nmodule.exports = all;\n`,
  );
  writeFileSync(
    join(dist, `${entry}.mjs`),
    `import all from './${name}.import.cjs';\nexport const { ${names.join(', ')} } = all;\n`,
  );
}
await build({
  ...shared,
  stdin: { contents: `export { Temporal } from '${POLYFILL}';`, resolveDir: root },
  outfile: join(dist, 'temporal.cjs'),
  minify: true,
});
await build({
  ...shared,
  entryPoints: [join(dist, 'esm', 'cli.js')],
  outfile: join(dist, 'cli.cjs'),
  minifySyntax: true,
  minifyWhitespace: true,
  supported: { 'dynamic-import': false },
  banner: { js: '#!/usr/bin/env node' },
  plugins: [
    beside(POLYFILL, './temporal.cjs'),
    // What another file has is not contained twice.
    beside('\\.\\./stores/sqlite\\.js', './index.cjs'),
    beside('\\.\\./stores/redis\\.js', './stores/redis.cjs'),
    beside('\\.\\./stores/postgres\\.js', './stores/postgres.cjs'),
  ],
});
chmodSync(join(dist, 'cli.cjs'), 0o755);
for (const format of ['esm', 'cjs']) keepTypes(join(dist, format));
writeFileSync(join(dist, 'licenses.txt'), licenses());

/** Of the types, what the entries lead to; the others describe what nobody can import. */
function keepTypes(folder) {
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, from] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import\()\s*'(\.[^']+)'/g,
    )) {
      visit(join(dirname(file), from.replace(/\.js$/, '.d.ts')));
    }
  };
  for (const entry of ENTRIES) visit(join(folder, `${entry}.d.ts`));
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

/** `name` is loaded from a file of ours. */
function beside(name, path) {
  return {
    name: 'beside',
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path, external: true }));
    },
  };
}

function licenses() {
  const texts = [POLYFILL, 'temporal-utils'].map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
  });
  return `temporal.cjs is made of:\n\n${texts.join('\n\n')}`;
}
