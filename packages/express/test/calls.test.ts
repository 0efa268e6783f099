import Anthropic from '@anthropic-ai/sdk';
import {
  createMonitor,
  defaultMonitor,
  type CallRecord,
  type Snapshot,
} from '@claude-metrics/core';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import type { Request, Response } from 'express';
import request from 'supertest';
import { claudeMonitor, trackFeature } from '../src/index.js';
import { versions } from './express.js';

/** Real calls of the real SDK, made where applications make them. */
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

const ask = () => client.messages.create(QUESTION);
const stream = async () => {
  for await (const _ of await client.messages.create({ ...QUESTION, stream: true }));
};
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

const PLACES: [string, () => Promise<unknown>][] = [
  ['after await', () => pause().then(ask)],
  ['in a timer', () => new Promise((resolve) => setTimeout(() => resolve(ask()), 1))],
  ['in a stream', stream],
  [
    'while a stream is read',
    async () => {
      for await (const event of await client.messages.create({ ...QUESTION, stream: true })) {
        if (event.type === 'message_start') await ask();
      }
    },
  ],
  ['in Promise.all', () => Promise.all([ask(), stream(), ask()])],
  [
    'in a helper’s event',
    () =>
      new Promise((resolve) => {
        client.messages.stream(QUESTION).once('text', () => resolve(ask()));
      }),
  ],
  [
    'that nobody waits for',
    async () => {
      void ask().catch(() => {});
      await pause();
    },
  ],
];

describe.each(versions)('calls on $name', ({ express }) => {
  it.each(PLACES)('made %s belong to their request', async (_, work) => {
    const monitor = createMonitor({ log: false });
    const records: CallRecord[] = [];
    monitor.on({ name: 'test', record: (call) => void records.push(call) });
    monitor.observe(client);
    const app = express();
    app.use(claudeMonitor({ monitor }));
    app.use(express.json());
    app.use((req: Request, _res: Response, next: () => void) => {
      setTimeout(() => {
        Object.assign(req, { user: { id: (req.body as { user: string }).user } });
        next();
      }, 1);
    });
    app.post('/work/:id', (_req, res, next) => {
      work().then(() => res.json({}), next);
    });
    app.post('/named', trackFeature('named'), (_req, res, next) => {
      work().then(() => res.json({}), next);
    });
    await Promise.all(
      ['ada', 'grace', 'alan'].flatMap((user) => [
        request(app).post(`/work/${user}`).send({ user }).expect(200),
        request(app).post('/named').send({ user }).expect(200),
      ]),
    );
    await simulator.idle();
    while (monitor.health().ok && records.length < simulator.requests.length) await pause();
    const pairs = records.map(({ userId, feature }) => `${userId}: ${feature}`).sort();
    const expected = ['ada', 'alan', 'grace'].flatMap((user) => [
      `${user}: POST /work/:id`,
      `${user}: named`,
    ]);
    expect([...new Set(pairs)]).toEqual(expected);
    for (const pair of expected) {
      expect(pairs.filter((each) => each === pair)).toHaveLength(records.length / 6);
    }
    await monitor.close();
  });

  it('need one line: a client of the application’s own is observed, and the mount shows it', async () => {
    const app = express();
    app.use(claudeMonitor({ log: false, authorize: () => true }));
    app.get('/hello', (_req, res, next) => {
      void ask().then((message) => res.json(message.content), next);
    });
    await request(app).get('/hello').expect(200);
    const { body } = (await request(app).get('/claude-metrics/snapshot')) as { body: Snapshot };
    expect(body.totals).toMatchObject({ calls: 1, retries: 0, errors: {} });
    expect(body.byFeature.map(({ key }) => key)).toEqual(['GET /hello']);
    expect(body.coverage.unobserved).toBe(0);
    await defaultMonitor().close();
  });
});
