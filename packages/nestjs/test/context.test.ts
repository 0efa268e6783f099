import {
  Catch,
  Controller,
  Get,
  Module,
  Param,
  Post,
  Req,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VersioningType,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type MiddlewareConsumer,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createMonitor } from '@claude-metrics/core';
import { request as httpRequest } from 'node:http';
import { from, mergeMap, type Observable } from 'rxjs';
import request from 'supertest';
import { ClaudeMetricsModule, TrackFeature } from '../src/index.js';
import { measure, type Measured } from './measured.js';
import { listen, platforms, type App, type Running, type TestRequest } from './nest.js';

declare const NEST_MAJOR: number;

/** Calls where Nest lets an application make them. */
let measured: Measured;
let running: Running | undefined;

beforeEach(async () => {
  measured = await measure();
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await measured.close();
});

class AskingGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await measured.ask();
    return true;
  }
}

class SignInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest<TestRequest>().user = { id: 'ada' };
    return true;
  }
}

class AskingInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(measured.ask()).pipe(
      mergeMap(() => next.handle()),
      mergeMap(async (value: unknown) => {
        await measured.ask();
        return value;
      }),
    );
  }
}

class AskingPipe {
  async transform(value: unknown): Promise<unknown> {
    await measured.ask();
    return value;
  }
}

@Catch()
class AskingFilter {
  async catch(_error: unknown, host: ArgumentsHost): Promise<void> {
    await measured.ask();
    const response: { send(body: string): void } = host.switchToHttp().getResponse();
    response.send('caught');
  }
}

@Controller('chat')
@UseGuards(SignInGuard, AskingGuard)
class ChatController {
  @Get('guarded/:id')
  guarded(): object {
    return {};
  }

  @Get('named/:id')
  @TrackFeature('named')
  async named(): Promise<object> {
    await measured.ask();
    return {};
  }
}

@Controller('twice')
@UseGuards(AskingGuard)
class TwiceController {
  @Get()
  @TrackFeature('outer')
  @TrackFeature('inner')
  async twice(): Promise<object> {
    await measured.ask();
    return {};
  }
}

@Controller({ path: 'rooms', version: '2' })
@UseGuards(SignInGuard)
class RoomsController {
  @Post(':room')
  @UseInterceptors(AskingInterceptor)
  async post(@Param('room', AskingPipe) _room: string): Promise<object> {
    await measured.ask();
    return {};
  }

  @Get(':room/error')
  @UseFilters(AskingFilter)
  fail(): never {
    throw new Error('on purpose');
  }
}

function appModule(options: object = {}) {
  @Module({
    imports: [ClaudeMetricsModule.forRoot({ monitor: measured.monitor, ...options })],
    controllers: [ChatController, RoomsController, TwiceController],
  })
  class AppModule {}
  return AppModule;
}

const asking = async (_request: unknown, _response: unknown, next: () => void) => {
  await measured.ask();
  next();
};

