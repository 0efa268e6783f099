import { Buffer } from 'node:buffer';
import { createServer, request as httpRequest, Agent, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { bodyOf, type RawRequest } from '../src/http.js';

/** Bodies of real requests, whatever was done to them before. */

const LIMIT = 1000;
type Prepare = (req: IncomingMessage) => unknown;

/** A server that reads a body as we do, after `prepare`, and answers what came of it. */
async function withServer(
  prepare: Prepare,
  use: (port: number, agent: Agent, outcomes: string[]) => Promise<void>,
): Promise<void> {
  const outcomes: string[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const parsed = await prepare(req);
      const outcome = await bodyOf(
        req,
        () => parsed,
      )(LIMIT).then(
        (text) => (text === null ? 'too long' : `text:${text}`),
        (error: unknown) => `lost:${(error as Error).message}`,
      );
      outcomes.push(outcome);
      res.end(outcome);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await use((server.address() as AddressInfo).port, agent, outcomes);
  } finally {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

interface Sent {
  readonly chunks?: readonly (string | Uint8Array)[];
  readonly type?: string;
  /** Without it the body is sent in chunks of HTTP. */
  readonly length?: number;
}

function post(port: number, agent: Agent, { chunks = [], type, length }: Sent) {
  return new Promise<{ text: string; reused: boolean }>((resolve, reject) => {
    const headers = {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(length === undefined ? {} : { 'content-length': length }),
    };
    const req = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent, headers }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (text += chunk));
      res.on('end', () => resolve({ text, reused: req.reusedSocket }));
    });
    req.on('error', reject);
    for (const chunk of chunks) req.write(chunk);
    req.end();
  });
}

const none: Prepare = () => undefined;

/** As body parsers do it. */
async function readAll(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function textAfter(prepare: Prepare, sent: Sent): Promise<string> {
  let text = '';
  await withServer(prepare, async (port, agent) => {
    ({ text } = await post(port, agent, sent));
  });
  return text;
}

describe('a body that nobody has read', () => {
  it('is read whole, with a length or in chunks', async () => {
    expect(await textAfter(none, { chunks: ['{"a":1}'], length: 7 })).toBe('text:{"a":1}');
    expect(await textAfter(none, { chunks: ['{"a"', ':1}'] })).toBe('text:{"a":1}');
  });

  it('keeps characters together that come in two pieces', async () => {
    const bytes = Buffer.from('{"a":"€😀"}');
    const chunks = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await textAfter(none, { chunks })).toBe('text:{"a":"€😀"}');
  });

  it('is empty where there is none', async () => {
    expect(await textAfter(none, { length: 0 })).toBe('text:');
    expect(await textAfter(none, {})).toBe('text:');
  });

  it('is read although a parser of another type has left an empty object', async () => {
    expect(await textAfter(() => ({}), { chunks: ['minutes=5'] })).toBe('text:minutes=5');
  });

  it('is read as text, if somebody has set an encoding', async () => {
    const encoded: Prepare = (req) => void req.setEncoding('utf8');
    expect(await textAfter(encoded, { chunks: ['€'] })).toBe('text:€');
  });

  it('is empty, if somebody has waited for the end of nothing', async () => {
    const drained: Prepare = async (req) => void (await readAll(req));
    expect(await textAfter(drained, { length: 0 })).toBe('text:');
  });

  it('is too long beyond the limit, and the connection carries the next request', async () => {
    await withServer(none, async (port, agent) => {
      const exact = await post(port, agent, { chunks: ['x'.repeat(LIMIT)] });
      const more = await post(port, agent, { chunks: ['x'.repeat(LIMIT + 1)] });
      const much = await post(port, agent, { chunks: Array(100).fill('x'.repeat(10_000)) });
      const next = await post(port, agent, { chunks: ['ok'] });
      expect([exact.text.length, more.text, much.text, next.text]).toEqual([
        LIMIT + 5,
        'too long',
        'too long',
        'text:ok',
      ]);
      expect([more, much, next].map(({ reused }) => reused)).toEqual([true, true, true]);
    });
  });

  it('is counted in bytes', async () => {
    expect(await textAfter(none, { chunks: ['€'.repeat(334)] })).toBe('too long');
    expect(await textAfter(none, { chunks: ['€'.repeat(333)] })).toBe(`text:${'€'.repeat(333)}`);
  });

  it('is not held beyond the limit: of what comes after it nothing is kept', async () => {
    const piece = Buffer.alloc(500);
    let sent = 0;
    const endless = Object.assign(
      new Readable({
        read() {
          sent += 1;
          this.push(sent > 200 ? null : piece);
        },
      }),
      { headers: {} },
    ) satisfies RawRequest;
    const ended = new Promise((resolve) => endless.once('end', resolve));
    expect(await bodyOf(endless)(LIMIT)).toBeNull();
    await ended;
    expect([sent, endless.listenerCount('data')]).toEqual([201, 0]);
  });

  it('is lost with its connection, before it is read or while', async () => {
    for (const when of ['before', 'while'] as const) {
      const broken: Prepare = (req) =>
        when === 'before' && new Promise((resolve) => req.once('close', resolve));
      await withServer(broken, async (port, _, outcomes) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc', () =>
          setImmediate(() => socket.destroy()),
        );
        while (outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve));
        expect([when, ...outcomes]).toEqual([when, 'lost:the connection was lost']);
      });
    }
  });
});

