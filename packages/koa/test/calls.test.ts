import Anthropic from '@anthropic-ai/sdk';
import Router from '@koa/router';
import {
  createMonitor,
  defaultMonitor,
  type CallRecord,
  type Monitor,
  type Snapshot,
} from '@claude-metrics/core';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import type Koa from 'koa';
import mount from 'koa-mount';
import { PassThrough, pipeline, Readable } from 'node:stream';
import request from 'supertest';
import { bindContext, claudeMonitor } from '../src/index.js';
import { versions } from './koa.js';

/** Real calls of the real SDK, where Koa differs from others: it sends the body after the middleware. */
const QUESTION = {
  model: 'claude-sonnet-5-5',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Say hello.' }],
};

let simulator: Simulator;
let client: Anthropic;

beforeAll(async () => {
  simulator = await createSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.reset();
  client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
});

async function* deltasOf(stream: AsyncIterable<Anthropic.MessageStreamEvent>) {
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      yield event.delta.text;
    }
  }
}

/** Two calls, and both are made while the body is read. */
async function* conversation(ask: () => PromiseLike<AsyncIterable<Anthropic.MessageStreamEvent>>) {
  yield* deltasOf(await ask());
  yield* deltasOf(await ask());
}

describe.each(versions)('calls on $name', ({ Koa }) => {
  let monitor: Monitor;
  let records: CallRecord[];
  beforeEach(() => {
    monitor = createMonitor({ log: false });
    records = [];
    monitor.on({ name: 'test', record: (call) => void records.push(call) });
    monitor.observe(client);
  });
  afterEach(() => monitor.close());

  const ask = () => client.messages.create({ ...QUESTION, stream: true });
  const bodies: Record<string, (ctx: Koa.Context) => void> = {
    'a stream of a call that the handler made': (ctx) => {
      ctx.body = Readable.from(deltasOf(client.messages.stream(QUESTION)));
    },
    'a generator with a bound function to call with': (ctx) => {
      ctx.body = Readable.from(conversation(bindContext(ask)));
    },
    'a pipeline that the handler started': (ctx) => {
      ctx.body = pipeline(conversation(ask), new PassThrough(), () => {});
    },
    'a generator that Koa starts': (ctx) => {
      ctx.body = Readable.from(conversation(ask));
    },
  };

  /** Names of the calls of one request to `POST /api/chat/:room`, which sends such a body. */
  async function namesFor(body: string): Promise<string[]> {
    const app = new Koa();
    app.use(claudeMonitor({ monitor }));
    app.use(async (ctx, next) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      ctx.state['user'] = { id: 'ada' };
      await next();
    });
    const router = new Router();
    router.post('/chat/:room', (ctx) => {
      ctx.type = 'text';
      bodies[body]?.(ctx);
    });
    app.use(mount('/api', router.routes() as Koa.Middleware));
    const { status, text } = await request(app.callback()).post('/api/chat/7');
    expect([status, text.length > 0]).toEqual([200, true]);
    await simulator.idle();
    return records.map(({ userId, feature }) => `${userId}: ${feature}`);
  }

  const named = 'ada: POST /api/chat/:room';
  it.each([
    ['a stream of a call that the handler made', [named]],
    ['a generator with a bound function to call with', [named, named]],
    ['a pipeline that the handler started', [named, named]],
    // As docs/koa.md says: whoever reads a generator runs it, and here that is Koa itself.
    ['a generator that Koa starts', ['null: null', 'null: null']],
  ])('whose body is %s are named %j', async (body, names) => {
    expect(await namesFor(body)).toEqual(names);
  });

  it('need one line: a client of the application’s own is observed, and the mount shows it', async () => {
    const app = new Koa();
    app.use(claudeMonitor({ log: false, authorize: () => true }));
    const router = new Router();
    router.get('/hello', async (ctx) => {
      const own = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
      ctx.body = (await own.messages.create(QUESTION)).content;
    });
    app.use(router.routes());
    await request(app.callback()).get('/hello').expect(200);
    const answer = await request(app.callback()).get('/claude-metrics/snapshot');
    const snapshot = answer.body as Snapshot;
    expect(snapshot.totals).toMatchObject({ calls: 1, retries: 0, errors: {} });
    expect(snapshot.byFeature.map(({ key }) => key)).toEqual(['GET /hello']);
    expect(snapshot.coverage.unobserved).toBe(0);
    await defaultMonitor().close();
  });
});
