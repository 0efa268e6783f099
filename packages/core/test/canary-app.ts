/**
 * An application with secrets everywhere, a process of its own: Express, the real SDK, winston,
 * prom-client and a store. In the end it crashes.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Anthropic } from '@anthropic-ai/sdk';
import { claudeMonitor, trackFeature } from '@claude-metrics/express';
import express from 'express';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import winston from 'winston';
import { logTo } from '../src/exporters/logger.js';
import { prometheusExporter } from '../src/exporters/prometheus.js';
import { alert, channel, createMonitor, withContext } from '../src/index.js';
import { postgresStore } from '../src/stores/postgres.js';
import { redisStore } from '../src/stores/redis.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import type { Store } from '../src/stores/store.js';
import { KIND, type CanaryPlan } from './canary-plan.js';

const plan = JSON.parse(process.argv[2]!) as CanaryPlan;
const { canaries: c, control } = plan;
const MODEL = 'claude-sonnet-5';

function storeOf({ store }: CanaryPlan): Store {
  if (store.kind === 'sqlite') return sqliteStore({ file: store.file });
  if (store.kind === 'redis') return redisStore({ client: new Redis(store.port, '127.0.0.1') });
  const address = { host: store.folder, user: 'postgres', database: 'postgres' };
  return postgresStore({ pool: new Pool(address) });
}

const throws = (): never => {
  throw new Error(`Cannot read ${c.thrown} of ${c.prompt}, key sk-ant-api03-${c.apiKey}`);
};
const unreachable = () =>
  Object.assign(new Error(`no ${c.address} for ${c.prompt}`), { retry: false });
const hmacKey = createHmac('sha256', c.hmacKey).digest('hex') + c.hmacKey;
const webhookSecret = Buffer.concat([randomBytes(12), Buffer.from(c.webhookSecret)]);

const monitor = createMonitor({
  store: storeOf(plan),
  userIds: { hmac: hmacKey },
  sinks: [
    logTo(winston.createLogger({ transports: [new winston.transports.Console()] })),
    prometheusExporter({ registry: new Registry() }),
    { name: 'index', record: throws },
    { name: 'rejects', record: () => Promise.reject(new TypeError(`${c.answer} is no answer`)) },
  ],
  budgets: [
    { name: 'of-users', usd: 1_000, per: 'day', of: 'user', action: 'warn', warnAt: [1e-9] },
    { name: 'of-features', usd: throws, per: 'hour', of: 'feature', action: 'warn' },
  ],
  alerts: [
    alert.errorRateAbove(0.001, { minCalls: 1, by: 'feature' }),
    alert.errorRateAbove(0.002, { minCalls: 1, by: 'user' }),
    alert.condition('throws', throws),
  ],
  channels: [
    channel.log(),
    channel.webhook({ url: plan.webhook, secret: `whsec_${webhookSecret.toString('base64')}` }),
    channel.callback(() => Promise.reject(unreachable()), {
      name: 'nowhere',
    }),
  ],
  perRequestWarnUsd: 1e-9,
});

const client = monitor.observe(
  new Anthropic({
    ...{ apiKey: `sk-ant-api03-${c.apiKey}`, baseURL: plan.url, maxRetries: 0, logLevel: 'off' },
    defaultHeaders: { 'x-secret': c.header },
  }),
);
const lost = monitor.observe(
  new Anthropic({
    ...{ apiKey: `sk-ant-api03-${c.apiKey}`, maxRetries: 1, logLevel: 'off' },
    fetch: () =>
      Promise.reject(new TypeError(`getaddrinfo ENOTFOUND https://ada:${c.address}@example.org`)),
  }),
);

const request = {
  model: MODEL,
  max_tokens: 200,
  system: [{ type: 'text', text: c.system, cache_control: { type: 'ephemeral' } }],
  stop_sequences: [c.stopSequence],
  metadata: { user_id: c.metadata },
  tools: [{ name: c.toolName, description: c.toolSchema, input_schema: { type: 'object' } }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: c.prompt },
        {
          type: 'image',
          source: { type: 'base64', media_type: 'image/png', data: base64(c.image) },
        },
        {
          ...{ type: 'document', title: c.title, citations: { enabled: true } },
          source: { type: 'text', media_type: 'text/plain', data: c.document },
        },
      ],
    },
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: 'toolu_1', name: c.toolName, input: { q: c.toolInput } }],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: c.toolResult }],
    },
  ],
} as const satisfies Anthropic.MessageCreateParams;
const options = (kind: string) => ({ headers: { [KIND]: kind } });

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  plain: () => client.messages.create(request, options('plain')),
  tool: () => client.messages.create(request, options('tool')),
  async stream() {
    for await (const _ of await client.messages.create(
      { ...request, stream: true },
      options('plain'),
    ));
  },
  helper: () => client.messages.stream(request, options('plain')).finalMessage(),
  async left() {
    for await (const _ of await client.messages.create(
      { ...request, stream: true },
      options('plain'),
    ))
      break;
  },
  refused: () => client.messages.create(request, options('error')),
  retried: () => client.messages.create(request, { ...options('overloaded'), maxRetries: 1 }),
  malformed: () => client.messages.create(request, options('page')),
  badGateway: () => client.messages.create(request, options('gateway')),
  broken: () => client.messages.stream(request, options('streamError')).finalMessage(),
  truncated: () => client.messages.stream(request, options('truncated')).finalMessage(),
  lost: () => lost.messages.create(request),
  count: () => client.messages.countTokens({ model: MODEL, messages: [...request.messages] }),
  async batch() {
    const requests = [{ custom_id: c.customId, params: request }];
    const { id } = await client.messages.batches.create({ requests }, options('plain'));
    await client.messages.batches.retrieve(id);
    for await (const _ of await client.messages.batches.results(id));
  },
  names: () =>
    withContext({ userId: throws, feature: () => JSON.parse(c.prompt) as string }, () =>
      client.messages.create(request, options('plain')),
    ),
  promised: () =>
    withContext({ userId: () => Promise.resolve(c.userId) }, () =>
      client.messages.create(request, options('plain')),
    ),
  async feedback() {
    const answer = await client.messages.create(request, options('plain'));
    const given = { messageId: answer.id, userId: c.userId, comment: c.comment };
    await monitor.feedback({ ...given, action: 'reject' });
    return answer;
  },
};

const app = express();
app.use((req, _res, next) => {
  Object.assign(req, { user: { id: c.userId } });
  next();
});
app.use(claudeMonitor({ monitor, authToken: c.mountToken, feedback: () => c.userId }));
app.post('/chat/:kind', express.json(), trackFeature(control), async (req, res) => {
  const kind = String(req.params['kind']);
  const end = await calls[kind]!().then(
    (value) => ({ ok: true, id: (value as { id?: string } | undefined)?.id ?? null }),
    () => ({ ok: false, id: null }),
  );
  res.json(end);
});

/** What our own functions throw at who uses them wrongly; it ends up in somebody's log. */
async function misuse(): Promise<void> {
  const wrong: readonly (() => unknown)[] = [
    () => monitor.canSpend(c.prompt as never),
    () => monitor.canSpend({ messages: c.prompt } as never),
    () => monitor.record({ model: MODEL, usage: c.answer as never, error: new Error(c.thrown) }),
    () => monitor.record({ model: { prompt: c.prompt } as never }),
    () => monitor.feedback({ messageId: 'msg_1', action: 'accept', comment: [c.comment] as never }),
    () => createMonitor({ userIds: c.hmacKey as never }),
    () => createMonitor({ userIds: { hmac: c.hmacKey.slice(0, 30) } }),
    () => createMonitor({ userIds: { hmac: hmacKey, [c.hmacKey]: 1 } as never }),
    () => claudeMonitor({ monitor, authToken: c.mountToken.slice(0, 31) }),
    () => channel.webhook({ url: `http://example.org/${c.address}`, secret: c.webhookSecret }),
    () => channel.webhook({ url: c.address, secret: 'whsec_AAAA' }),
  ];
  let told = 0;
  for (const use of wrong) {
    try {
      await use();
    } catch (error) {
      told += 1;
      console.error(error);
    }
  }
  console.error(`${told} misuses were told`);
}

