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
  /** What the parser has read, once it has. */
  parsed?: unknown;
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
  /** The handler of budget errors; other errors are not given to it. */
  refuse(res: ServerResponse, error: core.BudgetExceededError): void;
  /** Which errors are given to it. */
  isRefusal(error: unknown): error is core.BudgetExceededError;
}

const right: Parts = {
  core,
  run: (adapter, req, fn) => adapter.run(req, fn),
  userId: ({ user }) => user?.id ?? user?.sub,
  feature: ({ route }) => route,
  below: (adapter, url) => adapter.below(url),
  answer: (adapter, request) => adapter.answer(request),
  trackFeature: (name, fn) => core.withContext({ feature: name }, fn),
  fail(res, error) {
    const { status = 500, headers = {} } = error as { status?: number; headers?: object };
    res.writeHead(status, { ...headers }).end(String(error));
  },
  refuse: (res, error) => refuse(res, error),
  isRefusal: core.BudgetExceededError.is,
};

/** The right answer to a refusal, but for what is `wrong`. */
export function refuse(
  res: ServerResponse,
  error: core.BudgetExceededError,
  wrong: { status?: number; headers?: Readonly<Record<string, string>>; body?: object } = {},
): void {
  const { status, headers } = error;
  const right = { status, headers, body: core.budgetProblem(error) };
  const answer = { ...right, ...wrong };
  const type = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  res.writeHead(answer.status, { ...answer.headers, ...type }).end(JSON.stringify(answer.body));
}

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
        const early = application.bodyParser === 'before' ? parseBody(req) : Promise.resolve();
        early
          .then(() => handle(req, res, adapters, application, parts))
          .catch((error) => {
            const refused = application.handlesBudgetErrors === true && parts.isRefusal(error);
            if (refused) parts.refuse(res, error);
            else parts.fail(res, error);
          });
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
    const parsed = () => req.parsed;
    const request = { method, below, url, headers, secure: false, native: req, raw: req, parsed };
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
  if (req.parsed === undefined) await parseBody(req);
  const { parsed: body } = req;
  const [path = ''] = (req.url ?? '/').split('?');
  for (const route of routes) {
    const params = req.method === route.method ? match(prefix + route.path, path) : null;
    if (!params) continue;
    req.route = `${route.method} ${prefix}${route.path}`;
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

/** As parsers do it: an object, whatever it was written as. */
async function parseBody(req: Request): Promise<void> {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  const type = req.headers['content-type'] ?? '';
  if (text === '') return;
  if (!type.startsWith('application/x-www-form-urlencoded')) req.parsed = JSON.parse(text);
  else {
    const form = new URLSearchParams(text);
    const values = [...form.keys()].map((name) => [name, form.getAll(name)] as const);
    req.parsed = Object.fromEntries(values.map(([name, all]) => [name, all[1] ? all : all[0]]));
  }
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
