// Installs the packed packages the way users do and runs scripts/consumers/ on them: a CommonJS app,
// an ESM app, a CommonJS Jest project, TypeScript without skipLibCheck, and core without its
// optional peers. Needs a build.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, pack, packages, readJson, root, run, tool } from './packages.mjs';

const CORE = '@claude-metrics/core';
/** Taken from the repository's own install, so that the check follows its versions. */
const WITH_PEERS = [
  ...['@anthropic-ai/sdk', '@types/node', 'express', '@types/express', 'koa', '@types/koa'],
  ...['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'],
];
const WITHOUT_PEERS = ['@types/node'];
const MODULES = [
  { name: 'nodenext as ESM', folder: 'esm', module: 'nodenext', moduleResolution: 'nodenext' },
  { name: 'nodenext as CommonJS', folder: 'cjs', module: 'nodenext', moduleResolution: 'nodenext' },
  { name: 'bundler', folder: 'esm', module: 'esnext', moduleResolution: 'bundler' },
];

await check((folder) => {
  const tarballs = Object.fromEntries(
    packages.map((each) => [each.name, pack(each, folder).tarball]),
  );
  const apps = install(join(folder, 'apps'), tarballs, WITH_PEERS);
  const bare = install(join(folder, 'bare'), { [CORE]: tarballs[CORE] }, WITHOUT_PEERS);

  for (const script of [
    'cjs/observe.js',
    'cjs/app.js',
    'esm/observe.js',
    'esm/app.js',
    'esm/both.js',
  ]) {
    step(script, () => run(process.execPath, [script], { cwd: apps }));
  }
  step('jest (CommonJS)', () =>
    tool('jest', ['--rootDir', join(apps, 'jest'), '--ci'], { cwd: join(apps, 'jest') }),
  );
  step('bare/bare.mjs', () => run(process.execPath, ['bare/bare.mjs'], { cwd: bare }));
  for (const { name, ...options } of MODULES) {
    step(`types: ${name}`, () => compile(apps, 'types/consumer.ts', options));
    // @types/koa itself does not compile beside some versions of what it imports.
    step(`types of Koa: ${name}`, () => compile(apps, 'types/koa.ts', options, true));
    step(`types without the SDK: ${name}`, () => compile(bare, 'bare/bare.ts', options));
  }
  reportImport(apps);
});

/** Makes a project with the consumers in it and the given packages installed, and returns its folder. */
function install(folder, tarballs, others) {
  mkdirSync(folder);
  const dependencies = { ...tarballs };
  for (const name of others) dependencies[name] = installedVersion(name);
  writeJson(join(folder, 'package.json'), { private: true, dependencies });
  step(`npm install of ${Object.keys(dependencies).length} packages`, () =>
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder }),
  );
  cpSync(join(root, 'scripts', 'consumers'), folder, { recursive: true });
  return folder;
}

function installedVersion(name) {
  return readJson(join(root, 'node_modules', name, 'package.json')).version;
}

/** Type-checks a source in a folder whose package.json says what kind of module it is. */
function compile(project, source, { folder, ...modules }, skipLibCheck = false) {
  const target = join(project, folder, 'source.ts');
  cpSync(join(project, source), target);
  const options = { ...modules, target: 'es2022', strict: true, exactOptionalPropertyTypes: true };
  const config = join(project, folder, 'tsconfig.json');
  writeJson(config, {
    compilerOptions: { ...options, skipLibCheck, noEmit: true, types: ['node'] },
    files: ['source.ts'],
  });
  tool('tsc', ['-p', config]);
}

/** For information: the cost of loading core, as the median of fresh processes. */
function reportImport(project) {
  const loads = [
    ['import', `await import('${CORE}')`, '--input-type=module'],
    ['require', `require('${CORE}')`, '--input-type=commonjs'],
  ];
  for (const [name, load, type] of loads) {
    const script = `const before = process.cpuUsage();
      ${load};
      const { user, system } = process.cpuUsage(before);
      console.log((user + system) / 1000);`;
    const runs = Array.from({ length: 9 }, () =>
      Number(run(process.execPath, [type, '-e', script], { cwd: project })),
    ).sort((a, b) => a - b);
    console.log(`${name} of core: ${runs[4].toFixed(1)} ms CPU (median of 9; aim: 25 at most)`);
  }
}

function step(name, act) {
  const start = performance.now();
  act();
  console.log(`✓ ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

function writeJson(path, value) {
  writeFileSync(path, JSON.stringify(value));
}
