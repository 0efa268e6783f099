import { createMonitor, type Monitor } from '@claude-metrics/core';
import {
  Controller,
  Get,
  Module,
  VersioningType,
  type CanActivate,
  type LoggerService,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory, RouterModule } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import { connect } from 'node:net';
import { map, type Observable } from 'rxjs';
import request from 'supertest';
import { ClaudeMetricsModule } from '../src/index.js';
import { listen, platforms, type App, type Running } from './nest.js';

/** The dashboard as a controller of the application's own. */
const TOKEN = '0123456789abcdef0123456789abcdef';
const bearer = { authorization: `Bearer ${TOKEN}` };

let monitor: Monitor;
let said: string[];
let running: Running | undefined;

beforeEach(() => {
  said = [];
  monitor = createMonitor({ log: false, onNotice: (text) => void said.push(text) });
  monitor.record({ model: 'canary-model', feature: 'canary' });
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await monitor.close();
});

function moduleWith(options: object = {}, extra: object = {}): Type {
  @Module({
    imports: [ClaudeMetricsModule.forRoot({ monitor, authToken: TOKEN, ...options })],
    ...extra,
  })
  class AppModule {}
  return AppModule;
}

/** Sends the request line as it is: no client of ours normalises the path first. */
function raw(target: string, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(running?.port ?? 0, '127.0.0.1', () =>
      socket.write(
        `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n` +
          'Content-Length: 0\r\nConnection: close\r\n\r\n',
      ),
    );
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(Number(text.split(' ')[1])));
  });
}

