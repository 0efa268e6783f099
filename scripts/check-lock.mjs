// The lockfile may name packages of a registry only, each with its checksum: nothing from a git
// repository, a plain address or a folder outside, where npm would verify nothing.
import { join } from 'node:path';
import { readJson, root } from './packages.mjs';

const { lockfileVersion, packages } = readJson(join(root, 'package-lock.json'));
const faults = [];
if (lockfileVersion !== 3) faults.push(`lockfileVersion is ${lockfileVersion}, expected 3`);
for (const [path, entry] of Object.entries(packages)) {
  if (!path.includes('node_modules/')) continue;
  if (entry.link) {
    if (!/^(packages|examples|scripts\/majors)\//.test(entry.resolved))
      faults.push(`${path} → ${entry.resolved}`);
  } else if (entry.resolved && !/^https:\/\/[^/]+\/.+\/-\/[^/]+\.tgz$/.test(entry.resolved)) {
    faults.push(`${path} comes from ${entry.resolved}`);
  } else if (!entry.inBundle && !entry.integrity?.startsWith('sha512-')) {
    faults.push(`${path} has no sha512 checksum`);
  }
}
for (const fault of faults) console.error(`✗ ${fault}`);
console.log(`package-lock.json: ${Object.keys(packages).length} entries, ${faults.length} faults`);
if (faults.length > 0) process.exitCode = 1;
