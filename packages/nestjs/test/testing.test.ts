import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { Controller, Get, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  ClaudeMetricsModule,
  CLAUDE_MONITOR,
  InjectAnthropic,
  TrackFeature,
} from '../src/index.js';
import { ClaudeMetricsTesting, ClaudeMetricsTestingModule } from '../src/testing.js';

/** The module for tests, as a test of an application uses it. */
@Controller()
class HelloController {
  constructor(@InjectAnthropic() readonly client: Anthropic) {}

  @Get('hello')
  @TrackFeature('hello')
  async hello(): Promise<object> {
    const { content } = await this.client.messages.create({
      model: 'claude-sonnet-5-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi.' }],
    });
    return content;
  }
}

const metrics = ClaudeMetricsModule.forRoot();

@Module({ imports: [metrics], controllers: [HelloController] })
class AppModule {}

let simulator: Simulator;
beforeAll(async () => {
  simulator = await createSimulator();
});
afterAll(() => simulator.close());

const now = new Date('2026-11-02T10:00:00Z');

async function start(options: object) {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideModule(metrics)
    .useModule(
      ClaudeMetricsTestingModule.forRoot({
        anthropic: { apiKey: 'sk-ant-test', baseURL: simulator.url },
        now,
        ...options,
      }),
    )
    .compile();
  const app = module.createNestApplication({ logger: false });
  await app.init();
  const agent = request(app.getHttpServer() as Parameters<typeof request>[0]);
  return { app, agent, testing: app.get(ClaudeMetricsTesting) };
}

describe('ClaudeMetricsTestingModule', () => {
  it('takes the place of the module and lists the calls, at a time that stands still', async () => {
    const lines = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { app, agent, testing } = await start({});
    await agent.get('/hello').expect(200);
    testing.clock.advance(3_600_000);
    await agent.get('/hello').expect(200);
    const written = lines.mock.calls.map(([text]) => String(text)).join('');
    lines.mockRestore();
    expect(written).not.toContain('claude-sonnet');
    expect(testing.records.map(({ feature, at }) => [feature, new Date(at).getTime()])).toEqual([
      ['hello', now.getTime()],
      ['hello', now.getTime() + 3_600_000],
    ]);
    expect(app.get(CLAUDE_MONITOR)).toBe(testing.monitor);
    expect((await testing.monitor.snapshot({ rangeMs: 7_200_000 })).totals.calls).toBe(2);
    await app.close();
  });

  it('has no dashboard, unless it is asked for', async () => {
    const closed = await start({});
    expect((await closed.agent.get('/claude-metrics/')).status).toBe(404);
    await closed.app.close();
    const open = await start({ path: '/claude-metrics', authorize: () => true });
    expect((await open.agent.get('/claude-metrics/')).status).toBe(200);
    await open.app.close();
  });

  it('observes no client on its own', async () => {
    const { app, testing } = await start({});
    const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
    await client.messages.create({
      model: 'claude-sonnet-5-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi.' }],
    });
    expect(testing.records).toEqual([]);
    await app.close();
  });

  it('is new for every application, and ends with it', async () => {
    const module = ClaudeMetricsTestingModule.forRoot();
    const apps = await Promise.all(
      [1, 2].map(() => Test.createTestingModule({ imports: [module] }).compile()),
    );
    const [one, two] = apps.map((app) => app.get(ClaudeMetricsTesting));
    expect(one?.monitor).not.toBe(two?.monitor);
    const close = jest.spyOn(one?.monitor as never, 'close');
    await Promise.all(apps.map((app) => app.close()));
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('takes the names of requests and the options of a monitor', async () => {
    const sink = { name: 'mine', record: jest.fn() };
    const { app, agent } = await start({ userId: () => 'ada', sinks: [sink] });
    await agent.get('/hello').expect(200);
    expect(sink.record).toHaveBeenCalledWith(expect.objectContaining({ userId: 'ada' }));
    await app.close();
  });

  it('refuses what cannot be right', async () => {
    expect(() => ClaudeMetricsTestingModule.forRoot({ path: 'x' })).toThrow(
      '[claude-metrics] ClaudeMetricsTestingModule.forRoot: options.path must be',
    );
    await expect(start({ storee: {} })).rejects.toThrow('there is no option "storee"');
    await expect(start({ feature: 'x' })).rejects.toThrow('options.feature must be a function');
    await expect(start({ now: 'x' })).rejects.toThrow('options.now must be a Date');
    const { app, testing } = await start({});
    expect(() => testing.clock.advance(-1)).toThrow('clock.advance: time goes forward, got -1');
    await app.close();
  });
});