describe.each(platforms)('the mount on $name', (platform) => {
  async function start(module: unknown, prepare: (app: App) => void = () => {}) {
    const app = await platform.create(module);
    prepare(app);
    running = await listen(app);
    return request(running.origin);
  }

  it('answers at its path: page, figures, and 404 for what is not there', async () => {
    const agent = await start(moduleWith());
    const page = await agent.get('/claude-metrics/').set(bearer);
    expect([page.status, page.type]).toEqual([200, 'text/html']);
    expect(page.text).toContain('canary-model');
    const snapshot = await agent.get('/claude-metrics/snapshot?range=1h').set(bearer);
    expect(snapshot.body).toMatchObject({ totals: { calls: 1 } });
    const redirected = await agent.get('/claude-metrics?range=1h').set(bearer);
    expect(redirected.headers).toMatchObject({ location: 'claude-metrics/?range=1h' });
    expect(redirected.status).toBe(307);
    expect((await agent.get('/claude-metrics/nothing/here').set(bearer)).status).toBe(404);
    expect((await agent.get('/claude-metrics/snapshot')).status).toBe(401);
    expect((await agent.post('/claude-metrics/snapshot').set(bearer)).status).toBe(405);
    const head = await agent.head('/claude-metrics/snapshot').set(bearer);
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).not.toBe('0');
  });

  it('is behind a guard that denies all: every path, every method, 403', async () => {
    class DenyAll implements CanActivate {
      canActivate(): boolean {
        return false;
      }
    }
    await start(
      moduleWith(
        { authToken: undefined, authorize: () => true },
        { providers: [{ provide: APP_GUARD, useClass: DenyAll }] },
      ),
    );
    const paths = [
      ...['', '/', '/?token=x', '/snapshot', '/calls', '/calls/1', '/openapi.json', '/metrics'],
      ...['/events', '/nothing', '/a/b/c', '//', '//snapshot', '/%73napshot', '/.', '/__proto__'],
    ];
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];
    for (const path of paths) {
      const answers = await Promise.all(
        methods.map((method) => raw(`/claude-metrics${path}`, method)),
      );
      expect([path, ...answers]).toEqual([path, ...methods.map(() => 403)]);
    }
  });

  it('is below the global prefix, and neutral to versions in the path', async () => {
    const agent = await start(moduleWith(), (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    const page = await agent.get('/api/claude-metrics/').set(bearer);
    expect(page.status).toBe(200);
    const redirected = await agent.get('/api/claude-metrics').set(bearer);
    expect(redirected.headers).toMatchObject({ location: 'claude-metrics/' });
    const hrefs = [...page.text.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(hrefs.length).toBeGreaterThan(5);
    for (const href of hrefs) {
      const url = new URL(href.replaceAll('&amp;', '&'), `${running?.origin}/api/claude-metrics/`);
      expect([href, (await fetch(url, { headers: bearer })).status]).toEqual([href, 200]);
    }
    expect((await agent.get('/claude-metrics/').set(bearer)).status).toBe(404);
    expect((await agent.get('/api/v1/claude-metrics/').set(bearer)).status).toBe(404);
  });

  it('is neutral to versions in headers', async () => {
    const agent = await start(moduleWith(), (app) => {
      app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    });
    for (const headers of [bearer, { ...bearer, 'x-version': '7' }]) {
      expect((await agent.get('/claude-metrics/').set(headers)).status).toBe(200);
      expect((await agent.get('/claude-metrics/snapshot').set(headers)).status).toBe(200);
    }
  });

  it('is below a module’s own path, with parameters in it', async () => {
    const dashboard = moduleWith({ path: '/costs' });
    @Module({
      imports: [
        dashboard,
        RouterModule.register([
          { path: 'tenants/:tenant', children: [{ path: 'in', module: ClaudeMetricsModule }] },
        ]),
      ],
    })
    class AppModule {}
    const agent = await start(AppModule);
    const { status, body } = await agent.get('/tenants/acme/in/costs/snapshot').set(bearer);
    expect([status, body]).toEqual([200, expect.objectContaining({ totals: expect.anything() })]);
    expect((await agent.get('/costs/snapshot').set(bearer)).status).toBe(404);
  });

  it('passes interceptors, whose changes of a result it has no use for', async () => {
    const seen: string[] = [];
    class Envelope {
      intercept(_: unknown, next: { handle(): Observable<unknown> }) {
        seen.push('intercepted');
        return next.handle().pipe(map((data) => ({ data })));
      }
    }
    const agent = await start(
      moduleWith({}, { providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope }] }),
    );
    const { body } = await agent.get('/claude-metrics/snapshot').set(bearer);
    expect(body).toMatchObject({ totals: { calls: 1 } });
    expect(seen).toEqual(['intercepted']);
  });

  it('is nowhere with `path: false`', async () => {
    const agent = await start(moduleWith({ path: false }));
    expect((await agent.get('/claude-metrics/').set(bearer)).status).toBe(404);
    expect((await agent.get('/false/').set(bearer)).status).toBe(404);
  });

  it('asks authorize with the platform’s own request, which sees what ran before', async () => {
    interface Asked {
      raw?: unknown;
      user?: { admin?: boolean };
    }
    const asked: boolean[] = [];
    const authorize = (request: Asked) => {
      asked.push(request.raw !== undefined);
      return request.user?.admin === true;
    };
    const agent = await start(moduleWith({ authToken: undefined, authorize }), (app) =>
      platform.authenticate(app, async (header) => ({ admin: header('x-admin') === 'yes' })),
    );
    expect((await agent.get('/claude-metrics/')).status).toBe(403);
    expect((await agent.get('/claude-metrics/').set({ 'x-admin': 'yes' })).status).toBe(200);
    expect(asked).toEqual([platform.name === 'fastify', platform.name === 'fastify']);
  });

  it('leaves every other path to the application', async () => {
    @Controller()
    class Mine {
      @Get('claude-metricsx')
      get(): object {
        return { mine: true };
      }
    }
    const agent = await start(moduleWith({}, { controllers: [Mine] }));
    expect((await agent.get('/claude-metricsx')).body).toEqual({ mine: true });
    expect((await agent.get('/x/claude-metrics/').set(bearer)).status).toBe(404);
    expect(await raw('//claude-metrics/snapshot')).toBe(404);
    expect(await raw('/claude-metrics//snapshot')).toBe(404);
    expect(await raw('/claude-metrics/%73napshot')).toBe(404);
    expect(await raw('/%63laude-metrics/snapshot')).toBe(404);
    expect(await raw('/CLAUDE-METRICS/snapshot')).toBe(404);
    expect(await raw('/claude-metrics/snapshot')).toBe(200);
  });

  it('says at start where to open it, global prefix and all; the log of Nest has no warning', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'development';
    try {
      const warnings: unknown[] = [];
      const ignore = () => {};
      const warn = (text: unknown) => void warnings.push(text);
      const logger: LoggerService = { log: ignore, error: warn, warn };
      await start(moduleWith({ authToken: undefined }), (app) => {
        app.useLogger(logger);
        app.setGlobalPrefix('/api/');
      });
      expect(said).toEqual([
        expect.stringMatching(/^Dashboard: open \/api\/claude-metrics\/\?token=[\w-]{43}$/),
      ]);
      expect(warnings).toEqual([]);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('is closed in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const agent = await start(moduleWith({ authToken: undefined }));
      expect((await agent.get('/claude-metrics/')).status).toBe(404);
      expect((await agent.get('/claude-metrics/snapshot').set(bearer)).status).toBe(404);
      expect(said).toEqual([expect.stringContaining('/claude-metrics is closed')]);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});

describe('the controller', () => {
  it('is left out of what @nestjs/swagger describes', () => {
    const [controller] = ClaudeMetricsModule.forRoot().controllers ?? [];
    // As its `@ApiExcludeController()` says it.
    const excluded: unknown = Reflect.getMetadata(
      'swagger/apiExcludeController',
      controller as Type,
    );
    expect(excluded).toEqual([true]);
  });
});

describe('the session cookie', () => {
  const opened = (url: string, protocol: string) =>
    request(url).get(`/claude-metrics/?token=${TOKEN}`).set('x-forwarded-proto', protocol);
  const secureOf = async (app: App) => {
    running = await listen(app);
    const answers = [await opened(running.origin, 'http'), await opened(running.origin, 'https')];
    return answers.map(({ headers }) => String(headers['set-cookie']).endsWith('; Secure'));
  };

  it('is Secure exactly when Express knows that the connection is', async () => {
    const [platform] = platforms;
    const app = (await platform?.create(moduleWith())) as NestExpressApplication;
    app.set('trust proxy', true);
    expect(await secureOf(app)).toEqual([false, true]);
  });

  it('is Secure exactly when Fastify knows that the connection is', async () => {
    const app = await NestFactory.create<NestFastifyApplication>(
      moduleWith(),
      new FastifyAdapter({ trustProxy: true }),
      { logger: false, abortOnError: false },
    );
    expect(await secureOf(app)).toEqual([false, true]);
  });
});

describe('the mount in an Express application around Nest’s', () => {
  it('is below its path', async () => {
    const [platform] = platforms;
    const app = (await platform?.create(moduleWith())) as App;
    await app.init();
    const outer = express();
    outer.use('/outer', app.getHttpAdapter().getInstance() as express.Handler);
    const agent = request(outer);
    expect((await agent.get('/outer/claude-metrics/snapshot').set(bearer)).status).toBe(200);
    const { headers } = await agent.get('/outer/claude-metrics').set(bearer);
    expect(headers['location']).toBe('claude-metrics/');
    await app.close();
  });
});

describe('the mount on a strict Fastify', () => {
  it('answers with and without a final slash', async () => {
    const app = await NestFactory.create<NestFastifyApplication>(
      moduleWith(),
      new FastifyAdapter(),
      { logger: false, abortOnError: false },
    );
    running = await listen(app);
    const agent = request(running.origin);
    expect((await agent.get('/claude-metrics/').set(bearer)).status).toBe(200);
    expect((await agent.get('/claude-metrics').set(bearer)).status).toBe(307);
  });
});
