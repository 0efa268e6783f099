// Removes what the build made, so that the next one starts from nothing: tsc leaves the output of a
// source that was deleted, and npm would publish it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from './packages.mjs';

for (const { dir } of packages) {
  for (const made of ['dist', '.tsbuild']) {
    rmSync(join(dir, made), { recursive: true, force: true });
  }
}
