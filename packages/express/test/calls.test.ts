import Anthropic from '@anthropic-ai/sdk';
import { defaultMonitor, type Snapshot } from '@claude-metrics/core';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import request from 'supertest';
import { claudeMonitor } from '../src/index.js';
import { versions } from './express.js';

/** The one line of the quick start. Where else calls are made is in contract.test.ts. */
let simulator: Simulator;
beforeAll(async () => {
  simulator = await createSimulator();
});
afterAll(() => simulator.close());

it.each(versions)(
  'on $name one line is enough: a client of the application’s own is observed, and the mount shows it',
  async ({ express }) => {
    const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
    const app = express();
    app.use(claudeMonitor({ log: false, authorize: () => true }));
    const messages = [{ role: 'user' as const, content: 'Say hello.' }];
    const ask = () =>
      client.messages.create({ model: 'claude-sonnet-5-5', max_tokens: 64, messages });
    app.get('/hello', (_req, res, next) => {
      void ask().then((message) => res.json(message.content), next);
    });
    await request(app).get('/hello').expect(200);
    const { body } = (await request(app).get('/claude-metrics/snapshot')) as { body: Snapshot };
    expect(body.totals).toMatchObject({ calls: 1, retries: 0, errors: {} });
    expect(body.byFeature.map(({ key }) => key)).toEqual(['GET /hello']);
    expect(body.coverage.unobserved).toBe(0);
    await defaultMonitor().close();
  },
);
