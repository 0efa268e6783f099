import Anthropic from '@anthropic-ai/sdk';
import { createMonitor, defaultMonitor, type Monitor } from '@claude-metrics/core';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { Controller, Get, Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  bindContext,
  CLAUDE_CLIENT,
  CLAUDE_MONITOR,
  ClaudeMetricsModule,
  InjectAnthropic,
  InjectMonitor,
  setContext,
  TrackFeature,
  withContext,
  type ClaudeMetricsOptionsFactory,
  type FastifyRequest,
} from '../src/index.js';
import { listen, platforms } from './nest.js';

/** Options, injection and shutdown. */
const QUIET = { log: false, instrument: false };

@Injectable()
class Asking {
  constructor(@InjectAnthropic() readonly client: Anthropic) {}
}

@Injectable()
class Watching {
  constructor(@InjectMonitor() readonly monitor: Monitor) {}
}

/** The application, and the way to end it. */
async function appOf(...imports: unknown[]) {
  return withProviders([], ...imports);
}

async function withProviders(providers: unknown[], ...imports: unknown[]) {
  const module = await Test.createTestingModule({
    imports: imports as DynamicModule[],
    providers: providers as [],
  })
    .setLogger(false as never)
    .compile();
  module.enableShutdownHooks([]);
  return module;
}

describe('options that cannot be right', () => {
  const { forRoot } = ClaudeMetricsModule;
  const wrong = 'ClaudeMetricsModule.forRoot: options';

  it('are a TypeError of forRoot() where the routes need them', () => {
    expect(() => forRoot({ path: '/x/' })).toThrow(
      `[claude-metrics] ${wrong}.path must be a path without a final slash ('/claude-metrics'), ` +
        'or false for no dashboard, got "/x/".',
    );
    expect(() => forRoot({ path: true as never })).toThrow(TypeError);
    expect(() => forRoot({ anthropic: 'key' as never })).toThrow(`${wrong}.anthropic must be`);
    expect(() => forRoot({ isGlobal: 1 as never })).toThrow(`${wrong}.isGlobal must be`);
    expect(() => forRoot(null as never)).toThrow(`${wrong} must be an object, got null`);
  });

  it.each([
    [{ feature: 'chat' }, 'options.feature must be a function, got "chat"'],
    [{ userId: 42 }, 'options.userId must be a function, got 42'],
    [{ sessionId: {} }, 'options.sessionId must be a function, got an object'],
    [{ authorize: true }, 'options.authorize must be a function, got true'],
    [{ storee: {} }, 'there is no option "storee"'],
    [{ log: 'yes' }, 'options.log must be'],
    [{ monitor: createMonitor(QUIET), log: false }, 'options.log would be ignored'],
  ])('are a TypeError at start: %j', async (options, message) => {
    const started = appOf(forRoot(options as never));
    await expect(started).rejects.toThrow(TypeError);
    await expect(started).rejects.toThrow(
      `[claude-metrics] ClaudeMetricsModule.forRoot: ${message}`,
    );
  });

  it('stop the application that NestFactory makes', async () => {
    const [platform] = platforms;
    const started = platform?.create(forRoot({ log: 'yes' as never }));
    await expect(started).rejects.toThrow(`${wrong}.log must be`);
  });

  it('are a TypeError of forRootAsync() when the factory is unclear', () => {
    const where = '[claude-metrics] ClaudeMetricsModule.forRootAsync: ';
    const asynchronously = (options: object) => () => ClaudeMetricsModule.forRootAsync(options);
    expect(asynchronously({})).toThrow(`${where}options must have one of useFactory`);
    expect(asynchronously({ useFactory: () => ({}), useExisting: 'x' })).toThrow(
      'got useFactory and useExisting',
    );
    expect(asynchronously({ useFactory: {} })).toThrow('options.useFactory must be a function');
    expect(asynchronously({ useFactory: () => ({}), log: false })).toThrow('no option "log"');
    expect(asynchronously({ useFactory: () => ({}), path: 'x' })).toThrow('options.path must be');
  });

  it.each([
    [{ path: '/x' }, 'options.path must be given beside the factory'],
    [{ log: 1 }, 'options.log must be'],
    [undefined, 'the factory must give options, got nothing'],
    ['text', 'options must be an object, got "text"'],
  ])('are a TypeError when the factory gives them: %j', async (given, message) => {
    const useFactory = async () => given as never;
    const started = appOf(ClaudeMetricsModule.forRootAsync({ useFactory }));
    await expect(started).rejects.toThrow(TypeError);
    await expect(started).rejects.toThrow(`ClaudeMetricsModule.forRootAsync: ${message}`);
  });
});

