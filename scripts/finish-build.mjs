// What the compiler leaves to be done: each package is "type": "module", so its dist/cjs must say that
// it holds CommonJS; and core becomes one file for each module system, for two hundred small ones
// take longer to find than to run.
//
// Core's calendar, where Node has none, is another file beside it, read when a budget needs it. It is
// built in, and not installed: the polyfill is ESM alone, which CommonJS tests on Node 20 cannot load.
import { build } from 'esbuild';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packages, root } from './packages.mjs';

const POLYFILL = 'temporal-polyfill';

for (const { dir } of packages) {
  const cjs = join(dir, 'dist', 'cjs');
  if (existsSync(cjs)) writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
}

const dist = join(root, 'packages', 'core', 'dist');
const ENTRIES = ['index', 'stores/redis'];
const shared = { bundle: true, platform: 'node', target: 'node20.19', logLevel: 'warning' };

for (const [format, ending] of [
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
]) {
  for (const entry of ENTRIES) {
    await build({
      ...shared,
      format,
      entryPoints: [join(dist, 'esm', `${entry}.js`)],
      outfile: join(dist, `${entry}.${ending}`),
      // Names stay, for stack traces; what is published is never read otherwise.
      minifySyntax: true,
      minifyWhitespace: true,
      // CommonJS loads it with require(), which works under Jest as well.
      supported: { 'dynamic-import': format === 'esm' },
      plugins: [beside(POLYFILL, `./temporal.${ending}`)],
    });
  }
  await build({
    ...shared,
    format,
    stdin: { contents: `export { Temporal } from '${POLYFILL}';`, resolveDir: root },
    outfile: join(dist, `temporal.${ending}`),
    minify: true,
  });
  keepTypes(join(dist, format));
}
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
  return `temporal.mjs and temporal.cjs are made of:\n\n${texts.join('\n\n')}`;
}
