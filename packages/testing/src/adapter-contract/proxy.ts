import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A reverse proxy on 127.0.0.1. */
export interface Proxy {
  readonly origin: string;
  close(): Promise<void>;
}

/** Takes `prefix` off every path and passes the rest on to `port`, as nginx's `proxy_pass …/` does. */
export async function startStrippingProxy(prefix: string, port: number): Promise<Proxy> {
  const server = createServer((incoming, response) => {
    const { method, headers, url = '/' } = incoming;
    if (!url.startsWith(prefix)) {
      response.writeHead(404).end('not proxied');
      return;
    }
    const path = url.slice(prefix.length) || '/';
    const upstream = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
