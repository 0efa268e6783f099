import type { Application, Request, Response } from 'express';
import request from 'supertest';
import { routeOf } from '../src/route.js';
import { versions } from './express.js';

describe.each(versions)('the route of a request on $name', ({ name, express }) => {
  const answer = (req: Request, res: Response) => void res.json({ route: routeOf(req) });
  let app: Application;
  beforeEach(() => {
    app = express();
  });

  async function routeAt(path: string): Promise<unknown> {
    const { body } = (await request(app).get(path)) as { body: { route: unknown } };
    return body.route;
  }

  it('is its method and pattern', async () => {
    app.get('/chat/:room', answer);
    app.get('/', answer);
    app.get(/^\/re\/\d+$/, answer);
    app.get(['/one', '/two/:id'], answer);
    app.all('/all', answer);
    expect(await routeAt('/chat/42?x=1')).toBe('GET /chat/:room');
    expect(await routeAt('/')).toBe('GET /');
    expect(await routeAt('/re/42')).toBe('GET /^\\/re\\/\\d+$/');
    expect(await routeAt('/two/42')).toBe('GET /one|/two/:id');
    expect((await request(app).patch('/all')).body).toEqual({ route: 'PATCH /all' });
  });

  it('is null while nothing matched', async () => {
    app.use(answer);
    expect(await routeAt('/anything/42')).toBeNull();
  });

  it('has the mount paths in front, as patterns', async () => {
    const inner = express.Router();
    inner.get('/notes/:note', answer);
    inner.get('/', answer);
    const outer = express.Router();
    outer.use('/users/:user', (_req, _res, next) => next(), inner);
    app.use('/other', express.Router());
    app.use('/api/v1', outer);
    app.use('/tenants/:id/x', inner);
    expect(await routeAt('/api/v1/users/ada%40example.com/notes/7')).toBe(
      'GET /api/v1/users/:user/notes/:note',
    );
    expect(await routeAt('/api/v1/users/ada')).toBe('GET /api/v1/users/:user');
    expect(await routeAt('/tenants/acme/x/notes/1')).toBe('GET /tenants/:id/x/notes/:note');
    expect(await routeAt('/tenants/other/x/notes/1')).toBe('GET /tenants/:id/x/notes/:note');
  });

  it('has the mount path of a sub-application in front', async () => {
    const sub = express();
    const router = express.Router();
    router.get('/deep', answer);
    sub.use('/r/:x', router);
    sub.get('/plain', answer);
    app.use('/tenants/:tenant', sub);
    expect(await routeAt('/tenants/acme/plain')).toBe('GET /tenants/:tenant/plain');
    expect(await routeAt('/tenants/acme/r/9/deep')).toBe('GET /tenants/:tenant/r/:x/deep');
  });

  it('never contains what the client sent: a base that cannot be told is "…"', async () => {
    const router = express.Router();
    router.get('/do', answer);
    const sub = express();
    sub.get('/do', answer);
    const nested = express.Router();
    nested.use('/sub', sub);
    app.use(/^\/re\/[a-z0-9]+/, router);
    app.use('/v:version', router);
    app.use('/n/:id', nested);
    app.use('/rewritten/:id', (req, _res, next) => {
      // Somebody else's trick: a base that no mount path explains.
      req.baseUrl = '/hidden-secret';
      req.url = '/do';
      router(req, _res, next);
    });
    for (const path of ['/re/secret/do', '/vsecret/do', '/n/secret/sub/do', '/rewritten/secret']) {
      const route = await routeAt(path);
      expect([path, route]).toEqual([path, expect.stringMatching(/^GET \/?…\/do$/)]);
    }
    expect(name).toBeDefined();
  });

  it('survives an application that is not Express at all', () => {
    const bare = { method: 'GET', baseUrl: '/secret', route: { path: '/x' } } as never;
    expect(routeOf(bare)).toBe('GET …/x');
  });
});
