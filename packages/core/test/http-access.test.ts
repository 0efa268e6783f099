import { createHttp, type HttpOptions } from '../src/http.js';
import { isKnownHost } from '../src/http/hosts.js';
import { ask, recordOf, snapshotOf, type Asked } from './http-fixture.js';

const TOKEN = 'a-token-of-more-than-32-characters/+=';
const DAY_MS = 86_400_000;

function setUp(options: HttpOptions) {
  const said: string[] = [];
  const faults: [string, unknown][] = [];
  const clock = { now: Date.parse('2026-11-24T14:00:00Z') };
  const http = createHttp(
    {
      snapshot: () => Promise.resolve(snapshotOf()),
      calls: () =>
        Promise.resolve({ calls: [recordOf()], next: null, kept: 1, capacity: 9, dropped: 0 }),
      say: (line) => said.push(line),
      fault: (step, error) => faults.push([step, error]),
    },
    { env: {}, path: '/claude-metrics', now: () => clock.now, ...options },
  );
  const status = async (below: string, asked?: Asked) => (await ask(http, below, asked)).status;
  return { http, said, faults, clock, status };
}

const production = { NODE_ENV: 'production' };
const cookieOf = (setCookie: string | undefined) => setCookie?.split(';')[0] ?? '';

describe('in production without a decision', () => {
  it('is 404 for every path, method, token and header, and says once how to open it', async () => {
    const { http, said, faults } = setUp({ env: production });
    const paths = ['', '/', '/snapshot', '/calls', '/openapi.json', '/no', '/?token=', '//', '/..'];
    const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'PROPFIND'];
    const headers = [
      {},
      { authorization: 'Bearer ' },
      { authorization: 'Bearer undefined' },
      { cookie: 'claude-metrics=; claude-metrics-3000=.' },
      { 'x-forwarded-for': '127.0.0.1', host: '127.0.0.1' },
      { accept: 'text/html' },
    ];
    const answers = new Set<string>();
    let asked = 0;
    for (const path of paths) {
      for (const method of methods) {
        for (const header of headers) {
          asked += 1;
          const { status, body } = await ask(http, path, { method, headers: header });
          answers.add(`${status} ${body.trim()}`);
        }
      }
    }
    expect(asked).toBeGreaterThan(300);
    expect([...answers]).toEqual(['404 Not Found', '404 ']);
    expect(said).toEqual([expect.stringMatching(/authorize.*CLAUDE_METRICS_AUTH_TOKEN/)]);
    expect(faults).toEqual([]);
  });

  it('says so at the first request when it does not know its path', async () => {
    const { said, status } = setUp({ env: production, path: undefined });
    expect(said).toEqual([]);
    expect([await status('/'), await status('/')]).toEqual([404, 404]);
    expect(said).toHaveLength(1);
  });
});

describe('with a token made at start', () => {
  it('prints its path at start, and the whole address at the first request without it', async () => {
    const { said, status } = setUp({});
    const token = /^Dashboard: open \/claude-metrics\/\?token=([\w-]{43})$/.exec(
      said[0] ?? '',
    )?.[1];
    expect(token).toBeDefined();
    expect(await status('/snapshot', { mount: '/app/claude-metrics' })).toBe(401);
    expect(await status('/', {})).toBe(401);
    expect(said.slice(1)).toEqual([
      `Dashboard: open http://localhost:3000/app/claude-metrics/?token=${token}`,
    ]);
    expect(await status('/snapshot', { headers: { authorization: `Bearer ${token}` } })).toBe(200);
  });

  it('prints nothing in a test suite until the dashboard is asked for', async () => {
    const { said, status } = setUp({ env: { NODE_ENV: 'test' } });
    expect(said).toEqual([]);
    expect(await status('/')).toBe(401);
    expect(said).toHaveLength(1);
  });

  it('is another token every time', () => {
    const tokens = Array.from({ length: 20 }, () => setUp({}).said[0]);
    expect(new Set(tokens).size).toBe(20);
  });

  it('answers only to names that always mean this machine, to addresses, and to those allowed', async () => {
    const { said, status } = setUp({ allowedHosts: ['Metrics.Internal:8080'] });
    const token = said[0]?.split('token=')[1];
    const asHost = (host: string) =>
      status('/snapshot', { headers: { host, authorization: `Bearer ${token}` } });
    for (const host of ['localhost', 'metrics.internal', '[::1]:80', '10.0.0.7:3000']) {
      expect([host, await asHost(host)]).toEqual([host, 200]);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '']) {
      expect([host, await asHost(host)]).toEqual([host, 421]);
    }
  });
});

