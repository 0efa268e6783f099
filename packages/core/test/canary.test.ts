/**
 * Nothing of what people and Claude say to each other, and no secret, comes out anywhere: an application
 * has canaries in all of it, and every output of ours is searched for them, byte by byte.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { answers, createSimulator, type Answer, type Simulator } from '@claude-metrics/testing';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';
import { KIND, PLACES, type Canaries, type CanaryPlan } from './canary-plan.js';
import * as postgres from './stores/postgres-server.js';
import * as redis from './stores/redis-server.js';

const root = join(__dirname, '../../..');
const folder = emptyFolder();
const program = join(folder, 'app.cjs');
const hooks: { server: Server; bodies: Buffer[] } = { server: createServer(), bodies: [] };
let simulator: Simulator;

jest.setTimeout(120_000);

beforeAll(async () => {
  const packages = ['core', 'express'].map(
    (name) => `--alias:@claude-metrics/${name}=${join(root, 'packages', name, 'src/index.ts')}`,
  );
  const outside = ['@anthropic-ai/sdk', 'express', 'ioredis', 'pg', 'prom-client', 'winston'];
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    ...[join(__dirname, 'canary-app.ts'), '--bundle', '--platform=node', '--format=cjs'],
    ...['--target=node20', '--log-level=error', `--outfile=${program}`, ...packages],
    ...outside.map((name) => `--external:${name}`),
  ]);
  simulator = await createSimulator();
  hooks.server.on('request', (request, response) => {
    const chunks: Buffer[] = [Buffer.from(JSON.stringify(request.headers))];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      hooks.bodies.push(Buffer.concat(chunks));
      response.end();
    });
  });
  hooks.server.listen(0, '127.0.0.1');
  await once(hooks.server, 'listening');
});

afterAll(async () => {
  await simulator.close();
  hooks.server.close();
  await redis.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Letters and digits only, so that no escaping hides it. */
const canary = (place: string) => `CANARY${place}${randomBytes(12).toString('hex')}`;

/** What is said in an answer, an error or a broken stream. */
function respond(c: Canaries): void {
  const said: Answer = {
    thinking: c.thinking,
    content: [
      {
        ...{ type: 'text', text: `${c.answer} and so on` },
        citations: [
          {
            ...{ type: 'char_location', cited_text: c.citation, document_index: 0 },
            ...{ document_title: c.title, start_char_index: 0, end_char_index: 4 },
          },
        ],
      },
    ],
  };
  const echo = { type: 'invalid_request_error', message: `input ${c.errorBody}: ${c.prompt}` };
  const kinds: Readonly<Record<string, Answer>> = {
    plain: said,
    // A proxy that puts text where figures are.
    tool: answers.toolUse(
      c.toolName,
      { query: c.toolInput },
      { usage: { remark: `the answer: ${c.answer}`, [`in ${c.toolInput}`]: 1 } },
    ),
    error: { status: 400, error: echo },
    overloaded: { status: 529, error: { type: 'overloaded_error', message: c.errorBody } },
    page: { body: `<html>${c.page}</html>` },
    gateway: { status: 502, body: `<html>the message: ${c.page} of ${c.prompt}</html>` },
    streamError: answers.streamError('api_error', {
      ...said,
      error: { type: 'api_error', message: `request ${c.streamError}` },
    }),
    truncated: answers.truncated(said),
  };
  simulator.respond(({ headers, customId }) => (customId ? said : kinds[headers[KIND] ?? '']));
}

interface Outcome {
  readonly plan: CanaryPlan;
  /** By name, all that came out. */
  readonly outputs: Map<string, Buffer>;
  readonly told: {
    readonly ends: Readonly<Record<string, { readonly ok: boolean } | number>>;
    readonly pages: number;
    readonly faults: Readonly<Record<string, unknown>>;
  };
}

async function run(store: CanaryPlan['store']): Promise<Outcome> {
  const pages = join(folder, `pages-${store.kind}`);
  mkdirSync(pages);
  const canaries = Object.fromEntries(PLACES.map((place) => [place, canary(place)])) as Canaries;
  const webhook = `http://127.0.0.1:${(hooks.server.address() as AddressInfo).port}/`;
  const control = canary('control');
  const plan: CanaryPlan = { url: simulator.url, webhook, store, pages, control, canaries };
  simulator.reset();
  respond(canaries);
  hooks.bodies.length = 0;
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_PATH: join(root, 'node_modules'), NODE_ENV: 'production' },
  });
  const abandon = () => void child.kill('SIGKILL');
  process.once('exit', abandon);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null) await once(child, 'exit');
  process.off('exit', abandon);
  // It died of what it threw in the end, and of nothing before.
  expect(stderr).toContain('BudgetExceededError');
  expect(child.exitCode).toBe(1);
  const last = stdout.split('\n').find((line) => line.startsWith('{"ends"')) ?? '{}';
  const outputs = new Map([
    ['stdout', Buffer.from(stdout)],
    ['stderr', Buffer.from(stderr)],
    ['webhook', Buffer.concat(hooks.bodies)],
    ['pages', contentOf(pages)],
  ]);
  return { plan, outputs, told: JSON.parse(last) as Outcome['told'] };
}

