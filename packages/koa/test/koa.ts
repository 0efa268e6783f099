import Router, { type RouterMiddleware } from '@koa/router';
import type {
  AdapterSubject,
  ContractApplication,
  ContractRoute,
  ContractServer,
} from '@claude-metrics/testing';
import type Koa from 'koa';
import { koaBody } from 'koa-body';
import mount from 'koa-mount';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { budgetErrors, claudeMonitor, trackFeature } from '../src/index.js';

/** The Koa versions that every behaviour is tried on. */
export interface Version {
  readonly name: string;
  readonly Koa: new (options?: { proxy?: boolean }) => Koa;
  /** As the package itself says. */
  readonly resolved: string;
}

function load(name: string): Version {
  const path = require.resolve(name);
  const manifest = JSON.parse(
    readFileSync(join(dirname(path), '..', 'package.json'), 'utf8'),
  ) as Record<'name' | 'version', string>;
  if (manifest.name !== 'koa') throw new Error(`${path} belongs to ${manifest.name}`);
  return { name, Koa: require(path) as Version['Koa'], resolved: manifest.version };
}

export const versions: readonly Version[] = ['koa', 'koa-2', 'koa-2.15'].map(load);

export async function listen(app: Koa): Promise<ContractServer> {
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An application of the contract, in the way that Koa's users write one. */
export function starter(Application: Version['Koa']): AdapterSubject['start'] {
  return (application: ContractApplication) => {
    const { adapters, prefix, authenticate, bodyParser, routes } = application;
    const inner = new Application();
    if (application.handlesBudgetErrors) inner.use(budgetErrors());
    if (bodyParser === 'before') inner.use(koaBody());
    for (const options of adapters) inner.use(claudeMonitor(options));
    if (bodyParser !== 'before') inner.use(koaBody());
    inner.use(async (ctx, next) => {
      ctx.state.user = await authenticate?.((name) => ctx.get(name) || undefined);
      await next();
    });
    const router = new Router();
    for (const route of routes) {
      const names = route.feature === undefined ? [] : [trackFeature(route.feature)];
      router.register(route.path, [route.method], [...names, handlerOf(route)]);
    }
    inner.use(router.routes());
    const app = new Application();
    // What handlers throw on purpose need not be printed.
    app.silent = true;
    app.use(prefix === undefined ? mount(inner) : mount(prefix, inner));
    return listen(app);
  };
}

function handlerOf({ handle }: ContractRoute): RouterMiddleware {
  return (ctx) =>
    new Promise<void>((resolve, reject) => {
      const stream = async (chunks: AsyncIterable<string>) => {
        const body = new PassThrough();
        ctx.body = body;
        // Koa sends a body when the middleware is done, so `handle` goes on beside it.
        resolve();
        await pipeline(chunks, body);
        await finished(ctx.res);
      };
      const { params, request } = ctx;
      const header = (name: string) => ctx.get(name) || undefined;
      handle({ params, body: request.body, header, stream }).then((value) => {
        if (ctx.body === undefined) {
          ctx.type = 'json';
          ctx.body = JSON.stringify(value);
        }
        resolve();
      }, reject);
    });
}

/** Sends the request line as it is: no client of ours normalises the path first. */
export function raw(
  port: number,
  method: string,
  target: string,
  headers: readonly string[] = [],
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const host = headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: 127.0.0.1:${port}`];
    const lines = [`${method} ${target} HTTP/1.1`, ...host, ...headers, 'Connection: close'];
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(text.split(' ')[1]), text }));
  });
}