describe.each(platforms)('calls on $name', (platform) => {
  async function start(module: unknown, prepare: (app: App) => void = () => {}) {
    const app = await platform.create(module);
    prepare(app);
    running = await listen(app);
    return request(running.origin);
  }

  it('are named by the matched route, with global prefix and version', async () => {
    const agent = await start(appModule(), (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI });
    });
    expect((await agent.post('/api/v2/rooms/secret-7')).status).toBe(201);
    expect(await measured.calls()).toEqual(
      // before and after the handler, in it, and in a pipe
      Array.from({ length: 4 }, () => 'ada: POST /api/v2/rooms/:room'),
    );
  });

  it('of guards and filters belong to their request', async () => {
    const agent = await start(appModule());
    expect((await agent.get('/chat/guarded/7')).status).toBe(200);
    await agent.get('/rooms/9/error');
    expect(await measured.calls()).toEqual([
      'ada: GET /chat/guarded/:id',
      'ada: GET /rooms/:room/error',
    ]);
  });

  it('of a guard have the name that the handler behind it tracks', async () => {
    const agent = await start(appModule());
    expect((await agent.get('/chat/named/7')).status).toBe(200);
    expect(await measured.calls()).toEqual(['ada: named', 'ada: named']);
  });

  it('of a guard have the nearest of several names, as those of the handler do', async () => {
    const agent = await start(appModule());
    expect((await agent.get('/twice')).status).toBe(200);
    expect(await measured.calls()).toEqual(['null: inner', 'null: inner']);
  });

  it('of a global guard of the root module have the route: it runs before ours', async () => {
    @Module({ imports: [appModule()], providers: [{ provide: APP_GUARD, useClass: AskingGuard }] })
    class RootModule {}
    const agent = await start(RootModule);
    expect((await agent.get('/chat/named/7')).status).toBe(200);
    expect(await measured.calls()).toEqual([
      'ada: named',
      'ada: named',
      'null: GET /chat/named/:id',
    ]);
  });

  it('come under @TrackFeature() before the option `feature`, and that before the route', async () => {
    const agent = await start(appModule({ feature: () => 'mine' }));
    await agent.get('/chat/guarded/7');
    await agent.get('/chat/named/7');
    expect(await measured.calls()).toEqual(['ada: mine', 'ada: named', 'ada: named']);
  });

  it('of middleware are recorded, whether main.ts added it or a module', async () => {
    @Module({ imports: [appModule()] })
    class WithMiddleware {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(asking).forRoutes(RoomsController);
      }
    }
    const agent = await start(WithMiddleware, (app) => app.use(asking));
    await agent.get('/rooms/9/error');
    // Nobody has signed in by then; the route is known when Express has matched it.
    const route = 'GET /rooms/:room/error';
    const inModule = platform.name === 'express' ? route : null;
    expect(await measured.calls()).toEqual(
      [`ada: ${route}`, `null: ${inModule}`, 'null: null'].sort(),
    );
  });

  it('for paths that do not exist have no feature, and above all not the path', async () => {
    const agent = await start(appModule(), (app) => app.use(asking));
    expect((await agent.get('/no/such/secret')).status).toBe(404);
    expect(await measured.calls()).toEqual(['null: null']);
  });

  it('are named by functions that get the platform’s own request', async () => {
    const seen = new Set<boolean>();
    const agent = await start(
      appModule({
        userId: (request: { raw?: unknown; headers: Record<string, string> }) => {
          seen.add(request.raw !== undefined);
          return request.headers['x-user'];
        },
        sessionId: (request: { url: string }) => request.url,
      }),
    );
    await agent.get('/chat/guarded/7').set({ 'x-user': 'grace' });
    expect(await measured.calls()).toEqual(['grace: GET /chat/guarded/:id']);
    expect([...seen]).toEqual([platform.name === 'fastify']);
    expect((await measured.monitor.calls()).calls[0]?.sessionId).toBe('/chat/guarded/7');
  });

  it('have the user that middleware put on the request', async () => {
    const agent = await start(appModule(), (app) => {
      app.use((request: TestRequest, _: unknown, next: () => void) => {
        request.user = { id: 'from-middleware' };
        next();
      });
      app.use(asking);
    });
    await agent.get('/nothing');
    expect(await measured.calls()).toEqual(['from-middleware: null']);
  });

  it('belong to their request after a body that comes late', async () => {
    @Controller()
    class UploadController {
      @Post('upload')
      async upload(@Req() request: TestRequest): Promise<object> {
        request.user = { id: (request.body as { user: string }).user };
        await measured.ask();
        return {};
      }
    }
    @Module({
      imports: [ClaudeMetricsModule.forRoot({ monitor: measured.monitor })],
      controllers: [UploadController],
    })
    class AppModule {}
    let arrived = () => {};
    await start(AppModule, (app) =>
      platform.authenticate(app, async () => {
        arrived();
        return undefined;
      }),
    );
    for (const user of ['a', 'b', 'c']) {
      const waiting = new Promise<void>((resolve) => (arrived = resolve));
      const upload = httpRequest(`${running?.origin}/upload`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      });
      const answered = new Promise<number | undefined>((resolve, reject) => {
        upload.on('response', (response) => resolve(response.resume().statusCode));
        upload.on('error', reject);
      });
      upload.flushHeaders();
      await waiting;
      upload.write('{"user":');
      upload.end(`"${user}"}`);
      expect(await answered).toBe(201);
    }
    expect(await measured.calls()).toEqual(['a', 'b', 'c'].map((id) => `${id}: POST /upload`));
  });

  it('belong to the module that was written last, however long the first one takes', async () => {
    const outer = createMonitor({ log: false });
    @Module({
      imports: [
        ClaudeMetricsModule.forRootAsync({
          path: '/outer',
          useFactory: async () => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            return { monitor: outer };
          },
        }),
        appModule(),
      ],
    })
    class Both {}
    const agent = await start(Both);
    await agent.get('/chat/named/7');
    expect(await measured.calls()).toHaveLength(2);
    expect((await outer.snapshot()).totals.calls).toBe(0);
    await outer.close();
  });

  it('are measured in an application of @nestjs/testing, too', async () => {
    const module = await Test.createTestingModule({ imports: [appModule()] }).compile();
    const adapter = platform.name === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = module.createNestApplication(adapter, { logger: false });
    if (NEST_MAJOR === 10) await adapter.init();
    app.use(asking);
    await app.init();
    running = await listen(app as unknown as App);
    await request(running.origin).get('/chat/named/7').expect(200);
    // Fastify has matched a route by then, Express has not; Nest 10 tells us of Fastify too late.
    const early = platform.name === 'fastify' && NEST_MAJOR > 10;
    const inMiddleware = early ? 'GET /chat/named/:id' : null;
    expect(await measured.calls()).toEqual(['ada: named', 'ada: named', `null: ${inMiddleware}`]);
  });
});

describe('on Express', () => {
  it('settings that main.ts makes after the application was made are still in time', async () => {
    const [express] = platforms;
    const app = (await express?.create(appModule())) as NestExpressApplication;
    app.set('query parser', (text: string) => ({ parsed: text.length }));
    const seen: unknown[] = [];
    app.use((request: { query: unknown }, _: unknown, next: () => void) => {
      seen.push(request.query);
      next();
    });
    running = await listen(app);
    await request(running.origin).get('/chat/guarded/7?abc');
    expect(seen).toEqual([{ parsed: 3 }]);
  });
});

describe('on Fastify', () => {
  it('a hook that goes on in somebody else’s callback does not lose the context', async () => {
    const [, fastify] = platforms;
    const app = (await fastify?.create(appModule())) as NestFastifyApplication;
    let arrived = () => {};
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    let goOn = () => {};
    const instance = app.getHttpAdapter().getInstance();
    instance.addHook('onRequest', (_request, _reply, done) => {
      goOn = done;
      arrived();
    });
    running = await listen(app);
    const answer = fetch(`${running.origin}/chat/named/7`);
    await waiting;
    // Outside of the request: nothing of its context is here.
    goOn();
    expect((await answer).status).toBe(200);
    expect(await measured.calls()).toEqual(['ada: named', 'ada: named']);
  });
});
