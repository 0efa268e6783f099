import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { watchBody } from '../src/body.js';

/** Serves ten parts, one a pull, and knows how many were taken and whether the reader left. */
let server: Server;
let url: string;
let served: { parts: number; closed: Promise<void> };

const PARTS = 10;

beforeAll(async () => {
  server = createServer((request, response) => {
    const endless = request.url === '/endless';
    let parts = 0;
    served = {
      get parts() {
        return parts;
      },
      closed: new Promise((resolve) => response.on('close', resolve)),
    };
    response.setHeader('content-type', 'application/json');
    const write = () => {
      while (!response.destroyed && (endless || parts < PARTS)) {
        const part = endless ? ' '.repeat(64 * 1024) : parts === 0 ? '[0' : `,${parts}`;
        parts += 1;
        if (!response.write(part)) {
          response.once('drain', write);
          return;
        }
      }
      if (!endless) response.end(request.url === '/broken' ? '' : ']');
    };
    write();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function watched(path = '/') {
  const response = await fetch(url + path);
  const seen: string[] = [];
  let text = '';
  const has = watchBody(
    response,
    {
      chunk: (_, bytes) => void (text += Buffer.from(bytes as Uint8Array).toString()),
      end: (log) => void log.push(`end ${text}`),
      fail: (log, error) => void log.push(`fail ${(error as Error).name}`),
      cancel: (log) => void log.push('cancel'),
      json: (log, value) => void log.push(`json ${JSON.stringify(value)}`),
      text: (log, value) => void log.push(`text ${value}`),
    },
    seen,
    (error) => seen.push(`fault ${String(error)}`),
  );
  return { response, seen, has };
}

const BODY = '[0,1,2,3,4,5,6,7,8,9]';
const bodyOf = (response: Response) => response.body as ReadableStream<Uint8Array>;

async function collected(chunks: AsyncIterable<Uint8Array | string>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(parts).toString();
}

describe('a watched body', () => {
  it('is the same response, stream and answer', async () => {
    const { response } = await watched();
    const { body } = response;
    expect(response.body).toBe(body);
    expect(body).toBeInstanceOf(ReadableStream);
    expect([response.bodyUsed, body?.locked]).toEqual([false, false]);
    expect(Object.keys(response)).toEqual([]);
    expect(await response.json()).toEqual(JSON.parse(BODY));
    expect([response.bodyUsed, response.url]).toEqual([true, `${url}/`]);
    await expect(response.json()).rejects.toMatchObject({ name: 'TypeError' });
  });

  const ways: [string, (response: Response) => Promise<string>, RegExp][] = [
    ['json()', async (r) => JSON.stringify(await r.json()), /^json/],
    ['text()', (r) => r.text(), /^text/],
    ['arrayBuffer()', async (r) => Buffer.from(await r.arrayBuffer()).toString(), /^end/],
    ['blob()', async (r) => (await r.blob()).text(), /^end/],
    [
      'clone()',
      async (r) => (await Promise.all([r.clone().text(), r.text()]))[0] ?? '',
      /^(end|text)/,
    ],
    ['iteration', (r) => collected(bodyOf(r)), /^end/],
    ['values()', (r) => collected(bodyOf(r).values()), /^end/],
    ['getReader()', (r) => readAll(bodyOf(r)), /^end/],
    ['tee()', async (r) => (await Promise.all(bodyOf(r).tee().map(readAll)))[1] ?? '', /^end/],
    ['pipeThrough()', (r) => readAll(bodyOf(r).pipeThrough(new TransformStream())), /^end/],
    ['Readable.fromWeb()', (r) => collected(Readable.fromWeb(bodyOf(r) as never)), /^end/],
    ['a new Response', (r) => new Response(bodyOf(r)).text(), /^end/],
  ];
  it.each(ways)('is seen once and whole through %s', async (_, read, expected) => {
    const { response, seen } = await watched();
    expect(await read(response)).toBe(BODY);
    expect(seen.filter((each) => !each.startsWith('cancel'))[0]).toMatch(expected);
    expect(seen[0]).toContain(BODY);
  });

  it('fills a buffer of the reader', async () => {
    const { response, seen } = await watched();
    const reader = bodyOf(response).getReader({ mode: 'byob' });
    const parts: Buffer[] = [];
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(7));
      if (done) break;
      parts.push(Buffer.from(value));
    }
    expect(Buffer.concat(parts).toString()).toBe(BODY);
    expect(seen).toEqual([`end ${BODY}`]);
  });

  const leaves: [string, (response: Response) => Promise<unknown>][] = [
    [
      'break',
      async (r) => {
        for await (const _ of bodyOf(r)) break;
      },
    ],
    ['cancel()', (r) => bodyOf(r).cancel()],
    [
      "a reader's cancel()",
      async (r) => {
        const reader = bodyOf(r).getReader();
        await reader.read();
        await reader.cancel();
      },
    ],
  ];
  it.each(leaves)('closes the connection on %s, long before the end', async (_, leave) => {
    const { response, seen } = await watched('/endless');
    await leave(response);
    await served.closed;
    expect(seen).toEqual(['cancel']);
  });

  it('pulls no more than its reader does', async () => {
    const { response } = await watched('/endless');
    const reader = bodyOf(response).getReader();
    await reader.read();
    const before = served.parts;
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const stalled = served.parts;
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(before).toBeGreaterThan(0);
    expect(served.parts).toBe(stalled);
    await reader.cancel();
  });

  it('is locked while a reader holds it, as ever', async () => {
    const { response } = await watched();
    const reader = bodyOf(response).getReader();
    expect(bodyOf(response).locked).toBe(true);
    expect(() => bodyOf(response).getReader()).toThrow(/locked/);
    reader.releaseLock();
    expect(bodyOf(response).locked).toBe(false);
  });

  it('passes an error on as it is', async () => {
    const { response, seen } = await watched('/broken');
    await expect(response.json()).rejects.toMatchObject({ name: 'SyntaxError' });
    expect(seen).toEqual(['fail SyntaxError']);
  });

  it('keeps what a watcher throws from the reader', async () => {
    const response = await fetch(url);
    const faults: unknown[] = [];
    const boom = () => {
      throw new Error('boom');
    };
    watchBody(
      response,
      { chunk: boom, end: boom, fail: boom, cancel: boom, json: boom, text: boom },
      null,
      (error) => faults.push(error),
    );
    expect(await response.text()).toBe(BODY);
    expect(faults).toHaveLength(1);
  });

  it('does not take a second reading, which fails, for an end', async () => {
    const { response, seen } = await watched();
    const reader = bodyOf(response).getReader();
    await reader.read();
    await expect(response.json()).rejects.toMatchObject({ name: 'TypeError' });
    expect(seen).toEqual([]);
    await reader.cancel();
  });

  it('has nothing to see without a body', async () => {
    const watcher = { chunk() {}, end() {}, fail() {}, cancel() {}, json() {}, text() {} };
    expect(watchBody(new Response(null, { status: 204 }), watcher, null, () => {})).toBe(false);
  });

  it('is watched where a plain object stands for the response, as mocks of fetch do', async () => {
    const seen: unknown[] = [];
    const body = new ReadableStream();
    const mock = { body, bodyUsed: false, json: () => Promise.resolve([1]), text: () => '' };
    const watcher = { chunk() {}, end() {}, fail() {}, cancel() {}, text() {} };
    const json = (_: null, value: unknown) => void seen.push(value);
    expect(watchBody(mock as never, { ...watcher, json }, null, () => {})).toBe(true);
    expect(await mock.json()).toEqual([1]);
    expect(seen).toEqual([[1]]);
  });
});

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return collected(stream as unknown as AsyncIterable<Uint8Array>);
}
