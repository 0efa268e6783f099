/** The bill of the simulator against the ledger of an application that it has served. */
import { withContext } from '../../src/index.js';
import { reconciled } from '../../src/cli/reconcile.js';
import { reportsOf } from '../../src/cli/admin.js';
import { readArguments } from '../../src/cli/arguments.js';
import { reconcile } from '../../src/cli/reconcile.js';
import { prices, type PriceTable } from '../../src/prices.js';
import { repository } from '../sources.js';
import { ADMIN_KEY, ask, AT, DAY, organization, type Organization } from './cli-fixture.js';
import type { Comparison } from '../../src/cli/drift.js';
import type { Io } from '../../src/cli/command.js';

const DAY_MS = 86_400_000;
const SPAN = { from: Date.parse(DAY), to: Date.parse(DAY) + 2 * DAY_MS };

let org: Organization;
beforeEach(async () => (org = await organization()));
afterEach(() => org.close());

const io: Io = {
  cwd: repository,
  env: { ANTHROPIC_ADMIN_KEY: ADMIN_KEY },
  out() {},
  err() {},
  now: () => AT + 4 * DAY_MS,
  fetch,
};

async function compared(table: PriceTable = prices): Promise<Comparison> {
  const argv = ['--base-url', org.simulator.url];
  const args = readArguments('reconcile', argv, reconcile.options, 0);
  await org.monitor.snapshot();
  return reconciled(org.store, SPAN, await reportsOf(args, io, SPAN), table);
}

const causes = (found: Comparison) => found.findings.map(({ cause }) => cause);
const explained = (found: Comparison) =>
  found.findings.reduce((sum, each) => sum + each.nanoUsd, 0n);

it('finds no drift where the bill agrees, over models, days and features', async () => {
  const client = org.client(true);
  await withContext({ feature: 'summarise' }, () => ask(client, 'claude-opus-5-5', 3));
  await ask(client, 'claude-sonnet-5-5', 2);
  org.at += DAY_MS;
  await ask(client);
  org.bill();
  const found = await compared();
  expect(found).toMatchObject({ drift: 0n, rounding: 0n, findings: [] });
  expect(found.rows).toHaveLength(15);
  expect(found.rows.every((row) => row.agrees)).toBe(true);
  expect(found.ledger).toBeGreaterThan(0n);
  expect(found.bill).toBe(found.ledger);
});

it('names the client that was not observed, by its API key, and what it spent', async () => {
  await ask(org.client(true), 'claude-opus-5-5', 2);
  const before = org.usage.length;
  await ask(org.client(false, 'cron'), 'claude-opus-5-5', 3);
  org.bill();
  const found = await compared();
  const missed = org.usage.slice(before);
  const output = missed.reduce((sum, { usage }) => sum + BigInt(usage.output_tokens ?? 0), 0n);
  expect(causes(found)).toEqual(['unobserved']);
  expect(found.findings[0]).toMatchObject({ day: DAY, model: 'claude-opus-5-5' });
  expect(found.findings[0]?.quantities.output).toBe(output);
  expect(found.findings[0]?.text).toContain('all that the API key apikey_cron used');
  expect(found.drift).toBe(found.bill - found.ledger);
  expect(explained(found)).toBe(found.drift);
});

it('names another tier, and does not take it for a client that was not observed', async () => {
  await ask(org.client(true), 'claude-sonnet-5-5', 2);
  org.bill((line) => ({ ...line, serviceTier: 'batch' }));
  const found = await compared();
  expect(causes(found)).toEqual(['tier']);
  expect(found.findings[0]?.text).toContain('recorded as tier standard and billed as batch');
  expect(found.bill * 2n).toBe(found.ledger);
  expect(explained(found)).toBe(found.drift);
});

it('names another speed and another geography', async () => {
  await ask(org.client(true), 'claude-opus-5-5');
  const twice = (line: { speed?: string | undefined }) => (line.speed === 'fast' ? 2 : 1);
  org.bill(
    (line) => ({ ...line, speed: 'fast' }),
    (line, type) => (type === 'output_tokens' ? 20 * twice(line) : null),
  );
  expect(causes(await compared())).toEqual(['speed']);
  org.bill((line) => ({ ...line, inferenceGeo: 'us' }));
  expect(causes(await compared())).toEqual(['geography']);
});

