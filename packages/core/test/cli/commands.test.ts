/** The commands as they are typed: what they print, what they refuse, and how they end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { oneLine, tableOf, type Column } from '../../src/cli/output.js';
import { COMMANDS } from '../../src/cli/main.js';
import { createMonitor, sqliteStore, withContext, type Monitor } from '../../src/index.js';
import { createHttp, type HttpOptions } from '../../src/http.js';
import { bundleOf } from '../programs.js';
import { ADMIN_KEY, AT, LATER, ask, organization, ran } from './cli-fixture.js';

let folder: string;
let file: string;
let org: Awaited<ReturnType<typeof organization>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claude-metrics-cli-'));
  file = join(folder, 'figures.db');
  org = await organization(sqliteStore({ file }));
  const client = org.client(true);
  await withContext({ userId: 'ada', feature: 'summarise' }, () =>
    ask(client, 'claude-opus-5-5', 3),
  );
  await withContext({ userId: '=cmd|x', feature: 'esc\u001b[31m' }, () =>
    ask(client, 'claude-sonnet-5-5'),
  );
  org.bill();
  await org.monitor.snapshot();
});
afterAll(async () => {
  await org.close();
  rmSync(folder, { recursive: true, force: true });
});

const SPAN = ['--from', '2026-11-20', '--to', '2026-11-21'];

describe('report', () => {
  it('sums exactly, by each name and by pairs', async () => {
    const spent: unknown[] = [];
    for (const by of ['user', 'feature', 'model', 'day', 'day,model', 'user,feature']) {
      const { code, out } = await ran(['report', '--store', file, '--by', by, ...SPAN, '--json']);
      expect(code).toBe(0);
      const { rows, total } = JSON.parse(out) as {
        rows: { cost: { nanoUsd: number } }[];
        total: { calls: number; cost: { nanoUsd: number } };
      };
      expect(total.calls).toBe(4);
      expect(rows.reduce((sum, row) => sum + row.cost.nanoUsd, 0)).toBe(total.cost.nanoUsd);
      spent.push(total.cost.nanoUsd);
    }
    expect(new Set(spent).size).toBe(1);
    expect(spent[0]).toBe(
      (await org.monitor.snapshot({ from: AT, to: AT + 900_000 })).totals.cost.nanoUsd,
    );
  });

  it('gives a terminal no control characters, and a spreadsheet no formulas', async () => {
    const table = await ran(['report', '--store', file, '--by', 'feature', ...SPAN]);
    expect(table.out).not.toContain('\u001b');
    const name: Column = { key: 'name', title: 'name', kind: 'text' };
    const shown = tableOf([name], [{ name: 'a\u001b[31m\u202e\nb' }, { name: 'x'.repeat(500) }]);
    expect(shown.split('\n')[2]).toBe('a\\u001b[31m\\u202e\\u000ab');
    expect(shown.split('\n')[3]).toHaveLength(48);
    const secrets = oneLine('no\n redis://me:word@host for sk-ant-admin01-word');
    expect(secrets).toBe('no redis://…@host for sk-…');
    const csv = await ran(['report', '--store', file, '--by', 'user', ...SPAN, '--csv']);
    expect(csv.out).toContain("\r\n'=cmd|x,1,");
    expect(csv.out.split('\r\n')[0]).toBe(
      'user,calls,input,output,unpriced,estimated_usd,cost_usd,share',
    );
  });

  it.each([
    [['--store', 'nowhere.db'], /there is no file .*nowhere\.db/],
    [[], /one of --store, --redis, --postgres, --mount; got none/],
    [['--store', 'x', '--redis', 'redis://y'], /got --store and --redis/],
    [
      ['--store', 'x', '--by', 'shoe'],
      /--by must be of user, feature, model, day, each once, got "shoe"/,
    ],
    [['--store', 'x', '--by', 'user,model,feature'], /kept in pairs/],
    [['--store', 'x', '--from', 'yesterday'], /--from must be a day .* got "yesterday"/],
    [['--store', 'x', '--from', '2026-11-02', '--to', '2026-11-01'], /--from must be before --to/],
    [['--store', 'x', '--zone', 'Mars/Base'], /--zone must be an IANA time zone/],
    [['--store', 'x', '--colour'], /Unknown option '--colour'.*Options are: --store/],
    [['--store', 'x', '--json', '--csv'], /one of --json and --csv/],
    [['--redis', 'http://x'], /--redis: the value must be an address like redis:/],
    [['--postgres', 'env:NOT_SET'], /the variable NOT_SET must be an address/],
  ])('refuses %j in words', async (argv, words) => {
    const { code, out, err } = await ran(['report', ...argv], { cwd: folder });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(words);
  });

  it('says which module is missing, and never shows a password', async () => {
    const url = 'postgres://me:secret-word@127.0.0.1:1/x';
    const missing = await ran(['report', '--postgres', url], { cwd: '/' });
    expect(missing.err).toMatch(/pg is needed and cannot be found from \//);
    const down = await ran(['report', '--postgres', url]);
    expect(down.code).toBe(2);
    expect(down.err).toMatch(/ECONNREFUSED/);
    expect(down.err + missing.err).not.toContain('secret-word');
  });
});

describe('with a mount', () => {
  const TOKEN = 'a-token-of-more-than-thirty-two-characters';
  let server: Server;
  let monitor: Monitor;
  let mount: string;

  beforeAll(async () => {
    const clock = { now: () => LATER, monotonic: () => 0 };
    monitor = createMonitor({ log: false, instrument: false, clock, onNotice() {} });
    monitor.record({
      model: 'claude-opus-5-5',
      usage: { input_tokens: 10, output_tokens: 5 },
      feature: 'a',
    });
    monitor.record({ model: 'claude-sonnet-4-5', usage: { input_tokens: 10, output_tokens: 5 } });
    monitor.record({ model: 'claude-new-1', usage: { input_tokens: 10, output_tokens: 5 } });
    server = await served(monitor, { authToken: TOKEN });
    mount = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await monitor.close();
  });

  it('reports what the monitor has counted', async () => {
    const argv = ['report', '--mount', mount, '--token-env', 'TOKEN', '--json'];
    argv.push('--to', '2026-11-24T10:00:00Z', '--range', '2h');
    const { code, out } = await ran([...argv, '--by', 'model'], { env: { TOKEN } });
    expect(code).toBe(0);
    const { rows, total } = JSON.parse(out) as { rows: object[]; total: { calls: number } };
    expect(rows).toHaveLength(3);
    expect(total.calls).toBe(3);
  });

  it('says what to do about a token, and does not show it', async () => {
    const wrong = await ran(['report', '--mount', mount, '--token-env', 'T'], {
      env: { T: 'x'.repeat(40) },
    });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/T holds another token/);
    expect(wrong.err).not.toContain('xxxx');
    expect((await ran(['report', '--mount', mount, '--token-env', 'NONE'])).err).toMatch(
      /NONE is not set/,
    );
    expect((await ran(['report', '--mount', 'ftp://x'])).err).toMatch(/--mount must be an address/);
  });

  it('finds unpriced and retiring models, and calls that belong to nobody', async () => {
    const argv = ['doctor', '--mount', mount, '--token-env', 'TOKEN', '--json'];
    const { code, out } = await ran(argv, { env: { TOKEN }, cwd: folder });
    expect(code).toBe(1);
    const { findings } = JSON.parse(out) as { findings: { check: string; text: string }[] };
    const text = (check: string) =>
      findings.filter((each) => each.check === check).map((each) => each.text);
    expect(text('prices').join()).toMatch(/1 calls have no price.*claude-new-1/);
    expect(text('models').join()).toMatch(
      /claude-sonnet-4-5 is in use and retires on 2026-11-30, in 6 days/,
    );
    expect(text('middleware order').join()).toMatch(/3 of 3 calls have no user/);
    expect(text('open mount')).toEqual([]);
    expect(text('clock')).toEqual([]);
  });

  it('finds a mount that is open to all, and a clock that is off', async () => {
    const open = await served(monitor, { authorize: () => true }, 120_000);
    const at = `http://127.0.0.1:${(open.address() as AddressInfo).port}`;
    const { out } = await ran(['doctor', '--mount', at], { cwd: folder });
    open.close();
    expect(out).toMatch(/problem: open mount\n {2}the mount answers without a token/);
    expect(out).toMatch(/problem: clock\n {2}the clock of the mount is 120 s ahead of this one/);
  });
});

describe('prices', () => {
  it('prints the table, with former prices, sources and dates', async () => {
    const { out } = await ran(['prices', '--model', 'claude-sonnet-5-5']);
    expect(out).toMatch(/claude-sonnet-5-5 +2 +10 +0\.2 .*2026-09-28 +2026-10-07/);
    expect(out).toMatch(/claude-sonnet-5-5 +2 +10 +0\.1 .*2026-10-07 +–/);
    expect((await ran(['prices', '--model', 'claude-none'])).err).toMatch(
      /no price for "claude-none"/,
    );
  });

  it('compares with public tables, each in its own form', async () => {
    const write = (name: string, json: unknown) => {
      writeFileSync(join(folder, name), JSON.stringify(json));
      return join(folder, name);
    };
    const litellm = write('litellm.json', {
      'claude-opus-5-5': {
        litellm_provider: 'anthropic',
        input_cost_per_token: 4e-6,
        output_cost_per_token: 2e-5,
        cache_creation_input_token_cost_above_1hr: 6e-6,
      },
      'gpt-x': { litellm_provider: 'openai', input_cost_per_token: 1 },
    });
    const wrong = await ran(['prices', 'check', '--against', `litellm=${litellm}`, '--csv']);
    expect(wrong.code).toBe(1);
    expect(wrong.out).toBe(
      'source,model,price,ours,theirs\r\nlitellm,claude-opus-5-5,cacheWrite1h,8,6\r\n',
    );
    const dev = write('dev.json', {
      anthropic: {
        models: { 'claude-opus-5-5': { cost: { input: 4, output: 20, cache_read: 0.2 } } },
      },
    });
    const right = await ran(['prices', 'check', '--against', `models.dev=${dev}`]);
    expect(right).toMatchObject({ code: 0, out: 'models.dev: 1 models, 0 differences\n' });
    const dated = [
      { prices: { input_mtok: 9 } },
      {
        constraint: { start_date: '2026-01-01' },
        prices: { input_mtok: { base: 4 }, output_mtok: 21 },
      },
    ];
    const genai = write('genai.json', [
      { id: 'anthropic', models: [{ id: 'claude-opus-5-5', prices: dated }] },
    ]);
    const other = await ran(['prices', 'check', '--against', `genai-prices=${genai}`, '--json']);
    expect(JSON.parse(other.out)).toMatchObject({
      tables: [{ models: 1, differences: [{ price: 'output', ours: 20, theirs: 21 }] }],
    });
  });

  it('says of a table that it cannot be reached, and calls it no difference', async () => {
    const { code, out } = await ran([
      'prices',
      'check',
      '--against',
      'litellm=http://127.0.0.1:1/x',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/litellm: cannot be read: /);
  });
});

describe('reconcile', () => {
  it('ends with 0 where the bill agrees, and never shows the key', async () => {
    const argv = ['reconcile', '--store', file, ...SPAN, '--base-url', org.simulator.url];
    const env = { ANTHROPIC_ADMIN_KEY: ADMIN_KEY };
    const { code, out } = await ran(argv, { env });
    expect({ code, end: out.split('\n').at(-2) }).toEqual({
      code: 0,
      end: 'Bill and ledger agree.',
    });
    const all = await ran([...argv, '--all', '--csv'], { env });
    expect(all.out.split('\r\n')).toHaveLength(12);
    const other = await ran(argv, { env: { ANTHROPIC_ADMIN_KEY: 'sk-ant-api03-secret' } });
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/begins with sk-ant-admin; ANTHROPIC_ADMIN_KEY holds another kind/);
    expect(other.err).not.toContain('secret');
  });

  it.each([
    [['--from', '2026-11-20T10:00:00Z', '--to', '2026-11-21'], /whole days of UTC/],
    [['--base-url', 'http://example.com'], /must begin with https/],
  ])('refuses %j', async (more, words) => {
    const env = { ANTHROPIC_ADMIN_KEY: ADMIN_KEY };
    const { code, err } = await ran(['reconcile', '--store', file, ...more], { env });
    expect(code).toBe(2);
    expect(err).toMatch(words);
  });
});

it('refuses a file of prices that cannot be', async () => {
  const bad = join(folder, 'bad.json');
  writeFileSync(bad, '{ "claude-opus-5-5": { "input": "four", "output": 20 } }');
  const { code, err } = await ran(['reprice', '--store', file, '--prices', bad]);
  expect(code).toBe(2);
  expect(err).toMatch(/bad\.json cannot be used: .*input/);
});

it.each(COMMANDS.map(({ name }) => name))('has help of %s, with an example', async (name) => {
  const { code, out } = await ran([name, '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^claude-metrics ${name}`));
  expect(out).toContain(`\nExamples\n  npx claude-metrics ${name}`);
});

it('runs as a process: its output, its errors and its exit codes', () => {
  const program = join(folder, 'cli.cjs');
  bundleOf('cli.ts', program);
  const out = execFileSync(process.execPath, [program, 'report', '--store', file, ...SPAN], {
    encoding: 'utf8',
  });
  expect(out).toMatch(/claude-opus-5-5 +3 /);
  const wrong = spawnSync(process.execPath, [program, 'repot'], { encoding: 'utf8' });
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/no command "repot". Commands are: report,/);
  const none = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect(none.status).toBe(2);
  expect(readFileSync(program, 'utf8')).not.toContain(ADMIN_KEY);
});

/** A mount on a port of its own, whose clock is `ahead` milliseconds off. */
async function served(of: Monitor, options: HttpOptions, ahead = 0): Promise<Server> {
  const http = createHttp(of, { ...options, now: () => LATER });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://mount');
    const asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      header: (name: string) => request.headers[name]?.toString(),
      url: request.url ?? '/',
      secure: false,
      native: request,
      readBody: () => Promise.resolve(''),
    };
    void http.handle(asked).then(({ status, headers, body }) => {
      response.writeHead(status, { ...headers, date: new Date(LATER + ahead).toUTCString() });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
