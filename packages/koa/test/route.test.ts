import Router from '@koa/router';
import type Koa from 'koa';
import mount from 'koa-mount';
import { Readable } from 'node:stream';
import request from 'supertest';
import { routeOf } from '../src/route.js';
import { versions } from './koa.js';

describe.each(versions)('the route of a request on $name', ({ Koa }) => {
  const answer = (ctx: Koa.Context) => void (ctx.body = { route: routeOf(ctx) });
  const pass = (_ctx: unknown, next: Koa.Next) => next();
  let app: Koa;
  beforeEach(() => {
    app = new Koa();
  });

  async function routeAt(path: string): Promise<unknown> {
    const { body } = (await request(app.callback()).get(path)) as { body: { route: unknown } };
    return body.route;
  }

  it('is its method and pattern', async () => {
    const router = new Router();
    router.get('/chat/:room', answer);
    router.get('/', answer);
    router.get(/^\/re\/\d+$/g, answer);
    router.get(['/one', '/two/:id'], answer);
    router.get('named', '/files{/*path}', answer);
    router.all('/all', answer);
    app.use(router.routes()).use(router.allowedMethods());
    expect(await routeAt('/chat/42?x=1')).toBe('GET /chat/:room');
    expect(await routeAt('/')).toBe('GET /');
    expect(await routeAt('/re/42')).toBe('GET /^\\/re\\/\\d+$/g');
    expect(await routeAt('/two/42')).toBe('GET /two/:id');
    expect(await routeAt('/files/a/b')).toBe('GET /files{/*path}');
    const { body } = await request(app.callback()).patch('/all');
    expect(body).toEqual({ route: 'PATCH /all' });
  });

  it('is null while nothing matched', async () => {
    const router = new Router();
    router.post('/only/post', answer);
    app.use(router.routes()).use(answer);
    expect(await routeAt('/anything/42')).toBeNull();
    expect(await routeAt('/only/post')).toBeNull();
  });

  it('has prefixes and the paths of nested routers in front, as patterns', async () => {
    const notes = new Router({ prefix: '/notes' });
    notes.get('/:note', answer);
    notes.get('/', answer);
    const users = new Router();
    users.use('/users/:user', pass, notes.routes());
    const api = new Router({ prefix: '/tenants/:tenant' });
    api.use(pass);
    api.use(users.routes());
    api.get('/plain', answer);
    app.use(api.routes());
    const base = 'GET /tenants/:tenant';
    expect(await routeAt('/tenants/acme/plain')).toBe(`${base}/plain`);
    expect(await routeAt('/tenants/acme/users/ada%40x.io/notes')).toBe(`${base}/users/:user/notes`);
    expect(await routeAt('/tenants/acme/users/ada/notes/7')).toBe(
      `${base}/users/:user/notes/:note`,
    );
  });

  it('is the route that answers, also while a router’s own middleware runs', async () => {
    const seen: unknown[] = [];
    const look = async (ctx: Koa.Context, next: Koa.Next) => {
      seen.push(routeOf(ctx));
      await next();
      seen.push(routeOf(ctx));
    };
    for (const prefix of ['/plain', '/of/:tenant']) {
      const router = new Router({ prefix });
      router.use(look);
      router.use('/chat', look);
      router.get('/chat/special', answer);
      router.get('/chat/:room', answer);
      app.use(router.routes());
    }
    for (const [path, pattern] of [
      ['/plain/chat/special', 'GET /plain/chat/special'],
      ['/plain/chat/42', 'GET /plain/chat/:room'],
      ['/of/acme/chat/42', 'GET /of/:tenant/chat/:room'],
    ] as const) {
      seen.length = 0;
      expect(await routeAt(path)).toBe(pattern);
      expect([path, ...seen]).toEqual([path, pattern, pattern, pattern, pattern]);
    }
  });

  it('is the route that ran, in a middleware that the router runs after it', async () => {
    const router = new Router();
    router.get('/chat/:room', pass);
    router.use(answer);
    app.use(router.routes());
    expect(await routeAt('/chat/42')).toBe('GET /chat/:room');
  });

  it('is, of several that run one after the other, the one that runs', async () => {
    const seen: unknown[] = [];
    const router = new Router();
    router.get('/:any', async (ctx, next) => {
      seen.push(routeOf(ctx));
      await next();
    });
    router.get('/chat', answer);
    const later = new Router();
    later.use(async (ctx, next) => {
      seen.push(routeOf(ctx));
      await next();
    });
    later.get('/:last', answer);
    app.use(router.routes()).use(later.routes());
    expect(await routeAt('/chat')).toBe('GET /chat');
    expect(await routeAt('/else')).toBe('GET /:last');
    expect(seen).toEqual(['GET /:any', 'GET /:any', 'GET /:last']);
  });

  it('names the route of a HEAD request', async () => {
    const router = new Router();
    router.get('/chat/:room', (ctx) => ctx.set('x-route', String(routeOf(ctx))));
    app.use(router.routes());
    const { headers } = await request(app.callback()).head('/chat/42');
    expect(headers['x-route']).toBe('HEAD /chat/:room');
  });

  it('is null when the application makes another request of it than was matched', async () => {
    const router = new Router();
    router.use((ctx) => {
      ctx.method = 'PURGE';
      answer(ctx);
    });
    router.get('/chat', answer);
    app.use(router.routes());
    expect(await routeAt('/chat')).toBeNull();
  });

  it('has the path of koa-mount in front', async () => {
    const expression = /^\/re\/\d+$/g;
    const places: number[] = [];
    const router = new Router();
    router.get('/', answer);
    router.get('/chat/:room', answer);
    router.get('/files/*path', answer);
    router.get(expression, (ctx) => {
      places.push(expression.lastIndex);
      answer(ctx);
      places.push(expression.lastIndex);
    });
    const rest = new Router();
    rest.get('/*rest', answer);
    app.use(mount('/api', new Koa().use(router.routes())));
    app.use(mount('/rest', rest.routes() as Koa.Middleware));
    expect(await routeAt('/api')).toBe('GET /api');
    expect(await routeAt('/api/')).toBe('GET /api');
    expect(await routeAt('/api/chat/api?x=/api/chat/y')).toBe('GET /api/chat/:room');
    expect(await routeAt('/api/files/a/b')).toBe('GET /api/files/*path');
    expect(await routeAt('/rest/a/b')).toBe('GET /rest/*rest');
    expect(await routeAt('/api/re/42')).toBe('GET /api/^\\/re\\/\\d+$/g');
    // An expression with a memory is the application's: we read past it.
    expect(places).toEqual([0, 0]);
  });

  it('has no mount path in front that was left again', async () => {
    app.use(mount('/api', pass));
    const router = new Router();
    router.get('/api/chat/:room', answer);
    app.use(router.routes());
    expect(await routeAt('/api/chat/42')).toBe('GET /api/chat/:room');
  });

  it('stays the same when the mount is left before the answer is out', async () => {
    const router = new Router();
    router.get('/chat/:room', (ctx) => {
      const later = async function* () {
        yield await Promise.resolve(JSON.stringify({ route: routeOf(ctx), path: ctx.path }));
      };
      ctx.type = 'json';
      ctx.body = Readable.from(later());
    });
    app.use(mount('/api', router.routes() as Koa.Middleware));
    const { body } = await request(app.callback()).get('/api/chat/42');
    expect(body).toEqual({ route: 'GET /api/chat/:room', path: '/api/chat/42' });
  });

  it('never contains what the client sent: a base that cannot be told is "…"', async () => {
    const router = new Router();
    router.get('/do', answer);
    const routes = router.routes() as Koa.Middleware;
    const rewrite: Koa.Middleware = (ctx, next) => {
      ctx.path = ctx.path.replace(/^\/[a-z]*secret/, '');
      return next();
    };
    app.use(mount('/outer', mount('/inner', routes)));
    app.use(mount('/same', mount('/same', routes)));
    app.use(mount('/front', new Koa().use(rewrite).use(routes)));
    app.use(rewrite);
    app.use(mount('/back', routes));
    app.use(routes);
    expect(await routeAt('/outer/inner/do')).toBe('GET /…/inner/do');
    expect(await routeAt('/same/same/do')).toBe('GET /…/same/do');
    expect(await routeAt('/front/secret/do')).toBe('GET /…/do');
    expect(await routeAt('/secret/back/do')).toBe('GET /…/back/do');
    expect(await routeAt('/secret/do')).toBe('GET /do');
  });

  it('believes an application that names the route itself', async () => {
    app.use((ctx) => {
      ctx['_matchedRoute'] = '/mine/:id';
      answer(ctx);
    });
    expect(await routeAt('/mine/42')).toBe('GET /mine/:id');
  });
});
