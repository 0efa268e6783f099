import { createMonitor, defaultMonitor, type Monitor } from '@claude-metrics/core';
import type { Application, Request } from 'express';
import request from 'supertest';
import { bindContext, claudeMonitor, trackFeature, withContext } from '../src/index.js';
import { versions } from './express.js';

const MODEL = 'claude-sonnet-5';

/** Stands for a Claude call: recorded with the context of the moment. */
function call(monitor: Monitor): { userId: string | null; feature: string | null } {
  const { userId, feature } = monitor.record({ model: MODEL, usage: { input_tokens: 1 } });
  return { userId, feature };
}

describe.each(versions)('claudeMonitor on $name', ({ name, express, resolved }) => {
  let monitor: Monitor;
  let app: Application;

  beforeEach(() => {
    monitor = createMonitor({ log: false });
    app = express();
  });
  afterEach(() => monitor.close());

  /** Authentication, as applications do it: after us, and it takes a while. */
  const authenticate = (user: object) => (req: Request, _res: unknown, next: () => void) => {
    setTimeout(() => {
      Object.assign(req, { user });
      next();
    }, 1);
  };

  it('really runs on the version that it names', () => {
    const expected = { express: /^5\./, 'express-4': /^4\.22\./, 'express-4.18': /^4\.18\./ };
    expect(resolved).toMatch(expected[name as keyof typeof expected]);
  });

  it('attributes calls to the user that authentication finds later, and to the route', async () => {
    app.use(claudeMonitor({ monitor }));
    app.use(authenticate({ id: 42 }));
    app.post('/chat/:room', (_req, res) => void res.json(call(monitor)));
    const { body } = await request(app).post('/chat/secret-room?token=x');
    expect(body).toEqual({ userId: '42', feature: 'POST /chat/:room' });
  });

  it('takes the subject of a token for want of an id', async () => {
    app.use(claudeMonitor({ monitor }), authenticate({ sub: 'auth0|7' }));
    app.get('/', (_req, res) => void res.json(call(monitor)));
    expect((await request(app).get('/')).body).toEqual({ userId: 'auth0|7', feature: 'GET /' });
  });

  it('attributes what happens after await, in timers, in Promise.all and after express.json()', async () => {
    app.use(claudeMonitor({ monitor, userId: (req) => req.headers['x-id'] }));
    app.use(express.json());
    app.post('/work', async (req, res, next) => {
      try {
        await Promise.resolve();
        const first = call(monitor);
        await new Promise((resolve) => setTimeout(resolve, 1));
        const both = await Promise.all(
          [1, 2].map(() => Promise.resolve().then(() => call(monitor))),
        );
        setImmediate(() =>
          res.json({ sent: req.body as unknown, calls: [first, ...both, call(monitor)] }),
        );
      } catch (error) {
        next(error);
      }
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        request(app).post('/work').set('x-id', `user-${i}`).send({ i }),
      ),
    );
    answers.forEach(({ body }, i) => {
      const expected = { userId: `user-${i}`, feature: 'POST /work' };
      expect(body).toEqual({ sent: { i }, calls: [expected, expected, expected, expected] });
    });
  });

  it('keeps its context in a raw body listener that is bound', async () => {
    app.use(claudeMonitor({ monitor, userId: () => 'ada' }));
    app.post('/raw', (req, res) => {
      req.resume();
      req.on(
        'end',
        bindContext(() => void res.json(call(monitor))),
      );
    });
    const { body } = await request(app).post('/raw').send('hello');
    expect(body).toEqual({ userId: 'ada', feature: 'POST /raw' });
  });

  it('trusts no header of the client by itself', async () => {
    app.use(claudeMonitor({ monitor }));
    app.get('/', (_req, res) => void res.json(call(monitor)));
    const headers = { 'x-user-id': 'root', 'x-feature': 'free', 'x-forwarded-user': 'root' };
    const { body } = await request(app).get('/').set(headers);
    expect(body).toEqual({ userId: null, feature: 'GET /' });
  });

  it('asks functions of your own instead, at the moment of the call', async () => {
    app.use(
      claudeMonitor({
        monitor,
        userId: (req: Request & { account?: string }) =>
          Promise.resolve(req.account).then((a) => a),
        feature: (req) => `area ${req.path}`,
        sessionId: (req) => req.get('x-session'),
      }),
    );
    app.use((req, _res, next) => {
      Object.assign(req, { account: 'acme' });
      next();
    });
    app.get('/x', (_req, res) => {
      const record = monitor.record({ model: MODEL });
      setImmediate(() => res.json([record.feature, record.sessionId]));
    });
    const { body } = await request(app).get('/x').set('x-session', 's1');
    expect(body).toEqual(['area /x', 's1']);
  });

  it('takes functions written for a request type of your own', async () => {
    interface Account {
      owner: string;
    }
    interface AppRequest extends Request {
      user: Account;
    }
    app.use(claudeMonitor({ monitor, userId: (req: AppRequest) => req.user.owner }));
    app.use(authenticate({ owner: 'acme' }));
    app.get('/', (_req, res) => void res.json(call(monitor)));
    expect((await request(app).get('/')).body).toMatchObject({ userId: 'acme' });
  });

  it('explicit wins: trackFeature over the route, withContext over everything', async () => {
    app.use(claudeMonitor({ monitor, userId: () => 'lazy' }));
    app.get('/a', trackFeature('summarise'), (_req, res) => void res.json(call(monitor)));
    app.get('/b', trackFeature('summarise'), (_req, res) => {
      withContext({ userId: 'explicit', feature: 'classify' }, () => res.json(call(monitor)));
    });
    const bodies = [(await request(app).get('/a')).body, (await request(app).get('/b')).body];
    expect(bodies).toEqual([
      { userId: 'lazy', feature: 'summarise' },
      { userId: 'explicit', feature: 'classify' },
    ]);
  });

  it('counts a function that throws, and the call goes on without that name', async () => {
    const quiet = createMonitor({ log: false, onNotice: () => {}, onError: () => {} });
    app.use(
      claudeMonitor({
        monitor: quiet,
        userId: () => {
          throw new Error('no session');
        },
        feature: (req) => (req as never as { missing: { id: string } }).missing.id,
      }),
    );
    app.get('/', (_req, res) => void res.json(call(quiet)));
    const { status, body } = await request(app).get('/');
    expect([status, body]).toEqual([200, { userId: null, feature: null }]);
    expect(Object.keys(quiet.health().faults).sort()).toEqual([
      'context.feature',
      'context.userId',
    ]);
    await quiet.close();
  });

  it('leaves the request as it was: no property, no listener, no byte read', async () => {
    let before: unknown;
    const look = (req: Request) => ({
      keys: Reflect.ownKeys(req).map(String).sort(),
      prototype: Object.getPrototypeOf(req) === Reflect.get(app, 'request'),
      listeners: req.eventNames().map(String),
      flowing: req.readableFlowing,
    });
    app.use((req, _res, next) => {
      before = look(req);
      next();
    });
    app.use(claudeMonitor({ monitor }));
    app.use((req, res) => void res.json([before, look(req), res.getHeaderNames()]));
    const { body } = (await request(app).post('/').send('x')) as { body: unknown[] };
    // Express itself moves on to the next layer's `next`; that is the same set of names.
    expect(body[1]).toEqual(body[0]);
    expect(body[2]).toEqual(['x-powered-by']);
  });

  it('used twice, for one monitor or for two, records each call once', async () => {
    const second = createMonitor({ log: false });
    app.use(claudeMonitor({ monitor, userId: () => 'outer' }));
    app.use(claudeMonitor({ monitor, feature: () => 'inner' }));
    app.use('/second', claudeMonitor({ monitor: second, userId: () => 'second' }));
    app.get('/first', (_req, res) => void res.json(call(monitor)));
    app.get('/second', (_req, res) => void res.json(call(second)));
    expect((await request(app).get('/first')).body).toEqual({ userId: 'outer', feature: 'inner' });
    expect((await request(app).get('/second')).body).toMatchObject({ userId: 'second' });
    const counts = await Promise.all([monitor.snapshot(), second.snapshot()]);
    expect(counts.map(({ totals }) => totals.calls)).toEqual([1, 1]);
    await second.close();
  });

  it('lets errors of the application through to its own handlers', async () => {
    app.use(claudeMonitor({ monitor }));
    app.get('/', () => {
      throw new Error('mine');
    });
    app.use((error: Error, _req: Request, res: { json(body: unknown): void }, _next: unknown) => {
      res.json({ caught: error.message });
    });
    expect((await request(app).get('/')).body).toEqual({ caught: 'mine' });
  });
});

