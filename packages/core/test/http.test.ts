import { createHttp, type HttpOptions, type HttpReadings } from '../src/http.js';
import type { CallsQuery } from '../src/stores/store.js';
import type { SnapshotQuery } from '../src/snapshot.js';
import { SECURITY_HEADERS } from '../src/http/message.js';
import { ask, recordOf, snapshotOf, type Asked } from './http-fixture.js';

const NOW = Date.parse('2026-11-24T14:03:07Z');

function setUp(readings: Partial<HttpReadings> = {}, options: HttpOptions = {}) {
  const snapshots: (SnapshotQuery | undefined)[] = [];
  const pages: (CallsQuery | undefined)[] = [];
  const faults: string[] = [];
  const http = createHttp(
    {
      snapshot(query) {
        snapshots.push(query);
        return Promise.resolve(snapshotOf());
      },
      calls(query) {
        pages.push(query);
        const page = { calls: [recordOf()], next: null, kept: 1, capacity: 1000, dropped: 0 };
        return Promise.resolve(page);
      },
      fault: (step) => faults.push(step),
      ...readings,
    },
    { authorize: () => true, now: () => NOW, env: {}, ...options },
  );
  return { http, snapshots, pages, faults };
}

describe('the routes', () => {
  it('answer the snapshot of the window and the filters that were asked for', async () => {
    const { http, snapshots } = setUp();
    const response = await ask(http, '/snapshot?range=15m&by=user&model=claude-sonnet-5&user=ada');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(response.body)).toEqual(snapshotOf());
    expect(snapshots).toEqual([
      { rangeMs: 900_000, by: 'user', model: 'claude-sonnet-5', user: 'ada' },
    ]);
  });

  it.each([
    ['from=2026-11-24', Date.parse('2026-11-24T00:00:00Z'), undefined],
    ['from=2026-11-24T10:00:00Z&to=2026-11-24T12:00:00Z', NOW - 14_587_000, NOW - 7_387_000],
    ['from=2026-11-24T12:00:00%2B02:00', NOW - 14_587_000, undefined],
    ['from=2026-11-24T12:00:00+02:00', NOW - 14_587_000, undefined],
    [`from=${NOW - 1000}&to=${NOW}`, NOW - 1000, NOW],
  ])('understand the window %s', async (query, from, to) => {
    const { http, snapshots } = setUp();
    expect((await ask(http, `/snapshot?${query}`)).status).toBe(200);
    expect(snapshots).toEqual([to === undefined ? { from } : { from, to }]);
  });

  it('answer a page of calls with cursor, limit and filters', async () => {
    const { http, pages } = setUp();
    const response = await ask(http, '/calls?limit=7&before=c12&feature=summarise&outcome=error');
    expect(JSON.parse(response.body)).toMatchObject({ calls: [{ id: 'call-1' }], next: null });
    expect(pages).toEqual([{ limit: 7, before: 'c12', feature: 'summarise', outcome: 'error' }]);
  });

  it.each(['', '/', '/snapshot', '/calls', '/openapi.json'])(
    'answer HEAD %s as GET without a body',
    async (path) => {
      const { http } = setUp();
      const mount = path === '' ? '/m/' : '/m';
      const got = await ask(http, path, { mount });
      const head = await ask(http, path, { mount, method: 'HEAD' });
      expect(got.status).toBe(200);
      expect(got.body).not.toBe('');
      expect(head).toEqual({ ...got, body: '' });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'get'])(
    'refuse %s and say what is allowed',
    async (method) => {
      const { http, snapshots } = setUp();
      const response = await ask(http, '/snapshot', { method });
      expect([response.status, response.headers['allow']]).toEqual([405, 'GET, HEAD']);
      expect(snapshots).toEqual([]);
    },
  );

  it.each([
    '/nothing',
    '//',
    '//snapshot',
    '/snapshot/',
    '/Snapshot',
    '/%73napshot',
    '/snapshot;x=1',
    '/snapshot.',
    '/./snapshot',
    '/%2e%2e/snapshot',
    '/__proto__',
    '/constructor',
  ])('know no other spelling: %s is not found', async (path) => {
    const { http } = setUp();
    expect((await ask(http, path)).status).toBe(404);
  });

  it('redirect the mount to itself with a slash, relatively, with its query', async () => {
    const { http } = setUp();
    const response = await ask(http, '?range=1h&user=a%20b');
    expect([response.status, response.headers['location']]).toEqual([
      307,
      'claude-metrics/?range=1h&user=a%20b',
    ]);
  });
});

