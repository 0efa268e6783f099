import { createMonitor, defaultMonitor, type Monitor } from '@claude-metrics/core';
import type { Application, Request } from 'express';
import request from 'supertest';
import { bindContext, claudeMonitor, trackFeature } from '../src/index.js';
import { versions } from './express.js';

const MODEL = 'claude-sonnet-5';

/** Stands for a Claude call: recorded with the context of the moment. */
function call(monitor: Monitor): { userId: string | null; feature: string | null } {
  const { userId, feature } = monitor.record({ model: MODEL, usage: { input_tokens: 1 } });
  return { userId, feature };
}

// What every adapter does is tested in contract.test.ts; this is Express's alone.
describe.each(versions)('claudeMonitor on $name', ({ express }) => {
  let monitor: Monitor;
  let app: Application;

  beforeEach(() => {
    monitor = createMonitor({ log: false });
    app = express();
  });
  afterEach(() => monitor.close());

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

  it('takes functions written for a request type of your own', async () => {
    interface Account {
      owner: string;
    }
    interface AppRequest extends Request {
      user: Account;
    }
    app.use(claudeMonitor({ monitor, userId: (req: AppRequest) => req.user.owner }));
    app.use((req, _res, next) => {
      Object.assign(req, { user: { owner: 'acme' } });
      next();
    });
    app.get('/', (_req, res) => void res.json(call(monitor)));
    expect((await request(app).get('/')).body).toMatchObject({ userId: 'acme' });
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

  it('lets errors of the application through to its own handlers', async () => {
    app.use(claudeMonitor({ monitor }));
    const mine = new Error('mine');
    app.get('/', () => {
      throw mine;
    });
    app.use((error: Error, _req: Request, res: { json(body: unknown): void }, _next: unknown) => {
      res.json({ caught: error === mine });
    });
    expect((await request(app).get('/')).body).toEqual({ caught: true });
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