it('without a monitor shares the default one, however often it is used', async () => {
  const first = claudeMonitor({ log: false, path: false });
  const second = claudeMonitor({ path: false });
  expect(second.monitor).toBe(first.monitor);
  expect(defaultMonitor()).toBe(first.monitor);
  await first.monitor.close();
});

describe('options', () => {
  const monitor = createMonitor({ log: false });
  afterAll(() => monitor.close());

  it.each([
    [{ paht: '/x' }, /claudeMonitor: there is no option "paht"\. Options are: .*path/],
    [{ path: 'claude' }, /options\.path must be a path without a final slash .*, got "claude"/],
    [{ path: '/' }, /options\.path must be/],
    [{ path: '/claude/' }, /options\.path must be/],
    [{ path: '/c/:id' }, /options\.path must be/],
    [{ path: '//x' }, /options\.path must be/],
    [{ path: true }, /options\.path must be .*, got true/],
    [{ userId: 'ada' }, /options\.userId must be a function, got "ada"/],
    [{ authorize: true }, /options\.authorize must be a function/],
    [{ authToken: 'short' }, /authToken: must be at least 32/],
    [{ allowedHosts: 'x' }, /options\.allowedHosts must be an array/],
    [{ monitor: {} }, /options\.monitor must be an object with withContext\(\)/],
    [{ monitor, log: false }, /options\.log would be ignored, because options\.monitor is given/],
    [{ monitor, authorize: () => true, authToken: 'x'.repeat(32) }, /Pass one of the two/],
    [null, /options must be an object/],
  ])('%j throws at start', (options, message) => {
    const given = options as never;
    expect(() => claudeMonitor(given)).toThrow(message);
  });

  it.each([[''], ['  '], [undefined], [7]])('trackFeature(%j) throws at start', (feature) => {
    expect(() => trackFeature(feature as string)).toThrow(
      /trackFeature: the name must be a string/,
    );
  });
});
