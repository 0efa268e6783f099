import { createMonitor, type Monitor } from '@claude-metrics/core';
import type { Application } from 'express';
import request from 'supertest';
import { claudeMonitor } from '../src/index.js';
import { listen, raw, strippingProxy, versions, type Running } from './express.js';

const TOKEN = 'a-token-of-more-than-32-characters';
const DATA = /canary-|claude-metrics\/snapshot@1|"openapi"|Claude usage/i;

describe.each(versions)('the dashboard on $name', ({ express }) => {
  let monitor: Monitor;
  let said: string[];
  let app: Application;
  let running: Running[];
  const nodeEnv = process.env['NODE_ENV'];

  const say = (line: string) => void (/^(?:Dashboard|\/)/.test(line) && said.push(line));

  beforeEach(() => {
    said = [];
    running = [];
    monitor = createMonitor({ log: false, onNotice: say });
    monitor.record({ model: 'canary-model', userId: 'canary-user', usage: { input_tokens: 5 } });
    app = express();
  });
  afterEach(async () => {
    process.env['NODE_ENV'] = nodeEnv;
    await Promise.all([monitor.close(), ...running.map((each) => each.close())]);
  });

  async function start(handler: Application = app): Promise<Running> {
    const server = await listen(handler);
    running.push(server);
    return server;
  }

  it('without a decision in production returns data to none of 300 and more variants', async () => {
    process.env['NODE_ENV'] = 'production';
    app.use(claudeMonitor({ monitor }));
    const { port } = await start();
    const targets = [
      ...['', '/', '/snapshot', '/calls', '/openapi.json', '/snapshot?range=1h', '?token=x'].map(
        (below) => `/claude-metrics${below}`,
      ),
      ...['//claude-metrics/snapshot', '/claude-metrics//snapshot', '///claude-metrics///snapshot'],
      ...['/%63laude-metrics/snapshot', '/claude-metrics/%73napshot', '/claude-metrics%2fsnapshot'],
      ...['/x/%2e%2e/claude-metrics/snapshot', '/x/../claude-metrics/snapshot'],
      ...['/claude-metrics/./snapshot', '/claude-metrics/x/..%2fsnapshot', '/./claude-metrics/'],
      ...['/claude-metrics;a=b/snapshot', '/claude-metrics/snapshot;a=b', '/;/claude-metrics/'],
      ...['/CLAUDE-METRICS/snapshot', '/Claude-Metrics/', '/claude-metrics/SNAPSHOT'],
      ...['/claude-metrics./snapshot', '/claude-metrics/snapshot.', '/claude-metrics/snapshot/'],
      ...[
        '/claude-metrics\\snapshot',
        '/claude-metrics/snapshot%00',
        '/claude-metrics/snapshot%20',
      ],
      ...['/claude-metrics/snapshot#x', 'http://127.0.0.1/claude-metrics/snapshot'],
      ...['/claude-metrics/snapshot?authorize=true', '/claude-metrics/__proto__'],
    ];
    const variants = [
      ['GET'],
      ['HEAD'],
      ['OPTIONS'],
      ['POST', 'Content-Length: 0', 'X-HTTP-Method-Override: GET'],
      ['GET', 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'Forwarded: for=127.0.0.1'],
      ['GET', 'Authorization: Bearer x', 'Cookie: claude-metrics=1.1'],
      ['GET', 'X-Original-URL: /claude-metrics/snapshot', 'X-Rewrite-URL: /claude-metrics/'],
      ['GET', 'Host: localhost', 'Accept: text/html'],
      ['TRACE'],
      ['PROPFIND', 'Content-Length: 0'],
    ] as const;
    let tried = 0;
    for (const target of targets) {
      const answers = await Promise.all(
        variants.map(([method, ...headers]) => raw(port, method, target, headers)),
      );
      for (const { status, head, body } of answers) {
        tried += 1;
        expect([target, status]).toEqual([target, expect.any(Number)]);
        // An OPTIONS that is not ours may be answered by Express itself, with the methods it knows.
        expect([target, [400, 404].includes(status)]).toEqual([target, true]);
        expect(`${head}${body}`).not.toMatch(DATA);
      }
    }
    expect(tried).toBeGreaterThanOrEqual(300);
    expect(said).toEqual([expect.stringContaining('CLAUDE_METRICS_AUTH_TOKEN')]);
  });

  it('no spelling goes past the decision: with a token, only the exact path has data', async () => {
    app.use(claudeMonitor({ monitor, authToken: TOKEN }));
    const { port } = await start();
    const get = (target: string, ...headers: string[]) => raw(port, 'GET', target, headers);
    const open = await get('/claude-metrics/snapshot', `Authorization: Bearer ${TOKEN}`);
    expect(open.body).toMatch(DATA);
    for (const target of [
      '//claude-metrics/snapshot',
      '/claude-metrics//snapshot',
      '/claude-metrics/%73napshot',
    ]) {
      expect((await get(target)).body).not.toMatch(DATA);
      expect((await get(target, `Authorization: Bearer ${TOKEN}`)).status).toBe(404);
    }
  });

  it('opens in a browser’s three steps: address with token, slash, cookie', async () => {
    process.env['NODE_ENV'] = 'development';
    app.use(claudeMonitor({ monitor }));
    const { origin, port } = await start();
    const [, token = ''] = /\?token=([\w-]+)/.exec(said[0] ?? '') ?? [];
    const visit = (url: string | URL, cookie = '') =>
      fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });

    expect((await visit(`${origin}/claude-metrics/`)).status).toBe(401);
    expect(said[1]).toBe(`Dashboard: open ${origin}/claude-metrics/?token=${token}`);

    const first = await visit(`${origin}/claude-metrics?token=${token}&range=1h`);
    expect(first.status).toBe(307);
    const second = await visit(new URL(first.headers.get('location') ?? '', first.url));
    expect(second.status).toBe(303);
    const cookie = second.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(cookie).toMatch(new RegExp(`^claude-metrics-${port}=`));
    const third = await visit(new URL(second.headers.get('location') ?? '', second.url), cookie);
    expect([third.status, third.url]).toEqual([200, `${origin}/claude-metrics/?range=1h`]);
    expect(await third.text()).toContain('canary-model');
  });

  it('refuses a name that could have been rebound', async () => {
    app.use(claudeMonitor({ monitor }));
    const { port } = await start();
    const { status } = await raw(port, 'GET', '/claude-metrics/', ['Host: evil.example']);
    expect(status).toBe(421);
  });

  it('marks the cookie Secure exactly when the application knows the connection is', async () => {
    app.set('trust proxy', true);
    app.use(claudeMonitor({ monitor, authToken: TOKEN }));
    const plain = await request(app).get(`/claude-metrics/?token=${TOKEN}`);
    const secure = await request(app)
      .get(`/claude-metrics/?token=${TOKEN}`)
      .set('x-forwarded-proto', 'https');
    const cookies = [plain, secure].map(({ headers }) => String(headers['set-cookie']));
    expect(cookies.map((cookie) => cookie.endsWith('; Secure'))).toEqual([false, true]);
  });

  it('adds its cookie to those that the application has set', async () => {
    app.use((_req, res, next) => {
      res.cookie('session', 's-1');
      next();
    });
    app.use(claudeMonitor({ monitor, authToken: TOKEN }));
    const { headers } = await request(app).get(`/claude-metrics/?token=${TOKEN}`);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^session=s-1/),
      expect.stringMatching(/^claude-metrics-\d+=/),
    ]);
  });

  it('works behind a proxy that strips a prefix, under a router and under a sub-application', async () => {
    const router = express.Router();
    router.use(claudeMonitor({ monitor, authToken: TOKEN }));
    const sub = express();
    sub.use('/inner', router);
    app.use('/sub', sub);
    const proxy = await strippingProxy('/apps/shop', (await start()).port);
    running.push(proxy);

    const base = `${proxy.origin}/apps/shop/sub/inner/claude-metrics`;
    const open = await fetch(`${base}?token=${TOKEN}`, { redirect: 'manual' });
    const slashed = new URL(open.headers.get('location') ?? '', open.url);
    expect(slashed.href).toBe(`${base}/?token=${TOKEN}`);
    const exchanged = await fetch(slashed, { redirect: 'manual' });
    const setCookie = exchanged.headers.get('set-cookie') ?? '';
    expect(setCookie).not.toMatch(/path|domain/i);
    const cookie = setCookie.split(';')[0] ?? '';
    const page = await fetch(new URL(exchanged.headers.get('location') ?? '', slashed), {
      headers: { cookie },
    });
    expect(page.url).toBe(`${base}/`);
    const hrefs = [...(await page.text()).matchAll(/href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );
    expect(hrefs.length).toBeGreaterThan(8);
    for (const href of hrefs) {
      const target = await fetch(new URL(href, page.url), { headers: { cookie } });
      expect([href, target.status]).toEqual([href, 200]);
      expect(target.url.startsWith(`${base}/`)).toBe(true);
    }
  });

  it('can be mounted by hand, wherever the application likes', async () => {
    const { handler } = claudeMonitor({ monitor, path: false, authorize: () => true });
    app.use('/admin/:section/claude', handler);
    const redirected = await request(app).get('/admin/ops/claude?range=1h');
    expect([redirected.status, redirected.headers['location']]).toEqual([307, 'claude/?range=1h']);
    expect((await request(app).get('/admin/ops/claude/')).text).toContain('canary-model');
    const snapshot = await request(app).get('/admin/ops/claude/snapshot');
    expect(snapshot.body).toMatchObject({ totals: { calls: 1 } });
    expect((await request(app).get('/claude-metrics/')).status).toBe(404);
  });

  it('asks authorize with Express’s own request, which sees what ran before', async () => {
    app.use((req, _res, next) => {
      Object.assign(req, { user: { id: 1, admin: req.get('x-admin') === 'yes' } });
      next();
    });
    app.use(claudeMonitor({ monitor, authorize: (req) => req.user?.['admin'] === true }));
    expect((await request(app).get('/claude-metrics/')).status).toBe(403);
    expect((await request(app).get('/claude-metrics/').set('x-admin', 'yes')).status).toBe(200);
  });

  it('shows hostile names as text, whatever they are', async () => {
    const names = [
      '<script>alert(1)</script>',
      '__proto__',
      '\u202Etxt',
      '\uD800',
      '"><svg onload=x>',
    ];
    for (const userId of names) monitor.record({ model: 'm', feature: userId, userId });
    app.use(claudeMonitor({ monitor, authorize: () => true }));
    const page = await request(app).get('/claude-metrics/');
    expect(page.text).not.toMatch(/<script|<svg onload|\u202E/);
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const { body } = await request(app).get('/claude-metrics/snapshot');
    const keys = (body as { byUser: { key: string }[] }).byUser.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['__proto__', '<script>alert(1)</script>']));
    expect(Object.prototype).not.toHaveProperty('calls');
  });
});
