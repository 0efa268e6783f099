import Anthropic from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import type { AdapterSubject, ContractApplication, ContractRoute } from '../src/index.js';

/**
 * The smallest framework there is, Node's own server, and an adapter for it whose parts can be
 * replaced: by wrong ones, to see that the contract tells.
 */
export interface Request extends IncomingMessage {
  user?: { id?: unknown; sub?: unknown } | undefined;
  route?: string;
}
type Adapter = core.Adapter<Request>;
type Answered = Awaited<ReturnType<Adapter['answer']>>;

export interface Parts {
  readonly core: AdapterSubject['core'];
  run(adapter: Adapter, req: Request, fn: () => void): void;
  userId(req: Request): unknown;
  feature(req: Request): unknown;
  below(adapter: Adapter, url: string): string | null;
  answer(adapter: Adapter, request: core.AdapterRequest<Request>): Promise<Answered>;
  trackFeature(name: string, fn: () => Promise<unknown>): Promise<unknown>;
  fail(res: ServerResponse, error: unknown): void;
}

const right: Parts = {
  core,
  run: (adapter, req, fn) => adapter.run(req, fn),
  userId: ({ user }) => user?.id ?? user?.sub,
  feature: ({ route }) => route,
  below: (adapter, url) => adapter.below(url),
  answer: (adapter, request) => adapter.answer(request),
  trackFeature: (name, fn) => core.withContext({ feature: name }, fn),
  fail: (res, error) => void res.writeHead(500).end(String(error)),
};

export function subjectWith(wrong: Partial<Parts> = {}, namespace?: object): AdapterSubject {
  const parts = { ...right, ...wrong };
  return {
    core: parts.core,
    Anthropic,
    request: supertest,
    namespace,
    async start(application) {
      const adapters = application.adapters.map((options) =>
        core.createAdapter<Request>('nodeHttp', options, parts),
      );
      const server = createServer((req: Request, res) => {
        handle(req, res, adapters, application, parts).catch((error) => parts.fail(res, error));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      return {
        origin: `http://127.0.0.1:${port}`,
        port,
        async close() {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          await closed;
        },
      };
    },
  };
}

async function handle(
  req: Request,
  res: ServerResponse,
  [adapter, ...inner]: readonly Adapter[],
  application: ContractApplication,
  parts: Parts,
): Promise<void> {
  if (!adapter) return respond(req, res, application, parts);
  const { url = '/', method, headers } = req;
  const { prefix = '' } = application;
  const below = url.startsWith(prefix) ? parts.below(adapter, url.slice(prefix.length)) : null;
  if (below !== null) {
    const request = { method, below, url, headers, secure: false, native: req };
    const { status, headers: answered, body } = await parts.answer(adapter, request);
    res.writeHead(status, answered).end(body);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    parts.run(adapter, req, () => {
      handle(req, res, inner, application, parts).then(resolve, reject);
    });
  });
}

/** What is inside of the adapters: authentication, the body, the route. */
async function respond(
  req: Request,
  res: ServerResponse,
  { prefix = '', authenticate, routes }: ContractApplication,
  parts: Parts,
): Promise<void> {
  const header = (name: string) => req.headers[name] as string | undefined;
  req.user = (await authenticate?.(header)) as Request['user'];
  let text = '';
  for await (const chunk of req) text += String(chunk);
  const [path = ''] = (req.url ?? '/').split('?');
  for (const route of routes) {
    const params = req.method === route.method ? match(prefix + route.path, path) : null;
    if (!params) continue;
    req.route = `${route.method} ${prefix}${route.path}`;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const stream = async (chunks: AsyncIterable<string>) => {
      for await (const chunk of chunks) res.write(chunk);
      res.end();
    };
    const answer = await named(route, parts, () => route.handle({ params, body, header, stream }));
    if (!res.headersSent) {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }
    return;
  }
  res.writeHead(404).end('no such route');
}

function named({ feature }: ContractRoute, parts: Parts, fn: () => Promise<unknown>) {
  return feature === undefined ? fn() : parts.trackFeature(feature, fn);
}

function match(pattern: string, path: string): Record<string, string> | null {
  const params: Record<string, string> = {};
  const segments = path.split('/');
  const wanted = pattern.split('/');
  if (segments.length !== wanted.length) return null;
  for (const [i, each] of wanted.entries()) {
    const segment = segments[i] ?? '';
    if (each.startsWith(':')) params[each.slice(1)] = decodeURIComponent(segment);
    else if (each !== segment) return null;
  }
  return params;
}
