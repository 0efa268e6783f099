import { createHttp } from '../src/http.js';
import { describe as describeRoutes } from '../src/http/openapi.js';
import { routes } from '../src/http/routes.js';
import { createMonitor } from '../src/monitor.js';
import { sourceOf } from '../src/workers.js';
import {
  alertOf,
  alertsPageOf,
  ALERT_ID,
  ask,
  budgetOf,
  callBudgetOf,
  recordOf,
  scopeOf,
  snapshotOf,
} from './http-fixture.js';

type Schema = Readonly<Record<string, unknown>>;

const document = JSON.parse(JSON.stringify(describeRoutes(routes))) as {
  paths: Record<string, Partial<Record<'get' | 'post', Operation>>>;
  components: { schemas: Record<string, Schema> };
};
interface Operation {
  operationId: string;
  parameters: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

/** As much of JSON Schema as our own schemas use. Returns what is wrong. */
function violations(value: unknown, schema: Schema, path = '$'): string[] {
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].replace('#/components/schemas/', '');
    const target = document.components.schemas[name];
    return target ? violations(value, target, path) : [`${path}: no schema ${name}`];
  }
  const options = schema['anyOf'] as Schema[] | undefined;
  if (options) {
    const all = options.map((each) => violations(value, each, path));
    return all.some((each) => each.length === 0) ? [] : all.flat();
  }
  if ('const' in schema) return value === schema['const'] ? [] : [`${path}: not the constant`];
  const type = schema['type'];
  if (type === undefined) return [];
  if (type === 'null') return value === null ? [] : [`${path}: not null`];
  if (type === 'integer') return Number.isInteger(value) ? [] : [`${path}: no integer`];
  if (type === 'array') {
    if (!Array.isArray(value)) return [`${path}: no array`];
    return value.flatMap((each, i) => violations(each, schema['items'] as Schema, `${path}[${i}]`));
  }
  if (type !== 'object') {
    const allowed = schema['enum'] as unknown[] | undefined;
    if (allowed && !allowed.includes(value)) return [`${path}: ${String(value)} not in the enum`];
    return typeof value === type ? [] : [`${path}: no ${String(type)}`];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path}: no object`];
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value));
  return [
    ...missing.map((name) => `${path}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, each]) => {
      const rule = properties[name] ?? schema['additionalProperties'] ?? {};
      if (rule === false) return [`${path}.${name}: not described`];
      return violations(each, rule as Schema, `${path}.${name}`);
    }),
  ];
}

function schemaOf(path: string, status = '200', type = 'application/json'): Schema {
  const { get, post } = document.paths[path] ?? {};
  const schema = (get ?? post)?.responses[status]?.content?.[type]?.schema;
  if (!schema) throw new Error(`${path} describes no ${status} ${type}`);
  return schema;
}

const alerts = {
  firing: [alertOf(), alertOf({ group: null, value: null, limit: null, unit: null })],
  pending: [alertOf({ state: 'pending', firedAt: null, severity: 'info' })],
  silenced: [alertOf({ silencedUntil: '2026-11-24T15:00:00.000Z' })],
  recent: [alertOf({ state: 'resolved', resolvedAt: '2026-11-24T13:00:00.000Z' })],
  channels: [
    { name: 'slack', sent: 3, failed: 1, dropped: 0, queued: 2, lastError: 'HTTP 500' },
    { name: 'log', sent: 3, failed: 0, dropped: 0, queued: 0, lastError: null },
  ],
  failing: [{ rule: 'mine', message: 'it threw' }],
};
const budgets = [
  budgetOf(),
  budgetOf({ of: { tag: 'team' }, scopes: [scopeOf({ scope: null, used: null })] }),
  budgetOf({ per: 'call', of: 'all', from: null, to: null, action: 'downgrade', scopes: [] }),
];
const source = sourceOf(false, { kind: 'cluster', index: 3, count: null });
const records = [
  recordOf(),
  recordOf({
    budget: callBudgetOf({ verdict: 'downgrade', reason: 'limit', budget: 'b', sentModel: 'm' }),
  }),
  recordOf({ budget: callBudgetOf({ sentMaxTokens: 64, wouldBlock: ['b'] }) }),
];
const readings = {
  snapshot: () =>
    Promise.resolve(
      snapshotOf({ budgets, source, alerts: { firing: alerts.firing, pending: 1, silenced: 1 } }),
    ),
  calls: () => Promise.resolve({ calls: records, next: 'c1', kept: 1, capacity: 1000, dropped: 0 }),
};
const http = createHttp(
  {
    ...readings,
    alerts: () => alertsPageOf(alerts),
    silence: (id) => (id === ALERT_ID ? alertOf() : null),
    metrics: () => Promise.resolve({ type: 'text/plain', body: '' }),
    feedback: () => Promise.resolve(true),
  },
  { authorize: () => true, feedback: () => 'ada', now: () => Date.parse('2026-12-01T00:00:00Z') },
);

