// The packages this repository publishes, how they are built and packed, and how commands are run.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder } from './empty-folder.cjs';

export const root = join(import.meta.dirname, '..');

/** Every package: its folder, its name and what its package.json says. */
export const packages = readdirSync(join(root, 'packages')).map((folder) => {
  const dir = join(root, 'packages', folder);
  const manifest = readJson(join(dir, 'package.json'));
  return { dir, name: manifest.name, manifest };
});

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Runs a command and returns what it printed; throws with its output when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  if (done.error) throw done.error;
  if (done.status !== 0) {
    const printed = `${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd();
    const ended = done.status === null ? `signal ${done.signal}` : `code ${done.status}`;
    throw new Error(`${command} ${args.join(' ')} ended with ${ended}\n${printed}`);
  }
  return done.stdout;
}

/** Runs a tool of the repository's own node_modules. */
export function tool(name, args, options) {
  return run(join(root, 'node_modules', '.bin', name), args, options);
}

/** Builds from nothing, so that no file of a deleted source is left to be published. */
export function cleanBuild() {
  run(process.execPath, [join(root, 'scripts', 'clean.mjs')]);
  tool('tsc', ['-b']);
  run(process.execPath, [join(root, 'scripts', 'finish-build.mjs')]);
}

/** Packs one package into `into`; the answer has npm's `files`, `integrity` and sizes. */
export function pack({ dir }, into) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
  // npm 11 prints a list, later majors an object by package name.
  const [packed] = Object.values(JSON.parse(run('npm', args, { cwd: dir })));
  return { ...packed, tarball: join(into, packed.filename) };
}

/** Runs a check in an empty folder that is gone afterwards; what it throws fails the process. */
export async function check(body) {
  const folder = emptyFolder();
  try {
    await body(folder);
  } catch (error) {
    console.error(`✗ ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
