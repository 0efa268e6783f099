// What npm would publish must be sound for every kind of consumer: publint and attw, per package.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
for (const name of readdirSync(join(root, 'packages'))) {
  const cwd = join(root, 'packages', name);
  const bin = (tool) => join(root, 'node_modules', '.bin', tool);
  execFileSync(bin('publint'), ['--strict'], { cwd, stdio: 'inherit' });
  execFileSync(bin('attw'), ['--pack', '.'], { cwd, stdio: 'inherit' });
}