it('names a late price: the ledger was priced with an older table', async () => {
  const [now] = prices.models['claude-sonnet-5-5']?.periods.slice(-1) ?? [];
  await ask(org.client(true), 'claude-sonnet-5-5', 2);
  const older = now?.output === 10 ? 12 : 10;
  const table = withOutput('claude-sonnet-5-5', older);
  // The bill has the price that only the newer table knows.
  org.bill(undefined, (_, type) => (type === 'output_tokens' ? older : null));
  const found = await compared(table);
  expect(causes(found)).toEqual(['late price']);
  expect(found.findings[0]?.quantities).toEqual({ output: 609n });
  expect(found.findings[0]?.text).toContain('output $12 instead of $10 per million');
  expect(explained(found)).toBe(found.drift);
  expect(found.drift).toBe(2_000n * 609n);
});

it('names a price that no table has', async () => {
  await ask(org.client(true), 'claude-opus-5-5');
  org.bill(undefined, (_, type) => (type === 'output_tokens' ? 25 : null));
  const found = await compared();
  expect(causes(found)).toEqual(['price']);
  expect(found.findings[0]?.text).toContain('output $25 instead of $20 per million');
  expect(explained(found)).toBe(found.drift);
});

it('names a price that came after the calls: they were recorded without one', async () => {
  await ask(org.client(true), 'claude-new-1', 2);
  org.bill(undefined, () => 1);
  const found = await compared();
  expect(causes(found)).toEqual(['late price']);
  expect(found.findings[0]?.text).toContain('before the model had a price');
  expect(found.ledger).toBe(0n);
  expect(explained(found)).toBe(found.bill);
});

it('names what is not billed, and what was billed on the next day', async () => {
  await ask(org.client(true), 'claude-opus-5-5', 2);
  org.bill((line) => (line === org.usage[0] ? { ...line, at: Number(line.at) + DAY_MS } : line));
  expect(causes(await compared())).toEqual(['midnight']);
  org.bill((line) => (line === org.usage[0] ? null : line));
  const found = await compared();
  expect(causes(found)).toEqual(['not billed']);
  expect(explained(found)).toBe(found.drift);
  expect(found.drift).toBeLessThan(0n);
});

it('names costs that have no tokens', async () => {
  await ask(org.client(true));
  org.simulator.bill({
    costs: [{ at: AT, cents: '12.5', costType: 'code_execution', description: 'Code execution' }],
  });
  const found = await compared();
  expect(causes(found)).toContain('not counted');
  expect(found.findings.find(({ cause }) => cause === 'not counted')?.nanoUsd).toBe(125_000_000n);
});

it('names every cause of a bill that has several, and they add up to the drift', async () => {
  const client = org.client(true);
  await ask(client, 'claude-opus-5-5', 3);
  await ask(org.client(false, 'cron'), 'claude-opus-5-5', 2);
  await ask(client, 'claude-sonnet-5-5', 2);
  await ask(client, 'claude-new-1');
  org.bill(
    (line) => (line.model === 'claude-sonnet-5-5' ? { ...line, serviceTier: 'batch' } : line),
    (line, type) => {
      if (line.model === 'claude-new-1') return 1;
      return line.model === 'claude-opus-5-5' && type === 'output_tokens' ? 25 : null;
    },
  );
  const found = await compared();
  expect(new Set(causes(found))).toEqual(new Set(['unobserved', 'tier', 'late price', 'price']));
  expect(found.drift).toBe(explained(found) + found.rounding);
  expect(Number(found.rounding)).toBeLessThan(10);
});

it('reads every page of the reports', async () => {
  await ask(org.client(true), 'claude-opus-5-5', 2);
  org.bill();
  const args = readArguments('reconcile', ['--base-url', org.simulator.url], reconcile.options, 0);
  await org.monitor.snapshot();
  const span = { from: Date.parse('2026-09-01'), to: Date.parse('2026-11-24') };
  const reports = await reportsOf(args, io, span);
  expect(reports.usage).toHaveLength(84);
  expect(reports.costs).toHaveLength(84);
  const asked = org.simulator.requests.filter(({ method }) => method === 'GET');
  expect(asked.filter(({ query }) => query.includes('page='))).toHaveLength(4);
  expect(await reconciled(org.store, span, reports)).toMatchObject({ drift: 0n, findings: [] });
});

/** The table with another price of output, from the first day on. */
function withOutput(model: string, output: number): PriceTable {
  const price = prices.models[model];
  if (!price) throw new Error(model);
  const periods = price.periods.map((period) => ({ ...period, output }));
  return {
    ...prices,
    version: 'newer',
    models: { ...prices.models, [model]: { ...price, periods } },
  };
}