it.each([
  ['localhost', true],
  ['LOCALHOST.:3000', true],
  ['app.localhost:1', true],
  ['127.8.9.10', true],
  ['[::1]', true],
  ['[::ffff:127.0.0.1]:80', true],
  ['notlocalhost', false],
  ['evil.example:3000', false],
  ['127.0.0.1.evil.example', false],
  ['localhost@evil.example', false],
  ['localhost/evil', false],
  ['localhost, evil.example', false],
  [undefined, false],
])('the host %s is known: %s', (host, known) => {
  expect(isKnownHost(host, [])).toBe(known);
});

describe('with a fixed token', () => {
  it.each<HttpOptions>([{ authToken: TOKEN }, { env: { CLAUDE_METRICS_AUTH_TOKEN: TOKEN } }])(
    'opens for it alone, anywhere, without printing it: %j',
    async (options) => {
      const { said, status } = setUp({ ...options, env: { ...production, ...options.env } });
      const bearer = (token: string) =>
        status('/snapshot', {
          headers: { authorization: `Bearer ${token}`, host: 'metrics.example' },
        });
      expect(await bearer(TOKEN)).toBe(200);
      for (const wrong of ['', 'x', TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
        expect([wrong, await bearer(wrong)]).toEqual([wrong, 404]);
      }
      expect(said).toEqual([]);
    },
  );

  it('asks for a bearer token outside production', async () => {
    const { http } = setUp({ authToken: TOKEN });
    const { status, headers } = await ask(http, '/');
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="claude-metrics"']);
  });

  it('the option beats the environment', async () => {
    const other = 'x'.repeat(32);
    const { status } = setUp({ authToken: TOKEN, env: { CLAUDE_METRICS_AUTH_TOKEN: other } });
    const asBearer = (token: string) =>
      status('/', { headers: { authorization: `Bearer ${token}` } });
    expect([await asBearer(TOKEN), await asBearer(other)]).toEqual([200, 401]);
  });

  it.each(['short', 'x'.repeat(31), `${'x'.repeat(31)} y`, `${'x'.repeat(40)}é`])(
    'refuses to start with the token %j',
    (authToken) => {
      expect(() => setUp({ authToken })).toThrow(/authToken: must be at least 32 printable/);
      expect(() => setUp({ env: { CLAUDE_METRICS_AUTH_TOKEN: authToken } })).toThrow(
        /CLAUDE_METRICS_AUTH_TOKEN: must be at least 32/,
      );
      expect(() => setUp({ authToken })).not.toThrow(authToken);
    },
  );

  it('takes an empty variable as none', async () => {
    const { status } = setUp({ env: { ...production, CLAUDE_METRICS_AUTH_TOKEN: '' } });
    expect(await status('/')).toBe(404);
  });
});

describe('opening the address with the token', () => {
  const open = (below: string, asked?: Asked) => {
    const { http } = setUp({ authToken: TOKEN });
    return ask(http, below, asked);
  };
  const search = `token=${encodeURIComponent(TOKEN)}`;

  it('sets a cookie that scripts and other sites cannot use, and leads to the clean address', async () => {
    const { status, headers } = await open(`/?range=1h&${search}`);
    expect([status, headers['location']]).toEqual([303, './?range=1h']);
    expect(headers['set-cookie']).toMatch(
      /^claude-metrics-3000=[\w.-]+; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    expect(headers['set-cookie']).not.toContain(TOKEN.slice(0, 8));
    const encrypted = await open(`/?${search}`, { secure: true });
    expect(encrypted.headers['set-cookie']).toMatch(/; Secure$/);
  });

  it('first adds the slash, so that the cookie belongs to the mount and to nothing above it', async () => {
    const { status, headers } = await open(`?${search}`);
    expect([status, headers['location']]).toEqual([307, `claude-metrics/?${search}`]);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('works one step below the mount, and no deeper', async () => {
    expect((await open(`/snapshot?${search}`)).headers['location']).toBe('./snapshot');
    expect((await open(`/calls/x?${search}`)).status).toBe(401);
  });

  it.each([
    [`/?token=wrong`, 'GET'],
    [`/?${search}&${search}`, 'GET'],
    [`/?${search}`, 'POST'],
  ])('does nothing for %s with %s', async (below, method) => {
    const { status, headers } = await open(below, { method });
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
  });

  it('gives a cookie that opens everything for seven days', async () => {
    const { http, clock, status } = setUp({ authToken: TOKEN });
    const { headers } = await ask(http, `/?${search}`);
    const cookie = `a=b; ${cookieOf(headers['set-cookie'])}; c=d`;
    expect(await status('/snapshot', { headers: { cookie } })).toBe(200);
    clock.now += 7 * DAY_MS - 2000;
    expect(await status('/snapshot', { headers: { cookie } })).toBe(200);
    clock.now += 4000;
    expect(await status('/snapshot', { headers: { cookie } })).toBe(401);
  });

  it('does not accept a cookie that was changed, or made with another token', async () => {
    const { http, status } = setUp({ authToken: TOKEN });
    const other = setUp({ authToken: `${TOKEN}2` });
    const cookie = cookieOf((await ask(http, `/?${search}`)).headers['set-cookie']);
    const foreign = cookieOf((await ask(other.http, `/?${search}2`)).headers['set-cookie']);
    expect(foreign).toMatch(/^claude-metrics-3000=/);
    const [name = '', value = ''] = cookie.split('=');
    const [expires = '', mac = ''] = value.split('.');
    const bad = [
      foreign,
      `${name}=${TOKEN}`,
      `${name}=${expires}`,
      `${name}=${expires}.`,
      `${name}=zzzzzzzz.${mac}`,
      `${name}=${expires}.${mac}x`,
      `x${cookie}`,
      '=;;=',
    ];
    for (const each of bad) {
      expect([each, await status('/', { headers: { cookie: each } })]).toEqual([each, 401]);
    }
    const both = `${name}=old.cookie; ${cookie}`;
    expect(await status('/', { headers: { cookie: both } })).toBe(200);
  });

  it('forgives a stale token in the address of somebody who is already in', async () => {
    const { http } = setUp({ authToken: TOKEN });
    const cookie = cookieOf((await ask(http, `/?${search}`)).headers['set-cookie']);
    const { status, headers } = await ask(http, '/?token=old', { headers: { cookie } });
    expect([status, headers['location'], headers['set-cookie']]).toEqual([303, './', undefined]);
  });
});

describe('authorize', () => {
  it('is asked with the framework’s request, and true opens', async () => {
    const asked: unknown[] = [];
    const native = { the: 'request' };
    const { status, said } = setUp({
      env: production,
      authorize: (request) => {
        asked.push(request);
        return Promise.resolve(true);
      },
    });
    expect(await status('/snapshot', { native })).toBe(200);
    expect(asked).toEqual([native]);
    expect(said).toEqual([]);
  });

  const closing: [string, () => unknown, number][] = [
    ['false', () => false, 0],
    ['a promise of false', () => Promise.resolve(false), 0],
    ['undefined', () => undefined, 0],
    [
      'a throw',
      () => {
        throw new Error('no session');
      },
      1,
    ],
    ['a rejection', () => Promise.reject(new Error('no session')), 1],
    ['a user object', () => ({ id: 1 }), 1],
    ['"false"', () => 'false', 1],
  ];
  it.each(closing)(
    'stays closed for %s: 404 in production, 403 elsewhere',
    async (_, decide, faults) => {
      const authorize = decide as () => boolean;
      const live = setUp({ authorize, env: production });
      const here = setUp({ authorize });
      expect([await live.status('/'), await here.status('/')]).toEqual([404, 403]);
      expect(await here.status('/no', { method: 'OPTIONS' })).toBe(403);
      expect(live.faults.map(([step]) => step)).toEqual(Array(faults).fill('authorize'));
    },
  );

  it('decides alone: no token opens beside it', async () => {
    const { status } = setUp({
      authorize: () => false,
      env: { ...production, CLAUDE_METRICS_AUTH_TOKEN: TOKEN },
    });
    expect(await status('/', { headers: { authorization: `Bearer ${TOKEN}` } })).toBe(404);
    expect(() => setUp({ authorize: () => true, authToken: TOKEN })).toThrow(/Pass one of the two/);
  });
});
