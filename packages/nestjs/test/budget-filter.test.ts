import { BudgetExceededError, createMonitor, type Monitor } from '@claude-metrics/core';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Module,
  Param,
  Res,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
  type MiddlewareConsumer,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import request from 'supertest';
import { BudgetExceededFilter, ClaudeMetricsModule } from '../src/index.js';
import { listen, platforms, type App, type Running } from './nest.js';

const REFUSAL = {
  reason: 'limit',
  budget: 'user-day',
  scope: 'ada',
  per: 'day',
  spentUsd: 1.5,
  heldUsd: 0.25,
  limitUsd: 2,
  resetsAt: '2026-11-03T00:00:00.000Z',
  worstCaseUsd: 0.5,
  retryAfterSeconds: 7200,
  underWay: false,
} as const;
const NESTS_OWN = { statusCode: 429, message: new BudgetExceededError(REFUSAL).message };
const PROBLEM = { status: 429, budget: 'user-day', reason: 'limit', resetsAt: REFUSAL.resetsAt };
const refuse = (): never => {
  throw new BudgetExceededError(REFUSAL);
};

let monitor: Monitor;
let running: Running | undefined;
beforeEach(() => (monitor = createMonitor({ log: false })));
afterEach(async () => {
  await running?.close();
  running = undefined;
  await monitor.close();
});

/** An application’s own, for everything. */
@Catch()
class CatchAll implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ raw?: ServerResponse }>();
    const node = response.raw ?? (response as ServerResponse);
    node.writeHead(418).end('{"own":true}');
  }
}

class RefusingGuard {
  canActivate = refuse;
}

@Controller()
class Routes {
  @Get('plain')
  plain(): void {
    refuse();
  }

  @Get('filtered')
  @UseFilters(BudgetExceededFilter)
  filtered(): void {
    refuse();
  }

  @Get('own')
  @UseFilters(CatchAll)
  own(): void {
    refuse();
  }

  @Get('guarded')
  @UseGuards(RefusingGuard)
  guarded(): void {}

  @Get('behind-middleware')
  behind(): void {}

  @Get('throws/:what')
  throws(@Param('what') what: string): void {
    throw what === 'forbidden' ? new ForbiddenException('no') : new Error('mine');
  }
}

