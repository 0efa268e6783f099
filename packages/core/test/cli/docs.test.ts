/** docs/cli.md shows what the commands print: each `$` line is run, and its output compared. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { CHECKS } from '../../src/cli/diagnosis.js';
import { COMMANDS } from '../../src/cli/main.js';
import { sqliteStore, withContext } from '../../src/index.js';
import { repository } from '../sources.js';
import { ADMIN_KEY, ask, organization, ran } from './cli-fixture.js';

const page = readFileSync(join(repository, 'docs', 'cli.md'), 'utf8');
const samples = [...page.matchAll(/^```console\n\$ npx claude-metrics (.*)\n([^]*?)^```$/gm)].map(
  ([, line = '', shown = '']) => [line, shown] as const,
);

let folder: string;
let org: Awaited<ReturnType<typeof organization>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claude-metrics-docs-'));
  org = await organization(sqliteStore({ file: join(folder, 'claude-metrics.db') }));
  const client = org.client(true);
  await withContext({ userId: 'ada', feature: 'summarise' }, () =>
    ask(client, 'claude-opus-5-5', 3),
  );
  await withContext({ userId: 'ben', feature: 'translate' }, async () => {
    await ask(client, 'claude-sonnet-5-5', 2);
    await ask(client, 'claude-opus-5-5');
  });
  await ask(org.client(false, 'cron'), 'claude-opus-5-5', 2);
  org.bill((line) =>
    line.model === 'claude-sonnet-5-5' ? { ...line, serviceTier: 'batch' } : line,
  );
  await org.monitor.snapshot();
});
afterAll(async () => {
  await org.close();
  rmSync(folder, { recursive: true, force: true });
});

it('shows every command', () => {
  const shown = samples.map(([line]) => line.split(' ')[0]);
  expect(new Set(shown)).toEqual(new Set(COMMANDS.map(({ name }) => name)));
});

it.each(samples)('`%s` prints what the page shows', async (line, shown) => {
  // The store is in the folder of the test, the SDK in that of the repository.
  const argv = line.split(' ').map((word) => (word.endsWith('.db') ? join(folder, word) : word));
  if (argv[0] === 'reconcile') argv.push('--base-url', org.simulator.url);
  const cwd = argv[0] === 'doctor' ? folder : repository;
  const { out, err } = await ran(argv, { env: { ANTHROPIC_ADMIN_KEY: ADMIN_KEY }, cwd });
  expect(err).toBe('');
  expect(out).toBe(shown);
});

it('lists every check of the doctor', () => {
  const section = page.split('## Doctor')[1] ?? '';
  const listed = [...section.matchAll(/^\| `([a-z ]+)`/gm)].map(([, name]) => name);
  expect(listed).toEqual(CHECKS);
});