describe('a body that a parser has read', () => {
  const parsedAs =
    (parse: (bytes: Buffer) => unknown): Prepare =>
    async (req) =>
      parse(await readAll(req));
  const JSON_TYPE = 'application/json';
  const FORM_TYPE = 'Application/x-www-form-urlencoded; charset=utf-8';

  it.each<[string, Prepare, Sent, string]>([
    ['text', parsedAs(String), { chunks: ['{"a":1}'], type: JSON_TYPE }, 'text:{"a":1}'],
    ['bytes', parsedAs((bytes) => bytes), { chunks: ['a=1'], type: FORM_TYPE }, 'text:a=1'],
    [
      'an object of JSON',
      parsedAs((bytes) => JSON.parse(String(bytes)) as unknown),
      { chunks: ['{ "minutes": 5 }'], type: JSON_TYPE },
      'text:{"minutes":5}',
    ],
    [
      'an object of a form',
      parsedAs((bytes) => Object.fromEntries(new URLSearchParams(String(bytes)))),
      { chunks: ['minutes=5&view=a%3Db%26c'], type: FORM_TYPE },
      'text:minutes=5&view=a%3Db%26c',
    ],
    [
      'an object of a form with lists and objects',
      parsedAs(() => ({ minutes: ['5', '6'], more: { a: '1' } })),
      { chunks: ['x'], type: FORM_TYPE },
      'text:minutes=5&minutes=6&more=%7B%22a%22%3A%221%22%7D',
    ],
    ['what is too long', parsedAs(() => ({ a: 'x'.repeat(LIMIT) })), { chunks: ['x'] }, 'too long'],
    [
      'nothing',
      parsedAs(() => undefined),
      { chunks: ['x'] },
      'lost:it was read before, and kept nowhere',
    ],
    ['null', parsedAs(() => null), { chunks: ['x'] }, 'lost:it was read before, and kept nowhere'],
    ['a number', parsedAs(() => 5), { chunks: ['5'] }, 'lost:it was read before, and kept nowhere'],
  ])('and kept as %s', async (_, prepare, sent, outcome) => {
    expect(await textAfter(prepare, sent)).toBe(outcome);
  });

  it('and kept as something that cannot be written down is lost, and does no harm', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(
      await textAfter(
        parsedAs(() => circle),
        { chunks: ['x'] },
      ),
    ).toMatch(/^lost:.*circular/);
  });
});