describe('/openapi.json', () => {
  it('describes every route and nothing else', async () => {
    const served: unknown = JSON.parse((await ask(http, '/openapi.json')).body);
    expect(served).toEqual(document);
    expect(Object.keys(document.paths)).toEqual([
      ...[
        '/',
        '/snapshot',
        '/calls',
        '/alerts',
        '/alerts/{id}/silence',
        '/feedback',
        '/metrics',
        '/openapi.json',
      ],
    ]);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described).toEqual(http.routes.map(({ method, path }) => `${method} ${path}`));
    const ids = Object.values(document.paths).map(({ get, post }) => (get ?? post)?.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('leaves out what the readings cannot do, and so does the mount', async () => {
    const without = createHttp(readings, { authorize: () => true });
    const { paths } = JSON.parse((await ask(without, '/openapi.json')).body) as typeof document;
    expect(Object.keys(paths)).toEqual(['/', '/snapshot', '/calls', '/openapi.json']);
    expect((await ask(without, '/alerts')).status).toBe(404);
    const headers = { 'content-type': 'application/json' };
    const asked = { method: 'POST', headers };
    expect((await ask(without, `/alerts/${ALERT_ID}/silence`, asked)).status).toBe(404);
  });

  it('describes the body of a POST as it is read: what it allows is accepted, and no more', async () => {
    const { post } = document.paths['/alerts/{id}/silence'] ?? {};
    const { content = {} } = post?.requestBody ?? {};
    expect(Object.keys(content)).toEqual(['application/json', 'application/x-www-form-urlencoded']);
    for (const [type, { schema }] of Object.entries(content)) {
      const json = type === 'application/json';
      const properties = schema['properties'] as Record<string, { maximum?: number }>;
      expect(Object.keys(properties)).toEqual(json ? ['minutes'] : ['minutes', 'view']);
      const { maximum = 0 } = properties['minutes'] ?? {};
      const statuses = [];
      for (const minutes of [0, maximum, maximum + 1]) {
        const body = json ? JSON.stringify({ minutes }) : `minutes=${minutes}`;
        const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin' };
        const asked = { method: 'POST', headers, body };
        const { status } = await ask(http, `/alerts/${ALERT_ID}/silence`, asked);
        expect(post?.responses).toHaveProperty(String(status));
        statuses.push(status);
      }
      expect(statuses).toEqual(json ? [200, 200, 400] : [303, 303, 400]);
    }
    const [id] = post?.parameters ?? [];
    expect(id).toMatchObject({ name: 'id', in: 'path', required: true });
  });

  it('describes exactly what a silence answers', async () => {
    const headers = { 'content-type': 'application/json' };
    const path = '/alerts/{id}/silence';
    for (const [body, status, type] of [
      ['{}', '200', 'application/json'],
      ['{"minutes":-1}', '400', 'application/problem+json'],
    ] as const) {
      const answer = await ask(http, path.replace('{id}', ALERT_ID), {
        method: 'POST',
        headers,
        body,
      });
      expect(String(answer.status)).toBe(status);
      expect(violations(JSON.parse(answer.body), schemaOf(path, status, type))).toEqual([]);
    }
  });

  it('has no reference that leads nowhere', () => {
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(names.length).toBeGreaterThan(20);
    for (const [, name = ''] of names) expect(document.components.schemas).toHaveProperty(name);
  });

  it.each(['/snapshot', '/calls', '/alerts'])('describes exactly what %s answers', async (path) => {
    const body: unknown = JSON.parse((await ask(http, path)).body);
    expect(violations(body, schemaOf(path))).toEqual([]);
  });

  it('describes what a real monitor answers', async () => {
    const now = Date.parse('2026-11-24T14:00:00Z');
    const clock = { now: () => now, monotonic: () => 0 };
    const monitor = createMonitor({ log: false, clock, onNotice: () => {}, onError: () => {} });
    monitor.on({
      name: 'broken',
      record() {
        throw new Error('no');
      },
    });
    const usage = { input_tokens: 9, output_tokens: 3, cache_read_input_tokens: 2 };
    monitor.record({ model: 'claude-sonnet-5', userId: 'ada', usage, callMs: 900, ttftMs: 90 });
    monitor.record({ model: 'nobody-knows', feature: 'x', usage, outcome: 'refused' });
    monitor.record({
      model: 'claude-sonnet-5',
      outcome: 'error',
      error: new Error('x'),
      status: 500,
    });
    const real = createHttp(monitor, { authorize: () => true, now: () => now });
    for (const path of ['/snapshot', '/snapshot?by=user&model=claude-sonnet-5', '/calls']) {
      const response = await ask(real, path);
      expect([path, response.status]).toEqual([path, 200]);
      const schema = schemaOf(path.replace(/\?.*/, ''));
      expect(violations(JSON.parse(response.body), schema)).toEqual([]);
    }
    const refused = await ask(real, '/snapshot?model=a&feature=b&user=c');
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body)).toMatchObject({
      detail: expect.stringMatching(/^snapshot: .*cannot be filtered together/),
    });
    expect((await ask(real, '/')).status).toBe(200);
    await monitor.close();
  });

  it('would notice a field that is missing, new or of another type', () => {
    const { totals, ...without } = snapshotOf();
    const schema = schemaOf('/snapshot');
    expect(totals.calls).toBe(40);
    expect(violations(without, schema)).toEqual(['$.totals: missing']);
    expect(violations({ ...snapshotOf(), extra: 1 }, schema)).toEqual(['$.extra: not described']);
    expect(violations({ ...snapshotOf(), bucketMs: '1' }, schema)).toEqual([
      '$.bucketMs: no integer',
    ]);
  });

  it('describes the problems', async () => {
    const problem: unknown = JSON.parse((await ask(http, '/snapshot?x=1')).body);
    expect(violations(problem, schemaOf('/snapshot', '400', 'application/problem+json'))).toEqual(
      [],
    );
  });

  it('describes parameters as they are read: each example is accepted', async () => {
    for (const [path, { get }] of Object.entries(document.paths)) {
      for (const { name, schema } of get?.parameters ?? []) {
        const examples = (schema['examples'] ??
          schema['enum'] ?? [schema['default'] ?? 'x']) as unknown[];
        for (const example of examples) {
          const query = new URLSearchParams({ [name]: String(example) });
          if (name === 'to') query.set('range', '1h');
          const response = await ask(http, `${path}?${query}`);
          expect([path, name, example, response.status]).toEqual([path, name, example, 200]);
        }
      }
    }
  });
});