async function main(): Promise<void> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { 'content-type': 'application/json', cookie: `session=${c.cookie}` };
  const ends: Record<string, unknown> = {};
  for (const kind of Object.keys(calls)) {
    const body = JSON.stringify({ text: c.body });
    const answer = await fetch(`${home}/chat/${kind}?q=${c.url}`, {
      method: 'POST',
      headers,
      body,
    });
    ends[kind] = await answer.json();
  }
  const { id } = ends['plain'] as { id: string };
  const given = await fetch(`${home}/claude-metrics/feedback`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ messageId: id, action: 'accept', comment: c.comment, score: 1 }),
  });
  ends['door'] = given.status;
  await misuse();
  await monitor.snapshot();
  await monitor.evaluateAlerts();
  // The webhook has answered.
  while ((await monitor.alerts()).channels.some(({ queued }) => queued > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const auth = { authorization: `Bearer ${c.mountToken}` };
  const { calls: recent } = await monitor.calls({ limit: 200 });
  const paths = ['', '/snapshot', '/calls?limit=200', '/alerts', '/metrics', '/openapi.json'];
  paths.push('/calls?limit=none', '/nowhere', ...recent.map((call) => `/calls/${call.id}`));
  for (const [i, path] of paths.entries()) {
    const answer = await fetch(`${home}/claude-metrics${path}`, {
      headers: { ...headers, ...auth },
    });
    const all = [path, answer.status, JSON.stringify([...answer.headers]), await answer.text()];
    writeFileSync(join(plan.pages, `${i}.txt`), all.join('\n'));
  }
  console.log(JSON.stringify({ ends, pages: paths.length, faults: monitor.health().faults }));
  // Everything there is to tell is on its way when the process dies of a refusal that nobody caught.
  monitor.pause(control, 'for the crash');
  const refusal: unknown = await monitor
    .withContext({ userId: c.userId, feature: control }, () => client.messages.create(request))
    .catch((error: unknown) => error);
  setImmediate(() => {
    throw refusal;
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

void main();
