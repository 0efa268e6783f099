/** docs/postgres.md names every table and column, and its queries give what they say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callRecord, costOf, failed, rigOf } from '../state-fixture.js';
import { NOW, setPresent, storeOn } from './postgres-fixture.js';
import { describePostgres, startServer, type PostgresServer } from './postgres-server.js';
import type { CallRecord } from '../../src/record.js';

const PAGE = readFileSync(join(__dirname, '../../../../docs/postgres.md'), 'utf8');
const MONTH_PART = (23 * 24 + 14 + 30 / 3_600) / (30 * 24);

/** Queries by the text that leads to them. */
const QUERIES = new Map(
  [
    ...PAGE.slice(PAGE.indexOf('## Queries')).matchAll(
      /\n\n([^\n][^`]*?):\n\n```sql\n(SELECT.*?);\n```/gs,
    ),
  ].map(([, title, text]) => [title!.replaceAll(/\s+/g, ' '), text!] as const),
);

const opus = { model: 'opus', servedModel: 'opus' };
const CALLS: readonly CallRecord[] = [
  ...Array.from({ length: 100 }, (_, i) => callRecord({ id: `a${i}`, callMs: 10 * (i + 1) })),
  ...Array.from({ length: 10 }, (_, i) =>
    callRecord({
      ...{
        id: `b${i}`,
        ...opus,
        feature: 'chat',
        userId: 'bob',
        callMs: 5_000,
        requestId: `r${i}`,
      },
      cost: costOf(
        ['cacheRead', 3_000, 6_000_000, 'opus'],
        ['output', 100, 94_000_000 + i, 'opus'],
      ),
      tokens: { ...callRecord().tokens, uncachedInput: 1_000, cacheRead: 3_000, output: 100 },
    }),
  ),
  failed(
    { kind: 'overloaded', type: 'overloaded_error', message: 'Overloaded' },
    {
      id: 'c',
      feature: 'chat',
      userId: 'bob',
    },
  ),
  callRecord({
    ...{ id: 'd', userId: null, cost: null, priceStatus: 'unpriced', model: 'new' },
    unpricedReason: 'unknown_model',
  }),
];

describePostgres('docs/postgres.md', () => {
  let server: PostgresServer;
  let ask: (title: string) => Promise<Record<string, unknown>[]>;
  let columns: Record<string, unknown>[];

  beforeAll(async () => {
    server = await startServer();
    const schema = 'claude_metrics';
    const pool = server.pool({ options: `-c search_path=${schema} -c timezone=UTC` });
    const { store } = storeOn(server, { pool, schema });
    await store.notes.note('makes the schema');
    await setPresent(pool, schema, NOW);
    const rig = rigOf({ store });
    rig.record(...CALLS);
    await rig.ledger.flush();
    await store.calls({});
    await store.budgets.exchange({
      ...{ member: 'm', number: 1, ttlMs: 60_000, gifts: [] },
      accounts: [
        { budget: 'day', scope: null, personal: false, from: NOW - 1, to: NOW + 9e7 },
        { budget: 'day', scope: 'bob', personal: true, from: NOW - 1, to: NOW + 9e7 },
      ],
      postings: [
        {
          ...{ account: 0, nanoUsd: 3_000_000_000, leased: 0, uncertain: 0 },
          ...{ overrun: 0, unpriced: 0, refused: 2 },
        },
      ],
      adjustments: [{ account: 1, nanoUsd: 500_000_000, at: NOW, reason: 'credit' }],
      takings: [[{ account: 0, limit: 9e9, need: 1_500_000_000, wish: 0 }]],
    });
    ask = async (title) => {
      const found = [...QUERIES].find(([each]) => each.startsWith(title));
      if (!found) throw new Error(`no query "${title}" among ${[...QUERIES.keys()].join(' | ')}`);
      const at = `timestamptz '${new Date(NOW).toISOString()}'`;
      return (await pool.query(found[1].replaceAll('now()', at))).rows;
    };
    ({ rows: columns } = await pool.query(
      `SELECT table_name AS table, column_name AS column, data_type AS type
        FROM information_schema.columns WHERE table_schema = '${schema}'
        ORDER BY table_name, ordinal_position`,
    ));
  });
  afterAll(() => server.stop());

  it('names every table and view, with every column and its type', () => {
    const sections = PAGE.split(/\n### `/).slice(1);
    const described = sections.flatMap((section) => {
      const table = section.slice(0, section.indexOf('`'));
      const rows = section.matchAll(/^\| `(\w+)` *\| ([a-z ]+?) *\| (\S.*?) *\|$/gm);
      return [...rows].map(([, column, type]) => `${table}.${column} ${type}`);
    });
    const real = columns
      .filter(({ table }) => !/_\d{6,8}$/.test(String(table)))
      .map(({ table, column, type }) => `${String(table)}.${String(column)} ${String(type)}`)
      .map((line) => line.replace('timestamp with time zone', 'timestamptz'));
    expect(described.toSorted()).toEqual(real.toSorted());
  });

  it('has twelve queries, each of which is run here', () => {
    expect([...QUERIES.keys()]).toHaveLength(12);
    expect(
      [...QUERIES.keys()].filter((title) => !TITLES.some((each) => title.startsWith(each))),
    ).toEqual([]);
  });

  it.each<readonly [title: string, expected: readonly object[]]>([
    [
      'Cost by day and feature',
      [
        { day: new Date('2026-11-24T00:00:00Z'), feature: 'chat', calls: '11' },
        { day: new Date('2026-11-24T00:00:00Z'), feature: 'summarise', calls: '101' },
      ],
    ],
    [
      'The users that cost most',
      [
        { user_id: 'bob', calls: '11' },
        { user_id: 'ada', calls: '100' },
      ],
    ],
    [
      'What the bill is made of',
      [
        { model: 'opus', class: 'output', quantity: '1000' },
        { model: 'claude-sonnet-5-5', quantity: expect.any(String) },
        { model: 'claude-sonnet-5-5', quantity: expect.any(String) },
        { model: 'opus', class: 'cacheRead', quantity: '30000' },
      ],
    ],
    ['Errors by kind', [{ error: 'overloaded', calls: '1' }]],
    [
      'What budgets have used',
      [
        { scope: '(everybody)', usd: '4.5000000000000000', refused_calls: '2' },
        { scope: 'bob', refused_calls: '0' },
      ],
    ],
    ['Calls whose price is not known', [{ model: 'new', reason: 'unknown_model', calls: '1' }]],
    [
      'Corrections by hand',
      [{ budget: 'day', scope: 'bob', usd: expect.stringMatching(/^0\.50*$/), reason: 'credit' }],
    ],
    ['Money and tokens a minute', [{ calls: '112', output_tokens: '51500' }]],
  ])('%s', async (title, expected) => {
    expect(await ask(title)).toMatchObject(expected);
  });

  it('gives money to the last nano-dollar', async () => {
    const rows = await ask('The users that cost most');
    expect(rows.map(({ usd }) => Number(usd))).toEqual([1.000000045, 1]);
    const [minute] = await ask('Money and tokens a minute');
    expect(Number(minute!['usd'])).toBe(2.000000045);
  });

  it('gives the hit rate of the cache', async () => {
    const rates = (await ask('Cache hit rate')).map(({ feature, hit_rate }) => [
      feature,
      Number(hit_rate),
    ]);
    expect(rates).toEqual([
      ['summarise', 0],
      ['chat', 0.75],
    ]);
  });

  it('gives percentiles within 0.8 %', async () => {
    const rows = await ask('Median and 95th percentile');
    const found = new Map(rows.map(({ model, p50_ms, p95_ms }) => [model, [p50_ms, p95_ms]]));
    const [p50, p95] = found.get('claude-sonnet-5-5') as [number, number];
    // 100 calls of 10 ms to 1 s, and one of 900 ms that failed.
    expect(Math.abs(p50 / 510 - 1)).toBeLessThan(0.008);
    expect(Math.abs(p95 / 950 - 1)).toBeLessThan(0.008);
    expect(found.get('opus')).toEqual([5_000, 5_000]);
  });

  it('gives the most expensive calls', async () => {
    const rows = await ask('The most expensive calls');
    expect(rows).toHaveLength(20);
    expect(rows[0]).toMatchObject({
      user_id: 'bob',
      request_id: 'r9',
      usd: expect.stringMatching(/^0\.1000000090*$/),
    });
  });

  it('gives what the month will cost', async () => {
    const [row] = await ask('Spending of the month');
    expect(Number(row!['usd_at_end'])).toBeCloseTo(2.000000045 / MONTH_PART, 6);
  });
});

const TITLES = [
  ...['Cost by day', 'The users that cost', 'What the bill', 'Cache hit rate', 'Median and 95th'],
  ...['Errors by kind', 'What budgets have', 'The most expensive', 'Money and tokens'],
  ...['Spending of the month', 'Calls whose price', 'Corrections by hand'],
];