describe.each(platforms)('a budget error on $name', (platform) => {
  interface Given {
    readonly imports?: number;
    readonly providers?: object[];
    prepare?(app: App): void;
  }

  async function start({ imports = 1, providers = [], prepare }: Given = {}): Promise<string> {
    const forRoot = (_: unknown, i: number) =>
      ClaudeMetricsModule.forRoot({ monitor, path: `/claude-${i}` });
    @Module({
      imports: Array.from({ length: imports }, forRoot),
      controllers: [Routes],
      providers: providers as never,
    })
    class AppModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(refuse).forRoutes('behind-middleware');
      }
    }
    const app = await platform.create(AppModule);
    prepare?.(app);
    running = await listen(app);
    return running.origin;
  }

  it.each(['/plain', '/guarded', '/behind-middleware'])(
    'is answered as Nest does it, with Retry-After, at %s',
    async (path) => {
      const answer = await request(await start()).get(path);
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toBe('7200');
      expect(JSON.parse(answer.text)).toEqual(NESTS_OWN);
    },
  );

  it('has no Retry-After without the module: that is why there is a filter of ours', async () => {
    const { status, headers } = await request(await start({ imports: 0 })).get('/plain');
    expect([status, headers['retry-after']]).toEqual([429, undefined]);
  });

  it('has one with two modules, too', async () => {
    const { status, headers } = await request(await start({ imports: 2 })).get('/plain');
    expect([status, headers['retry-after']]).toEqual([429, '7200']);
  });

  it.each<[string, Given, string]>([
    ['useGlobalFilters()', { prepare: (app) => app.useGlobalFilters(new CatchAll()) }, '/plain'],
    ['APP_FILTER', { providers: [{ provide: APP_FILTER, useClass: CatchAll }] }, '/plain'],
    ['@UseFilters()', {}, '/own'],
  ])('is the application’s when it has a filter for everything: %s', async (_, given, path) => {
    const { status, headers, text } = await request(await start(given)).get(path);
    expect([status, headers['retry-after'], text]).toEqual([418, undefined, '{"own":true}']);
  });

  it.each([
    ['forbidden', 403, { statusCode: 403, message: 'no', error: 'Forbidden' }],
    ['error', 500, { statusCode: 500, message: 'Internal server error' }],
  ])('is no other error: %s', async (what, status, body) => {
    const filtered: Given = { prepare: (app) => app.useGlobalFilters(new BudgetExceededFilter()) };
    for (const given of [{}, filtered]) {
      const answer = await request(await start(given)).get(`/throws/${what}`);
      expect([answer.status, answer.headers['retry-after']]).toEqual([status, undefined]);
      expect(answer.body).toEqual(body);
      await running?.close();
    }
  });

  describe('with BudgetExceededFilter', () => {
    it.each<[string, Given, string]>([
      ['@UseFilters()', {}, '/filtered'],
      [
        'useGlobalFilters()',
        { prepare: (app) => app.useGlobalFilters(new BudgetExceededFilter()) },
        '/plain',
      ],
      [
        'APP_FILTER',
        { providers: [{ provide: APP_FILTER, useClass: BudgetExceededFilter }] },
        '/plain',
      ],
      [
        'APP_FILTER, in a guard',
        { providers: [{ provide: APP_FILTER, useClass: BudgetExceededFilter }] },
        '/guarded',
      ],
      [
        'APP_FILTER, in a middleware',
        { providers: [{ provide: APP_FILTER, useClass: BudgetExceededFilter }] },
        '/behind-middleware',
      ],
    ])('is a problem: %s', async (_, given, path) => {
      const { status, headers, text } = await request(await start(given)).get(path);
      expect(status).toBe(429);
      expect(headers).toMatchObject({
        'content-type': expect.stringMatching(/^application\/problem\+json/) as unknown,
        'content-length': String(text.length),
        'retry-after': '7200',
        'cache-control': 'no-store',
      });
      expect(JSON.parse(text)).toMatchObject(PROBLEM);
      expect(text).not.toMatch(/ada|1\.5|0\.25|"limit[A-Z]|worst|\.ts:\d/);
    });

    it.each<[string, (filters: (new () => ExceptionFilter)[]) => Given]>([
      [
        'useGlobalFilters()',
        (filters) => ({
          prepare: (app) => app.useGlobalFilters(...filters.map((Filter) => new Filter())),
        }),
      ],
      [
        'APP_FILTER',
        (filters) => ({
          providers: filters.map((useClass) => ({ provide: APP_FILTER, useClass })),
        }),
      ],
    ])('comes before one for everything that is listed before it: %s', async (_, given) => {
      const after = await request(await start(given([CatchAll, BudgetExceededFilter]))).get(
        '/plain',
      );
      expect(after.status).toBe(429);
      await running?.close();
      const before = await request(await start(given([BudgetExceededFilter, CatchAll]))).get(
        '/plain',
      );
      expect(before.status).toBe(418);
    });

    it('knows the error of another copy of core', async () => {
      let other = BudgetExceededError;
      jest.isolateModules(() => {
        other = jest.requireActual<{ BudgetExceededError: typeof other }>(
          '@claude-metrics/core',
        ).BudgetExceededError;
      });
      expect(other).not.toBe(BudgetExceededError);
      const origin = await start({
        providers: [{ provide: APP_FILTER, useClass: BudgetExceededFilter }],
        prepare: (app) =>
          app.useGlobalGuards({
            canActivate() {
              throw new other(REFUSAL);
            },
          }),
      });
      const { body } = await request(origin).get('/plain');
      expect(body).toMatchObject(PROBLEM);
    });
  });
});

describe.each(platforms)('an answer that has begun on $name', (platform) => {
  @Controller()
  class Halves {
    @Get('half')
    async half(@Res() response: { raw?: ServerResponse }): Promise<void> {
      const node = response.raw ?? (response as ServerResponse);
      await new Promise<void>((resolve) => node.write('half of a', () => resolve()));
      refuse();
    }
  }

  it('is ended by BudgetExceededFilter, as Nest does it', async () => {
    @Module({ imports: [ClaudeMetricsModule.forRoot({ monitor })], controllers: [Halves] })
    class AppModule {}
    const app = await platform.create(AppModule);
    app.useGlobalFilters(new BudgetExceededFilter());
    running = await listen(app);
    const { status, text } = await request(running.origin).get('/half');
    expect([status, text]).toEqual([200, 'half of a']);
  });
});

it('is left to Nest outside of HTTP', () => {
  const host = { getType: () => 'graphql' } as ArgumentsHost;
  expect(new BudgetExceededFilter().catch(new BudgetExceededError(REFUSAL), host)).toBeUndefined();
});
