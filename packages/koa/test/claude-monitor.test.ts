import Router from '@koa/router';
import { createMonitor, defaultMonitor, type Monitor } from '@claude-metrics/core';
import type Koa from 'koa';
import { koaBody } from 'koa-body';
import mount from 'koa-mount';
import request from 'supertest';
import { bindContext, claudeMonitor, trackFeature, withContext } from '../src/index.js';
import { versions } from './koa.js';

const MODEL = 'claude-sonnet-5';

/** Stands for a Claude call: recorded with the context of the moment. */
function call(monitor: Monitor): { userId: string | null; feature: string | null } {
  const { userId, feature } = monitor.record({ model: MODEL, usage: { input_tokens: 1 } });
  return { userId, feature };
}

describe.each(versions)('claudeMonitor on $name', ({ Koa }) => {
  let monitor: Monitor;
  let app: Koa;

  beforeEach(() => {
    monitor = createMonitor({ log: false });
    app = new Koa();
  });
  afterEach(() => monitor.close());

  const get = (path: string) => request(app.callback()).get(path);
  const answer = (ctx: Koa.Context) => void (ctx.body = call(monitor));

  /** Authentication, as applications do it: after us, and it takes a while. */
  const authenticate =
    (user: unknown): Koa.Middleware =>
    async (ctx, next) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      ctx.state['user'] = user;
      await next();
    };

  it.each([
    [{ id: 42, sub: 'auth0|7' }, '42'],
    [{ id: 0 }, '0'],
    [{ sub: 'auth0|7' }, 'auth0|7'],
    [{ name: 'Ada' }, null],
    [undefined, null],
  ])('takes from the user %j the name %j', async (user, userId) => {
    const router = new Router();
    router.post('/chat/:room', answer);
    app.use(claudeMonitor({ monitor })).use(authenticate(user)).use(router.routes());
    const { body } = await request(app.callback()).post('/chat/secret-room?token=x');
    expect(body).toEqual({ userId, feature: 'POST /chat/:room' });
  });

  it('puts all that no route answered into one bucket', async () => {
    app.use(claudeMonitor({ monitor })).use(answer);
    for (const path of ['/wp-login.php', '/a/b/c']) {
      expect((await get(path)).body).toEqual({ userId: null, feature: null });
    }
  });

  it('attributes what happens after await, in timers, in Promise.all and after koa-body', async () => {
    const router = new Router();
    router.post('/work', async (ctx) => {
      await Promise.resolve();
      const first = call(monitor);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const both = await Promise.all([1, 2].map(() => Promise.resolve().then(() => call(monitor))));
      const last = await new Promise((resolve) => setImmediate(() => resolve(call(monitor))));
      ctx.body = { sent: ctx.request.body, calls: [first, ...both, last] };
    });
    app.use(claudeMonitor({ monitor, userId: (ctx) => ctx.headers['x-id'] }));
    app.use(koaBody()).use(router.routes());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        request(app.callback()).post('/work').set('x-id', `user-${i}`).send({ i }),
      ),
    );
    answers.forEach(({ body }, i) => {
      const expected = { userId: `user-${i}`, feature: 'POST /work' };
      expect(body).toEqual({ sent: { i }, calls: [expected, expected, expected, expected] });
    });
  });

  it('keeps its context in a raw body listener that is bound', async () => {
    app.use(claudeMonitor({ monitor, userId: () => 'ada' }));
    app.use(async (ctx) => {
      ctx.req.resume();
      ctx.body = await new Promise((resolve) => {
        const bound = bindContext(() => resolve(call(monitor)));
        ctx.req.on('end', bound);
      });
    });
    const { body } = await request(app.callback()).post('/').send('hello');
    expect(body).toMatchObject({ userId: 'ada' });
  });

  it('trusts no header of the client by itself', async () => {
    app.use(claudeMonitor({ monitor })).use(answer);
    const headers = { 'x-user-id': 'root', 'x-feature': 'free', 'x-forwarded-user': 'root' };
    expect((await get('/').set(headers)).body).toEqual({ userId: null, feature: null });
  });

  it('asks functions of your own instead, with Koa’s context, at the moment of the call', async () => {
    app.use(
      claudeMonitor({
        monitor,
        userId: (ctx: Koa.Context) => ctx.state['account'],
        feature: (ctx) => `${ctx.type} ${ctx.path}`,
        sessionId: (ctx) => ctx.get('x-session'),
      }),
    );
    app.use((ctx) => {
      ctx.state['account'] = 'acme';
      ctx.type = 'json';
      const { userId, feature, sessionId } = monitor.record({ model: MODEL });
      ctx.body = [userId, feature, sessionId];
    });
    const { body } = await get('/x').set('x-session', 's1');
    expect(body).toEqual(['acme', 'application/json /x', 's1']);
  });

  it('takes functions written for a state of your own', async () => {
    interface AppState {
      user: { owner: string };
    }
    const owned = new Koa() as Koa<AppState>;
    owned.use(
      claudeMonitor({
        monitor,
        userId: (ctx: Koa.ParameterizedContext<AppState>) => ctx.state.user.owner,
      }),
    );
    owned.use((ctx, next) => {
      ctx.state.user = { owner: 'acme' };
      return next();
    });
    owned.use((ctx) => void (ctx.body = call(monitor)));
    const { body } = await request(owned.callback()).get('/');
    expect(body).toMatchObject({ userId: 'acme' });
  });

  it('explicit wins: trackFeature over the route, withContext over everything', async () => {
    const router = new Router();
    router.get('/a', trackFeature('summarise'), answer);
    router.get('/b', trackFeature('summarise'), (ctx) =>
      withContext({ userId: 'explicit', feature: 'classify' }, () => answer(ctx)),
    );
    const batch = new Router({ prefix: '/batch' });
    batch.use(trackFeature('batch'));
    batch.get('/c', answer);
    app.use(claudeMonitor({ monitor, userId: () => 'lazy' }));
    app.use(router.routes()).use(batch.routes());
    app.use(mount('/d', trackFeature('mounted'))).use(answer);
    const bodies: unknown[] = [];
    for (const path of ['/a', '/b', '/batch/c', '/d', '/e']) bodies.push((await get(path)).body);
    expect(bodies).toEqual([
      { userId: 'lazy', feature: 'summarise' },
      { userId: 'explicit', feature: 'classify' },
      { userId: 'lazy', feature: 'batch' },
      { userId: 'lazy', feature: 'mounted' },
      { userId: 'lazy', feature: null },
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
        feature: (ctx) => (ctx.state as never as { missing: { id: string } }).missing.id,
      }),
    );
    app.use((ctx) => void (ctx.body = call(quiet)));
    const { status, body } = await get('/');
    expect([status, body]).toEqual([200, { userId: null, feature: null }]);
    const faults = Object.keys(quiet.health().faults).sort();
    expect(faults).toEqual(['context.feature', 'context.userId']);
    await quiet.close();
  });

  it('leaves Koa’s objects as they were: no property, no listener, no byte read', async () => {
    const keys = (object: object) => Reflect.ownKeys(object).map(String);
    const lookAt = (ctx: Koa.Context) => ({
      context: keys(ctx),
      state: keys(ctx.state),
      request: keys(ctx.request),
      response: keys(ctx.response),
      headers: ctx.res.getHeaderNames(),
      application: keys(ctx.app),
      prototypes: [app.context, app.request, app.response].map(keys),
      listeners: [...ctx.req.eventNames(), ...ctx.res.eventNames()].map(String),
      flowing: ctx.req.readableFlowing,
    });
    const seen: ReturnType<typeof lookAt>[] = [];
    const look: Koa.Middleware = (ctx, next) => {
      seen.push(lookAt(ctx));
      return next();
    };
    app.use(look).use(claudeMonitor({ monitor })).use(look);
    app.use((ctx) => {
      call(monitor);
      seen.push(lookAt(ctx));
    });
    await request(app.callback()).post('/').send('x').expect(404);
    expect(seen).toHaveLength(3);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[0]?.prototypes).toEqual([[], [], []]);
  });

  it('hands up the very promise that the rest of the application made', async () => {
    const middleware = claudeMonitor({ monitor });
    const named = trackFeature('named');
    const results: unknown[] = [];
    app.use(async (ctx, next) => {
      const inner = next();
      results.push(middleware(ctx, () => inner) === inner, named(ctx, () => inner) === inner);
      results.push(await inner);
    });
    app.use(middleware).use(named);
    app.use((ctx) => {
      ctx.body = {};
      return Promise.resolve('result');
    });
    await get('/').expect(200);
    expect(results).toEqual([true, true, 'result']);
  });

  it('used twice, for one monitor or for two, records each call once', async () => {
    const second = createMonitor({ log: false });
    app.use(claudeMonitor({ monitor, userId: () => 'outer' }));
    app.use(claudeMonitor({ monitor, feature: () => 'inner' }));
    app.use(mount('/second', claudeMonitor({ monitor: second, userId: () => 'second' })));
    app.use((ctx) => void (ctx.body = call(ctx.path === '/first' ? monitor : second)));
    expect((await get('/first')).body).toEqual({ userId: 'outer', feature: 'inner' });
    expect((await get('/second')).body).toMatchObject({ userId: 'second' });
    const counts = await Promise.all([monitor.snapshot(), second.snapshot()]);
    expect(counts.map(({ totals }) => totals.calls)).toEqual([1, 1]);
    await second.close();
  });

  it('lets errors through: Koa’s error event gets the same one, once', async () => {
    const mine = new Error('mine');
    const emitted: unknown[] = [];
    const order: string[] = [];
    app.on('error', (error) => emitted.push(error));
    app.use(async (_ctx, next) => {
      await next().catch((error: unknown) => {
        order.push(error === mine ? 'same error' : 'another');
        throw error;
      });
    });
    app.use(claudeMonitor({ monitor })).use(trackFeature('failing'));
    app.use(async (ctx) => {
      await Promise.resolve();
      if (ctx.path === '/teapot') ctx.throw(418, 'short and stout', { pot: 'tea' });
      throw mine;
    });
    await get('/').expect(500, 'Internal Server Error');
    expect([emitted, order]).toEqual([[mine], ['same error']]);
    await get('/teapot').expect(418, 'short and stout');
    expect(emitted).toHaveLength(2);
    expect(emitted[1]).toMatchObject({ status: 418, expose: true, pot: 'tea' });
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
    [{ path: '/claude/' }, /options\.path must be/],
    [{ path: true }, /options\.path must be .*, got true/],
    [{ userId: 'ada' }, /options\.userId must be a function, got "ada"/],
    [{ authorize: true }, /options\.authorize must be a function/],
    [{ authToken: 'short' }, /authToken: must be at least 32/],
    [{ monitor: {} }, /options\.monitor must be an object with withContext\(\)/],
    [{ monitor, log: false }, /options\.log would be ignored, because options\.monitor is given/],
    [{ monitor, authorize: () => true, authToken: 'x'.repeat(32) }, /Pass one of the two/],
    [null, /options must be an object/],
  ])('%j throws at start', (options, message) => {
    const given = options as never;
    expect(() => claudeMonitor(given)).toThrow(TypeError);
    expect(() => claudeMonitor(given)).toThrow(message);
  });

  it.each([[''], ['  '], [undefined], [7]])('trackFeature(%j) throws at start', (feature) => {
    expect(() => trackFeature(feature as string)).toThrow(
      /trackFeature: the name must be a string/,
    );
  });
});
