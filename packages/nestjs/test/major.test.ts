import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

declare const NEST_MAJOR: number;

const PACKAGES = ['common', 'core', 'platform-express', 'platform-fastify', 'terminus', 'testing'];

describe(`Nest ${NEST_MAJOR}`, () => {
  it.each(PACKAGES)('is what @nestjs/%s is of', (name) => {
    let folder = dirname(require.resolve(`@nestjs/${name}`));
    while (!folder.endsWith(`@nestjs/${name}`)) folder = dirname(folder);
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { version } = manifest as { version: string };
    expect(Number(version.split('.')[0])).toBe(NEST_MAJOR);
  });
});
