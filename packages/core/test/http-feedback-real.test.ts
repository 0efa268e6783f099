/**
 * Feedback that a browser sends days later, to another process than the one that made the call: over HTTP
 * as it is, and a store that both processes have open one after the other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodyOf, createHttp } from '../src/http.js';
import { createMonitor } from '../src/monitor.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import type { Monitor } from '../src/monitor.js';
import type { GivenFeedback } from '../src/record.js';
import type { Snapshot } from '../src/snapshot.js';
import { DAY, NOW } from './state-fixture.js';

const TOKEN = 'an-operators-token-of-more-than-32-characters';
const MOUNT = '/claude-metrics';
const COMMENT = 'CANARY-comment';

let folder: string;
let now: number;
let told: GivenFeedback[];
let said: string[];
const toEnd: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-metrics-feedback-'));
  now = NOW;
  told = [];
  said = [];
});

afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** A process: it has a monitor of its own, and nothing else than the file of those before it. */
function process(): Monitor {
  const clock = { now: () => now, monotonic: () => now };
  const monitor = createMonitor({
    ...{ clock, onNotice: (text) => said.push(text), onError: (error) => said.push(String(error)) },
    log: (line) => said.push(JSON.stringify(line)),
    store: sqliteStore({ file: join(folder, 'metrics.sqlite'), clock }),
    sinks: [
      { name: 'review', record: () => undefined, feedback: (given) => void told.push(given) },
    ],
  });
  toEnd.push(() => monitor.close());
  return monitor;
}

async function serve(monitor: Monitor): Promise<string> {
  const http = createHttp(monitor, {
    ...{ authToken: TOKEN, now: () => now, env: { NODE_ENV: 'production' } },
    feedback: (native) => (native as { headers: Record<string, string> }).headers['x-session'],
  });
  const server: Server = createServer((req, res) => {
    const [path = '', search = ''] = (req.url ?? '').split(/\?(.*)/s);
    void http
      .handle({
        method: req.method ?? 'GET',
        path: path.slice(MOUNT.length),
        query: new URLSearchParams(search),
        header: (name) => [req.headers[name]].flat().join(', ') || undefined,
        url: req.url ?? '',
        secure: false,
        native: req,
        readBody: bodyOf(req),
      })
      .then(({ status, headers, body }) => res.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toEnd.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${MOUNT}`;
}

const usage = { input_tokens: 100, output_tokens: 50 };
const ada = { 'content-type': 'application/json', 'x-session': 'ada' };

async function post(mount: string, body: object | string, headers: Record<string, string> = ada) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${mount}/feedback`, { method: 'POST', headers, body: text });
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    text: await answer.text(),
  };
}

it('counts for the feature and the day of the call, and its comment goes to sinks alone', async () => {
  const first = process();
  for (const [messageId, feature] of [
    ['msg_chat', 'chat'],
    ['msg_mail', 'mail'],
  ] as const) {
    first.record({ model: 'claude-haiku-5-5', usage, userId: 'ada', feature, messageId });
  }
  await first.close();

  now += 4 * DAY;
  const mount = await serve(process());
  const event = { messageId: 'msg_chat', action: 'reject', comment: COMMENT, score: 1 };
  expect(await post(mount, event)).toMatchObject({ status: 202, text: '{"counted":true}\n' });
  const again = { messageId: 'msg_chat', action: 'edit' };
  expect(await post(mount, again)).toMatchObject({ status: 202 });

  const ask = async (query: string) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${mount}/snapshot?${query}`, { headers });
    return (await answer.json()) as Snapshot;
  };
  const snapshot = await ask('from=2026-11-24&to=2026-11-25');
  const rated = snapshot.byFeature.map(({ key, feedback }) => [key, feedback?.edit ?? null]);
  expect(Object.fromEntries(rated)).toEqual({ chat: 1, mail: null });
  expect(snapshot.totals.feedback).toMatchObject({ accept: 0, reject: 0, edit: 1, retry: 0 });
  expect((await ask('from=2026-11-28')).totals.feedback).toBeNull();

  expect(told.map(({ action, before, comment }) => [action, before, comment])).toEqual([
    ['reject', null, COMMENT],
    ['edit', 'reject', null],
  ]);
  expect(said.length).toBeGreaterThan(0);
  expect(said.join()).not.toContain(COMMENT);
  expect(JSON.stringify(snapshot)).not.toContain(COMMENT);
});

it('opens in production to users, to whom all else is closed, and not to operators', async () => {
  const monitor = process();
  monitor.record({ model: 'claude-haiku-5-5', usage, messageId: 'msg_1' });
  const mount = await serve(monitor);
  const event = { messageId: 'msg_1', action: 'accept' };
  const operator = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
  expect((await post(mount, event, operator)).status).toBe(403);
  for (const path of ['/', '/snapshot', '/calls', '/feedback', '/feedback/', '/openapi.json']) {
    expect((await fetch(mount + path, { headers: ada })).status).toBe(404);
  }
  const method = await fetch(`${mount}/feedback`, { headers: operator });
  expect([method.status, method.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await post(mount, event)).status).toBe(202);
});

it('has bounds, and says what is wrong with what is beyond them', async () => {
  const mount = await serve(process());
  const large = await post(mount, {
    messageId: 'x',
    action: 'accept',
    comment: 'x'.repeat(20_000),
  });
  expect(large).toMatchObject({ status: 413, type: 'application/problem+json; charset=utf-8' });
  expect((await post(mount, 'x', { ...ada, 'content-type': 'text/plain' })).status).toBe(403);
  const asBrowser = { ...ada, 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' };
  expect((await post(mount, 'x', asBrowser)).status).toBe(415);
  for (const body of ['{', '[]', '7', '{"messageId":"a"}', '{"messageId":7,"action":"accept"}']) {
    expect(await post(mount, body)).toMatchObject({ status: 400 });
  }
  const twice = 'messageId=a&messageId=b&action=accept';
  const form = { ...asBrowser, 'content-type': 'application/x-www-form-urlencoded' };
  expect((await post(mount, twice, form)).status).toBe(400);
  expect(await post(mount, { messageId: 'never', action: 'retry' })).toMatchObject({
    status: 404,
    type: 'application/problem+json; charset=utf-8',
  });
  expect(told).toEqual([]);
});
