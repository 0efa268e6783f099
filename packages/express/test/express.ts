import type { Application, RequestHandler, Router } from 'express';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** The Express versions that every behaviour is tried on. */
export interface ExpressModule {
  (): Application;
  Router(options?: { mergeParams?: boolean }): Router;
  json(): RequestHandler;
  urlencoded(options: { extended: boolean }): RequestHandler;
}

export interface Version {
  readonly name: string;
  readonly express: ExpressModule;
  /** As the package itself says. */
  readonly resolved: string;
}

function load(name: string): Version {
  // eslint-style imports would hide which package a version really is
  const path = require.resolve(name);
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(path), 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  return { name, express: require(path) as ExpressModule, resolved: version };
}

export const versions: readonly Version[] = ['express', 'express-4', 'express-4.18'].map(load);

export interface Running {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(app: Parameters<typeof createServer>[1]): Promise<Running> {
  const server: Server = createServer(app as never);
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

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends the request line as it is: no client of ours normalises the path first. */
export function raw(
  port: number,
  method: string,
  target: string,
  headers: readonly string[] = [],
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const lines = [
      `${method} ${target} HTTP/1.1`,
      ...(headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: 127.0.0.1:${port}`]),
      ...headers,
      'Connection: close',
    ];
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', ...body] = text.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), head, body: body.join('\r\n\r\n') });
    });
  });
}

/** A reverse proxy that takes `/prefix` off, as nginx's `proxy_pass …/` does. */
export function strippingProxy(prefix: string, port: number): Promise<Running> {
  return listen((req, res) => {
    const url = req.url ?? '/';
    if (!url.startsWith(prefix)) {
      res.writeHead(404).end('not proxied');
      return;
    }
    const path = url.slice(prefix.length) || '/';
    const { method, headers } = req;
    const upstream = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(upstream);
  });
}
