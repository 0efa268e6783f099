/** Programs of their own, for tests that need a whole process. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from './sources.js';

/** Bundles a module of core's sources, with all that it imports, for `require()`. */
export function bundleOf(module: string, to: string): void {
  execFileSync(join(repository, 'node_modules', '.bin', 'esbuild'), [
    join(repository, 'packages/core/src', module),
    ...['--bundle', '--platform=node', '--target=node20', '--format=cjs', '--log-level=error'],
    `--outfile=${to}`,
  ]);
}
