// Each package is "type": "module"; its dist/cjs must say that it holds CommonJS.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from './packages.mjs';

for (const { dir } of packages) {
  const cjs = join(dir, 'dist', 'cjs');
  if (existsSync(cjs)) writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
}