describe('forRootAsync()', () => {
  const monitor = createMonitor(QUIET);
  afterAll(() => monitor.close());

  @Injectable()
  class Settings implements ClaudeMetricsOptionsFactory<FastifyRequest> {
    createClaudeMetricsOptions() {
      return Promise.resolve({ monitor, userId: (req: FastifyRequest) => req.raw.url });
    }
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  it.each([
    ['useFactory', { useFactory: (settings: Settings) => settings.createClaudeMetricsOptions() }],
    ['useClass', { useClass: Settings }],
    ['useExisting', { useExisting: Settings }],
  ])('takes its options from %s', async (name, how) => {
    const app = await appOf(
      ClaudeMetricsModule.forRootAsync({
        ...(name === 'useClass' ? {} : { imports: [SettingsModule] }),
        ...(name === 'useFactory' ? { inject: [Settings] } : {}),
        ...how,
      }),
    );
    expect(app.get(CLAUDE_MONITOR, { strict: false })).toBe(monitor);
    await app.close();
  });

  it('mounts the dashboard at its own `path`', async () => {
    const [platform] = platforms;
    const module = ClaudeMetricsModule.forRootAsync({
      path: '/costs',
      useFactory: () => ({ monitor, authorize: () => true }),
    });
    const running = await listen((await platform?.create(module)) as never);
    expect((await request(running.origin).get('/costs/')).status).toBe(200);
    expect((await request(running.origin).get('/claude-metrics/')).status).toBe(404);
    await running.close();
  });
});

describe('injection', () => {
  const monitor = createMonitor(QUIET);
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await createSimulator();
  });
  afterAll(async () => {
    await monitor.close();
    await simulator.close();
  });
  const anthropic = () => ({ apiKey: 'sk-ant-test', baseURL: simulator.url });
  const ask = (client: Anthropic) =>
    client.messages.create({
      model: 'claude-sonnet-5-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi.' }],
    });

  it('reaches every module, and only importing ones with `isGlobal: false`', async () => {
    @Module({ providers: [Watching], exports: [Watching] })
    class FeatureModule {}
    const app = await appOf(ClaudeMetricsModule.forRoot({ monitor }), FeatureModule);
    expect(app.get(Watching, { strict: false }).monitor).toBe(monitor);
    await app.close();
    const local = ClaudeMetricsModule.forRoot({ monitor, isGlobal: false });
    await expect(appOf(local, FeatureModule)).rejects.toThrow(/Nest can't resolve dependencies/);
  });

  it('gives one observed client, made of the options', async () => {
    @Injectable()
    class Other extends Asking {}
    const app = await withProviders(
      [Asking, Other, { provide: 'made', useFactory: (x: unknown) => x, inject: [CLAUDE_CLIENT] }],
      ClaudeMetricsModule.forRoot({ monitor, anthropic: anthropic() }),
    );
    const { client } = app.get(Asking);
    expect(client).toBeInstanceOf(Anthropic);
    expect(app.get(Other).client).toBe(client);
    expect(app.get('made')).toBe(client);
    expect(await app.resolve(CLAUDE_CLIENT)).toBe(client);
    const before = (await monitor.snapshot()).totals.calls;
    await ask(client);
    expect((await monitor.snapshot()).totals.calls).toBe(before + 1);
    await app.close();
  });

  it('gives the client that it was given, also by forRootAsync()', async () => {
    const client = new Anthropic(anthropic());
    const app = await withProviders(
      [Asking],
      ClaudeMetricsModule.forRootAsync({ anthropic: client, useFactory: () => ({ monitor }) }),
    );
    expect(app.get(Asking).client).toBe(client);
    const before = (await monitor.snapshot()).totals.calls;
    await ask(client);
    expect((await monitor.snapshot()).totals.calls).toBe(before + 1);
    await app.close();
  });

  it('can be overridden in tests', async () => {
    const fake = { messages: {} };
    const app = await Test.createTestingModule({
      imports: [ClaudeMetricsModule.forRoot({ monitor })],
      providers: [Asking],
    })
      .overrideProvider(CLAUDE_CLIENT)
      .useValue(fake)
      .compile();
    expect(app.get(Asking).client).toBe(fake);
  });

  it('of a client needs the SDK, and nothing else does', async () => {
    await jest.isolateModulesAsync(async () => {
      const missing = Object.assign(new Error("Cannot find module '@anthropic-ai/sdk'"), {
        code: 'MODULE_NOT_FOUND',
      });
      jest.doMock('@anthropic-ai/sdk', () => {
        throw missing;
      });
      const isolated = await import('../src/index.js');
      const common = await import('@nestjs/common');
      const testing = await import('@nestjs/testing');
      const { createMonitor } = await import('@claude-metrics/core');
      const own = createMonitor(QUIET);
      class Needs {}
      common.Injectable()(Needs);
      isolated.InjectAnthropic()(Needs, undefined as never, 0);
      const imports = [isolated.ClaudeMetricsModule.forRoot({ monitor: own })];
      const app = await testing.Test.createTestingModule({ imports }).compile();
      expect(app.get(isolated.CLAUDE_MONITOR)).toBe(own);
      const needing = testing.Test.createTestingModule({ imports, providers: [Needs] }).compile();
      await expect(needing).rejects.toThrow(
        '[claude-metrics] @InjectAnthropic: @anthropic-ai/sdk could not be loaded. Run `npm install',
      );
      await expect(needing).rejects.toMatchObject({ cause: missing });
      await own.close();
    });
    jest.dontMock('@anthropic-ai/sdk');
  });

  it('works without HTTP, where @TrackFeature() and withContext() name the calls', async () => {
    @Injectable()
    class Job {
      constructor(@Inject(Asking) readonly asking: Asking) {}
      @TrackFeature('nightly')
      run() {
        return ask(this.asking.client);
      }
    }
    @Module({
      imports: [ClaudeMetricsModule.forRoot({ monitor, anthropic: anthropic() })],
      providers: [Asking, Job],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await withContext({ userId: 'cron' }, () => app.get(Job).run());
    const { calls } = await monitor.calls({ limit: 1 });
    expect(calls[0]).toMatchObject({ feature: 'nightly', userId: 'cron' });
    expect([setContext, bindContext].map((fn) => typeof fn)).toEqual(['function', 'function']);
    await app.close();
  });
});

describe('without `monitor`', () => {
  it('an application needs one line: its clients are found, and the mount shows their calls', async () => {
    const simulator = await createSimulator();
    const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
    @Controller()
    class Hello {
      @Get('hello')
      async hello(): Promise<object> {
        const message = await client.messages.create({
          model: 'claude-sonnet-5-5',
          max_tokens: 9,
          messages: [{ role: 'user', content: 'Hi.' }],
        });
        return message.content;
      }
    }
    @Module({
      imports: [ClaudeMetricsModule.forRoot({ log: false, authorize: () => true })],
      controllers: [Hello],
    })
    class AppModule {}
    const [platform] = platforms;
    const running = await listen((await platform?.create(AppModule)) as never);
    await request(running.origin).get('/hello').expect(200);
    const { body } = await request(running.origin).get('/claude-metrics/snapshot');
    expect(body).toMatchObject({
      totals: { calls: 1 },
      byFeature: [{ key: 'GET /hello' }],
      coverage: { unobserved: 0 },
    });
    await running.close();
    await simulator.close();
  });

  it('the default monitor is shared, and closed with the last application', async () => {
    const one = await appOf(ClaudeMetricsModule.forRoot(QUIET));
    const two = await appOf(ClaudeMetricsModule.forRoot(), ClaudeMetricsModule.forRoot());
    const monitor = one.get<Monitor>(CLAUDE_MONITOR);
    expect(two.get(CLAUDE_MONITOR)).toBe(monitor);
    await two.close();
    expect(defaultMonitor()).toBe(monitor);
    await one.close();
    const next = defaultMonitor(QUIET);
    expect(next).not.toBe(monitor);
    await next.close();
  });
});

describe('a monitor of the application’s own', () => {
  it('is not closed with it', async () => {
    const monitor = createMonitor(QUIET);
    const close = jest.spyOn(monitor, 'close');
    const app = await appOf(ClaudeMetricsModule.forRoot({ monitor }));
    await app.close();
    expect(close).not.toHaveBeenCalled();
    await monitor.close();
  });
});
