// Removes what the build made, so that the next one starts from nothing.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname, '..', 'packages');
for (const name of readdirSync(packages)) {
  for (const made of ['dist', '.tsbuild']) {
    rmSync(join(packages, name, made), { recursive: true, force: true });
  }
}