describe('bad queries', () => {
  it.each([
    ['/snapshot?rnage=1h', 'rnage', 'rnage'],
    ['/snapshot?__proto__=1', '__proto__', '__proto__'],
    ['/snapshot?from=yesterday', 'from', 'yesterday'],
    ['/snapshot?from=2026-02-30', 'from', '2026-02-30'],
    ['/snapshot?from=2026-11-24T14:00:00', 'from', 'without a zone'],
    ['/snapshot?from=1795528800', 'from', 'seconds'],
    ['/snapshot?from=', 'from', 'empty'],
    ['/snapshot?from=2026-11-24&to=2026-11-23', 'from', 'after to'],
    ['/snapshot?from=2026-11-24&to=2026-11-24', 'from', 'equal'],
    ['/snapshot?from=2027-01-01', 'from', 'in the future'],
    ['/snapshot?range=1h&from=2026-11-24', 'range', 'both'],
    ['/snapshot?range=1h&range=2h', 'range', 'twice'],
    ['/snapshot?range=0h', 'range', 'zero'],
    ['/snapshot?range=-1h', 'range', 'negative'],
    ['/snapshot?range=1w', 'range', 'unit'],
    ['/snapshot?range=1e3h', 'range', 'notation'],
    ['/snapshot?by=day', 'by', 'day'],
    ['/snapshot?by=constructor', 'by', 'constructor'],
    ['/snapshot?user=', 'user', 'empty'],
    [`/snapshot?user=${'x'.repeat(129)}`, 'user', 'long'],
    ['/calls?limit=0', 'limit', '0'],
    ['/calls?limit=201', 'limit', '201'],
    ['/calls?limit=1.5', 'limit', '1.5'],
    ['/calls?before=a%20b', 'before', 'space'],
    ['/calls?outcome=fine', 'outcome', 'fine'],
    ['/calls?range=1h', 'range', 'not here'],
    ['/openapi.json?x=1', 'x', 'none here'],
    ['/?range=x', 'range', 'page'],
  ])('%s gets 400 naming %s (%s)', async (path, parameter) => {
    const { http, snapshots, pages } = setUp();
    const response = await ask(http, path);
    expect(response.status).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const problem: unknown = JSON.parse(response.body);
    expect(problem).toEqual({
      type: 'urn:claude-metrics:problem:bad-query',
      title: expect.any(String),
      status: 400,
      detail: expect.stringContaining(parameter),
      errors: [{ parameter, value: expect.any(String), allowed: expect.any(String) }],
    });
    expect([snapshots, pages]).toEqual([[], []]);
  });

  it('never repeat more than a little of what was sent', async () => {
    const { http } = setUp();
    const query = Array.from(
      { length: 500 },
      (_, i) => `${'n'.repeat(300)}${i}=${'v'.repeat(300)}`,
    );
    const response = await ask(http, `/snapshot?${query.join('&')}`);
    expect(response.status).toBe(400);
    expect(response.body.length).toBeLessThan(4000);
  });

  it('are told to a person as a page, escaped', async () => {
    const { http } = setUp();
    const asked: Asked = { headers: { accept: 'text/html,*/*;q=0.8' } };
    const response = await ask(http, '/?range=%3Cscript%3Ealert(1)%3C/script%3E', asked);
    expect(response.status).toBe(400);
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(response.body).toContain('&lt;script&gt;');
    expect(response.body).not.toContain('<script');
  });

  it('that only the store can judge are 400 as well', async () => {
    class QueryError extends Error {
      override name = 'QueryError';
    }
    const refuse = () => Promise.reject(new QueryError('from: that is before anything was kept'));
    const { http, faults } = setUp({ snapshot: refuse, calls: refuse });
    for (const path of ['/', '/snapshot', '/calls']) {
      const response = await ask(http, path);
      expect(response.status).toBe(400);
      expect(JSON.parse(response.body)).toMatchObject({
        detail: 'from: that is before anything was kept',
      });
    }
    expect(faults).toEqual([]);
  });
});

describe('when the numbers cannot be read', () => {
  const broken = () => Promise.reject(new Error('secret connection string'));

  it('answers 500 without a word of the reason, and counts a fault', async () => {
    const { http, faults } = setUp({ snapshot: broken, calls: broken });
    for (const path of ['/', '/snapshot', '/calls']) {
      const response = await ask(http, path);
      expect(response.status).toBe(500);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(response.body).not.toContain('secret');
    }
    expect(faults).toEqual(['http', 'http', 'http']);
  });

  it('shows the page without the calls, if only they are missing', async () => {
    const { http } = setUp({ calls: broken });
    const response = await ask(http, '/');
    expect(response.status).toBe(200);
    expect(response.body).toContain('could not be read just now');
    expect(response.body).toContain('claude-haiku-4-5');
  });
});

it('sends every security header with every answer', async () => {
  const { http } = setUp();
  const closed = setUp({}, { authorize: () => false }).http;
  const broken = setUp({ snapshot: () => Promise.reject(new Error('no')) }).http;
  const answers = await Promise.all([
    ...['', '/', '/snapshot', '/calls', '/openapi.json', '/?x=1', '/no'].map((path) =>
      ask(http, path),
    ),
    ask(http, '/', { method: 'POST' }),
    ask(closed, '/'),
    ask(broken, '/snapshot'),
  ]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(
    new Set([307, 200, 400, 404, 405, 403, 500]),
  );
  expect(Object.keys(SECURITY_HEADERS)).toHaveLength(12);
  for (const { headers } of answers) {
    const { 'content-security-policy': policy, 'referrer-policy': _, ...others } = SECURITY_HEADERS;
    expect(headers).toMatchObject(others);
    // The page's own forms need an Origin, which a page without any referrer does not send.
    const html = headers['content-type']?.startsWith('text/html') === true;
    expect(headers['referrer-policy']).toBe(html ? 'same-origin' : 'no-referrer');
    expect(policy).toMatch(/^default-src 'none'/);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; .*frame-ancestors 'none'/,
    );
  }
});
