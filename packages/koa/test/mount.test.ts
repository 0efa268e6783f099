import Router from '@koa/router';
import { createMonitor, type Monitor } from '@claude-metrics/core';
import type { ContractServer } from '@claude-metrics/testing';
import type Koa from 'koa';
import mount from 'koa-mount';
import request from 'supertest';
import { gzipSync } from 'node:zlib';
import { claudeMonitor } from '../src/index.js';
import { listen, raw, versions } from './koa.js';

const TOKEN = 'a-token-of-more-than-32-characters';
const bearer = { authorization: `Bearer ${TOKEN}` };
const DATA = /canary-|claude-metrics\/snapshot@1|"openapi"|Claude usage/i;

describe.each(versions)('the dashboard on $name', ({ Koa }) => {
  let monitor: Monitor;
  let said: string[];
  let app: Koa;
  let running: ContractServer[];
  const nodeEnv = process.env['NODE_ENV'];

  const say = (line: string) => void (/^(?:Dashboard|\/)/.test(line) && said.push(line));

  beforeEach(() => {
    said = [];
    running = [];
    monitor = createMonitor({ log: false, onNotice: say });
    monitor.record({ model: 'canary-model', userId: 'canary-user', usage: { input_tokens: 5 } });
    app = new Koa();
  });
  afterEach(async () => {
    process.env['NODE_ENV'] = nodeEnv;
    await Promise.all([monitor.close(), ...running.map((each) => each.close())]);
  });

  const get = (path: string) => request(app.callback()).get(path);
  async function start(): Promise<ContractServer> {
    const server = await listen(app);
    running.push(server);
    return server;
  }

  it('answers below its path, and the rest of the application is not disturbed', async () => {
    const router = new Router();
    router.get('/claude-metricsx', (ctx) => void (ctx.body = 'mine'));
    router.get('/', (ctx) => void (ctx.body = 'home'));
    app.use(claudeMonitor({ monitor, authToken: TOKEN })).use(router.routes());
    const page = await get('/claude-metrics/').set(bearer);
    expect([page.status, page.type]).toEqual([200, 'text/html']);
    expect(page.text).toContain('canary-model');
    const snapshot = await get('/claude-metrics/snapshot?range=1h').set(bearer);
    expect([snapshot.status, snapshot.type]).toEqual([200, 'application/json']);
    expect(snapshot.body).toMatchObject({ totals: { calls: 1 }, byUser: [{ key: 'canary-user' }] });
    const problem = await get('/claude-metrics/snapshot?rnage=1h').set(bearer);
    expect([problem.status, problem.type]).toEqual([400, 'application/problem+json']);
    expect((await get('/claude-metricsx')).text).toBe('mine');
    expect((await get('/')).text).toBe('home');
  });

  it('answers HEAD like GET, without the body, and other methods with 405', async () => {
    app.use(claudeMonitor({ monitor, authorize: () => true }));
    const found = await get('/claude-metrics/openapi.json');
    const head = await request(app.callback()).head('/claude-metrics/openapi.json');
    const constant = (headers: object) => ({ ...headers, date: '' });
    expect([head.status, head.text]).toEqual([200, undefined]);
    expect(constant(head.headers)).toEqual(constant(found.headers));
    expect(Number(head.headers['content-length'])).toBe(Buffer.byteLength(found.text));
    const put = await request(app.callback()).put('/claude-metrics/snapshot');
    expect([put.status, put.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('is an answer like any other to the middleware around it', async () => {
    const seen: unknown[] = [];
    app.use(async (ctx, next) => {
      ctx.cookies.set('session', 'theirs');
      ctx.set('x-request-id', '7');
      await next();
      seen.push(ctx.status, ctx.type, typeof ctx.body, ctx.length === Buffer.byteLength(ctx.body));
      ctx.set('content-encoding', 'gzip');
      ctx.body = gzipSync(ctx.body as string);
    });
    app.use(claudeMonitor({ monitor, authToken: TOKEN }));
    const { status, headers, body } = await get('/claude-metrics/snapshot').set(bearer);
    expect([status, headers['x-request-id']]).toEqual([200, '7']);
    expect(body).toMatchObject({ totals: { calls: 1 } });
    expect(seen).toEqual([200, 'application/json', 'string', true]);
    const opened = await get(`/claude-metrics/?token=${TOKEN}`);
    expect(opened.headers['set-cookie']).toEqual([
      expect.stringMatching(/^session=theirs/),
      expect.stringMatching(/^claude-metrics-\d+=/),
    ]);
  });

  it('without a decision in production returns data to nobody, however the address is spelt', async () => {
    process.env['NODE_ENV'] = 'production';
    app.use(claudeMonitor({ monitor }));
    const hand = claudeMonitor({ monitor, path: false });
    app.use(mount('/by/hand', hand.handler)).use(mount('/by/slash/', hand.handler));
    app.use(mount('/sub', claudeMonitor({ monitor })));
    const { port } = await start();
    const below = ['', '/', '/snapshot', '/calls', '/openapi.json', '/snapshot?range=1h'];
    const odd = [
      '?token=x',
      '//snapshot',
      '/%73napshot',
      '%2fsnapshot',
      '/./snapshot',
      '\\snapshot',
    ];
    const more = ['/snapshot#x', '/snapshot%00', ';a=b/snapshot', '/x/..%2fsnapshot', '/__proto__'];
    const mounts = ['/claude-metrics', '/by/hand', '/by/slash', '/sub/claude-metrics'];
    const targets = [
      ...mounts.flatMap((path) => [...below, ...odd, ...more].map((rest) => `${path}${rest}`)),
      ...['//claude-metrics/snapshot', '/%63laude-metrics/snapshot', '/CLAUDE-METRICS/snapshot'],
      ...['/x/../claude-metrics/snapshot', 'http://127.0.0.1/claude-metrics/snapshot'],
      ...['http://127.0.0.1/by/hand/snapshot', '/by%2fhand/snapshot', '/by/hand#/snapshot'],
    ];
    const variants = [
      ['GET'],
      ['HEAD'],
      ['POST', 'Content-Length: 0', 'X-HTTP-Method-Override: GET'],
      ['GET', 'X-Forwarded-For: 127.0.0.1', 'X-Original-URL: /claude-metrics/snapshot'],
      ['GET', 'Authorization: Bearer x', 'Cookie: claude-metrics=1.1', 'Host: localhost'],
    ] as const;
    let tried = 0;
    for (const target of targets) {
      const answers = await Promise.all(
        variants.map(([method, ...headers]) => raw(port, method, target, headers)),
      );
      for (const { status, text } of answers) {
        tried += 1;
        expect([target, [400, 404].includes(status)]).toEqual([target, true]);
        expect(text).not.toMatch(DATA);
      }
    }
    expect(tried).toBeGreaterThanOrEqual(300);
    expect(said.length).toBeGreaterThan(0);
    for (const line of said) expect(line).toContain('CLAUDE_METRICS_AUTH_TOKEN');
  });

  it('opens in a browser’s three steps, also below koa-mount: token, slash, cookie', async () => {
    process.env['NODE_ENV'] = 'development';
    app.use(mount('/inner', claudeMonitor({ monitor })));
    const { origin } = await start();
    const visit = (url: string | URL, cookie = '') =>
      fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    const base = `${origin}/inner/claude-metrics`;

    expect((await visit(`${base}/`)).status).toBe(401);
    const [, token = ''] = /\?token=([\w-]+)/.exec(said[1] ?? '') ?? [];
    expect(said[1]).toBe(`Dashboard: open ${base}/?token=${token}`);

    const first = await visit(`${base}?token=${token}&range=1h`);
    expect(first.status).toBe(307);
    const second = await visit(new URL(first.headers.get('location') ?? '', first.url));
    expect(second.status).toBe(303);
    const cookie = second.headers.get('set-cookie')?.split(';')[0] ?? '';
    const third = await visit(new URL(second.headers.get('location') ?? '', second.url), cookie);
    expect([third.status, third.url]).toEqual([200, `${base}/?range=1h`]);
    const hrefs = [...(await third.text()).matchAll(/href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );
    expect(hrefs.length).toBeGreaterThan(8);
    for (const href of hrefs) {
      const target = await visit(new URL(href, third.url), cookie);
      expect([href, target.status]).toEqual([href, 200]);
      expect(target.url.startsWith(`${base}/`)).toBe(true);
    }
  });

  it('marks the cookie Secure exactly when the application knows the connection is', async () => {
    for (const proxy of [false, true]) {
      app = new Koa({ proxy });
      app.use(claudeMonitor({ monitor, authToken: TOKEN }));
      const { headers } = await get(`/claude-metrics/?token=${TOKEN}`).set(
        'x-forwarded-proto',
        'https',
      );
      expect([proxy, String(headers['set-cookie']).endsWith('; Secure')]).toEqual([proxy, proxy]);
    }
  });

  it.each(['/admin/claude', '/admin/claude/'])('can be mounted by hand at %s', async (at) => {
    const { handler } = claudeMonitor({ monitor, path: false, authorize: () => true });
    app.use(mount(at, handler));
    expect((await get('/admin/claude/')).text).toContain('canary-model');
    const snapshot = await get('/admin/claude/snapshot?range=1h');
    expect(snapshot.body).toMatchObject({ totals: { calls: 1 } });
    expect((await get('/admin/claude/nothing')).status).toBe(404);
    expect((await get('/claude-metrics/')).status).toBe(404);
  });

  it('mounted by hand sends the address without a slash on, relative to where it is', async () => {
    const { handler } = claudeMonitor({ monitor, path: false, authorize: () => true });
    app.use(mount('/admin', mount('/claude', handler)));
    const { status, headers } = await get('/admin/claude?range=1h');
    expect([status, headers['location']]).toEqual([307, 'claude/?range=1h']);
  });

  it('asks authorize with Koa’s own context, which sees what ran before', async () => {
    let context: unknown;
    app.use((ctx, next) => {
      context = ctx;
      ctx.state['user'] = { id: 1, admin: ctx.get('x-admin') === 'yes' };
      return next();
    });
    const asked: boolean[] = [];
    app.use(
      claudeMonitor({
        monitor,
        authorize(ctx) {
          asked.push((ctx as unknown) === context);
          return ctx.state.user?.['admin'] === true;
        },
      }),
    );
    expect((await get('/claude-metrics/')).status).toBe(403);
    expect((await get('/claude-metrics/').set('x-admin', 'yes')).status).toBe(200);
    expect(asked).toEqual([true, true]);
  });
});