/** Every byte of every file below a folder. */
function contentOf(place: string): Buffer {
  const files = readdirSync(place, { recursive: true }).map((file) => join(place, String(file)));
  return Buffer.concat(files.filter((file) => statSync(file).isFile()).map((f) => readFileSync(f)));
}

/** As it is, in UTF-16, in hexadecimal, and in base64 wherever it begins. */
function spellings(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The first and the last characters depend on what stands beside it.
    return shifted.slice(shift === 0 ? 0 : 4, -4);
  });
  const texts = [secret, secret.toLowerCase(), bytes.toString('hex'), ...base64];
  return [...texts.map((each) => Buffer.from(each)), Buffer.from(secret, 'utf16le')];
}

function found(secret: string, output: Buffer): boolean {
  return spellings(secret).some((spelling) => output.includes(spelling));
}

/** Whatever is found, as `place in output`. */
function escaped({ plan, outputs }: Outcome): string[] {
  return [...outputs].flatMap(([name, output]) =>
    PLACES.filter((place) => found(plan.canaries[place], output)).map(
      (place) => `${place} in ${name}`,
    ),
  );
}

/** Everything was really said, and really went wrong. */
function expectToHaveHappened({ plan, told, outputs }: Outcome): void {
  const { canaries: c } = plan;
  const sent = Buffer.from(
    simulator.requests.map(({ headers, rawBody }) => JSON.stringify(headers) + rawBody).join('\n'),
  );
  const inRequests = [
    'prompt',
    'system',
    'image',
    'document',
    'title',
    'toolName',
    'toolSchema',
  ] as const;
  const andMore = [
    'toolInput',
    'toolResult',
    'stopSequence',
    'metadata',
    'header',
    'apiKey',
  ] as const;
  for (const place of [...inRequests, ...andMore, 'customId'] as const) {
    expect([place, found(c[place], sent)]).toEqual([place, true]);
  }
  const fails = ['refused', 'retried', 'malformed', 'badGateway', 'broken', 'truncated', 'lost'];
  const { door, ...ends } = told.ends;
  expect(door).toBe(202);
  for (const [kind, end] of Object.entries(ends)) {
    expect([kind, end]).toMatchObject([kind, { ok: !fails.includes(kind) }]);
  }
  expect(Object.keys(told.faults)).toEqual(
    expect.arrayContaining([
      ...['sink:index', 'sink:rejects', 'context.userId', 'context.feature', 'alert:throws'],
      ...['budget.usd:of-features', 'alerts.nowhere'],
    ]),
  );
  expect(String(outputs.get('stderr'))).toContain('11 misuses were told');
}

/** The same search finds a name that is kept, in every output. */
function expectControl({ plan, outputs }: Outcome): void {
  for (const [name, output] of outputs) {
    expect([name, found(plan.control, output)]).toEqual([name, true]);
  }
}

it('no canary comes out of an application with a SQLite file, whose every byte is searched', async () => {
  const place = join(folder, 'sqlite');
  mkdirSync(place);
  const outcome = await run({ kind: 'sqlite', file: join(place, 'claude-metrics.db') });
  outcome.outputs.set('file', contentOf(place));
  // The process died: what it wrote last is in the log that goes before the file.
  expect(readdirSync(place)).toContain('claude-metrics.db-wal');
  expectToHaveHappened(outcome);
  expectControl(outcome);
  expect(escaped(outcome)).toEqual([]);
});

redis.describeRedis('with Redis', () => {
  it('no canary comes out, not in the dump of the server either', async () => {
    const server = await redis.startServer('--rdbcompression', 'no');
    const outcome = await run({ kind: 'redis', port: server.port });
    await server.cli('SAVE');
    const [, dir] = (await server.cli('CONFIG', 'GET', 'dir')).split('\n');
    outcome.outputs.set('dump', contentOf(dir!));
    expectToHaveHappened(outcome);
    expectControl(outcome);
    expect(escaped(outcome)).toEqual([]);
  });
});

postgres.describePostgres('with Postgres', () => {
  it('no canary comes out, in no row of a table and no file of the server', async () => {
    const server = await postgres.startServer();
    try {
      const outcome = await run({ kind: 'postgres', folder: server.folder });
      const pool = server.pool();
      const tables = await pool.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      const rows: string[] = [];
      for (const { name } of tables.rows) {
        const { rows: all } = await pool.query<{ row: string }>(
          `SELECT t::text AS row FROM ${name} t`,
        );
        rows.push(...all.map(({ row }) => row));
      }
      await pool.query('CHECKPOINT');
      outcome.outputs.set('rows', Buffer.from(rows.join('\n')));
      expectToHaveHappened(outcome);
      expectControl(outcome);
      // Rows that are long are compressed there; all that is not is searched as well.
      outcome.outputs.set('files', contentOf(join(server.folder, 'data')));
      expect(escaped(outcome)).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

it('the search finds what is hidden in base64, hexadecimal or UTF-16', () => {
  const secret = canary('control');
  for (const before of ['', 'a', 'ab']) {
    const hidden = Buffer.from(before + secret + 'after');
    for (const encoding of ['base64', 'hex', 'utf8'] as const) {
      expect(found(secret, Buffer.from(hidden.toString(encoding)))).toBe(true);
    }
  }
  expect(found(secret, Buffer.from(secret, 'utf16le'))).toBe(true);
  expect(found(secret, Buffer.from(canary('control')))).toBe(false);
});
