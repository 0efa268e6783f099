/**
 * Whatever requests do, and however their work interleaves: a call is never another one's.
 *
 * - **program**: what one request does, step by step, before it makes each of its calls.
 */
import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { createNamespace, destroyNamespace } from 'cls-hooked';
import fc from 'fast-check';
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  bindContext,
  createAdapter,
  createMonitor,
  withContext,
  type ClsNamespace,
} from '../src/index.js';
import { QUESTION } from './capture/sdk.js';

const HOPS = {
  await: () => Promise.resolve(),
  microtask: () => new Promise<void>((resolve) => queueMicrotask(resolve)),
  tick: () => new Promise<void>((resolve) => process.nextTick(resolve)),
  immediate: () => new Promise<void>((resolve) => setImmediate(resolve)),
  timer: () => new Promise<void>((resolve) => setTimeout(resolve, 1)),
  all: () => Promise.all([HOPS.await(), HOPS.immediate(), HOPS.timer()]),
  async stream() {
    for await (const _ of Readable.from(['a', 'b'])) await HOPS.immediate();
  },
  emitter() {
    const emitter = new EventEmitter();
    const heard = new Promise<void>((resolve) => emitter.once('go', resolve));
    setImmediate(() => emitter.emit('go'));
    return heard;
  },
} as const;

/** A hop; work inside a context of its own; a listener that another request calls; a Claude call. */
type Step =
  | { readonly hop: keyof typeof HOPS }
  | { readonly as: string; readonly steps: readonly Step[] }
  | { readonly bound: true }
  | { readonly ask: 'json' | 'stream' };

const { program } = fc.letrec<{ program: readonly Step[]; step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    {
      weight: 12,
      arbitrary: fc.record({
        hop: fc.constantFrom(...(Object.keys(HOPS) as (keyof typeof HOPS)[])),
      }),
    },
    { weight: 2, arbitrary: fc.record({ bound: fc.constant(true as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ ask: fc.constantFrom('json' as const, 'stream' as const) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ as: fc.constantFrom('job', 'admin'), steps: tie('program') }),
    },
  ),
  program: fc.array(tie('step'), { minLength: 1, maxLength: 6 }),
}));

const REQUESTS = 200;
const RUNS = 5;
const programs = fc.array(program, { minLength: REQUESTS, maxLength: REQUESTS });

interface World {
  readonly namespace?: ClsNamespace | undefined;
  /** How the adapter finds the user of a request. */
  userOf(req: Request): unknown;
}

interface Request extends IncomingMessage {
  user?: string;
}

/** Calls whose record names somebody else, and how many there were in all. */
interface Verdict {
  readonly wrong: readonly string[];
  readonly calls: number;
  readonly expected: number;
}

let simulator: Simulator;
beforeAll(async () => {
  simulator = await createSimulator({
    respond: ({ body }) => ({ id: (body as typeof QUESTION).messages[0]?.content }),
  });
});
afterAll(() => simulator.close());

async function play(all: readonly (readonly Step[])[], world: World): Promise<Verdict> {
  const { namespace, userOf } = world;
  const monitor = createMonitor({ log: false, namespace });
  const client = monitor.observe(new Anthropic({ apiKey: 'test', baseURL: simulator.url }));
  /** Who each call has to be recorded for, by its message id. */
  const expected = new Map<string, string>();
  const seen = new Map<string, string>();
  const wrong: string[] = [];
  monitor.on({
    name: 'test',
    record({ messageId, userId }) {
      const id = String(messageId);
      if (seen.has(id)) wrong.push(`${id} twice`);
      if (userId !== expected.get(id)) wrong.push(`${id} for ${userId}`);
      seen.set(id, String(userId));
    },
  });

  function next(user: string): string {
    const id = `${user}#${expected.size}`;
    expected.set(id, user);
    return id;
  }
  const record = (user: string) =>
    monitor.record({ model: 'claude-sonnet-5-5', messageId: next(user) });
  /** Listeners of requests, called by whichever request comes by. */
  const bus = new EventEmitter().setMaxListeners(0);

  async function run(steps: readonly Step[], user: string): Promise<void> {
    for (const step of steps) {
      if ('hop' in step) await HOPS[step.hop]();
      else if ('as' in step) {
        const inner = `${user}/${step.as}`;
        await withContext({ userId: inner }, () => run(step.steps, inner));
      } else if ('bound' in step) {
        bus.once(
          'go',
          bindContext(() => record(user)),
        );
        await HOPS.immediate();
        bus.emit('go');
      } else {
        const messages = [{ role: 'user' as const, content: next(user) }];
        if (step.ask === 'json') await client.messages.create({ ...QUESTION, messages });
        else {
          const stream = await client.messages.create({ ...QUESTION, messages, stream: true });
          for await (const _ of stream) await HOPS.await();
        }
      }
      record(user);
    }
  }

  const adapter = createAdapter<Request>(
    'test',
    { monitor, path: false },
    { userId: userOf, feature: (req) => `${req.method}` },
  );
  const server = createServer((req: Request, res) => {
    adapter.run(req, () => {
      const index = Number(req.url?.slice(1));
      // Authentication: later than the adapter.
      HOPS.immediate()
        .then(() => (req.user = `user-${index}`))
        .then(() => run(all[index] ?? [], `user-${index}`))
        .then(
          () => res.end('ok'),
          (error: unknown) => res.writeHead(500).end(String(error)),
        );
    });
  });
  try {
    const origin = await listen(server);
    const texts = await Promise.all(
      all.map(async (_, index) => (await fetch(`${origin}/${index}`)).text()),
    );
    wrong.push(...texts.filter((text) => text !== 'ok'));
    while (seen.size < expected.size && wrong.length === 0) await HOPS.immediate();
    return { wrong, calls: seen.size, expected: expected.size };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await monitor.close();
    simulator.reset();
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('1,000 interleaved requests', () => {
  const namespace = createNamespace('property');
  afterAll(() => destroyNamespace('property'));

  it.each([
    ['AsyncLocalStorage', undefined],
    ['cls-hooked', namespace],
  ])('over %s: every call is recorded once, for its own request', async (_, carrier) => {
    let requests = 0;
    await fc.assert(
      fc.asyncProperty(programs, async (all) => {
        const verdict = await play(all, { namespace: carrier, userOf: (req) => req.user });
        requests += all.length;
        expect(verdict.wrong).toEqual([]);
        expect(verdict.calls).toBe(verdict.expected);
        expect(verdict.calls).toBeGreaterThanOrEqual(REQUESTS);
      }),
      // Shrinking would play thousands of servers; the first line of `wrong` tells enough.
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(requests).toBe(1_000);
  });

  it('would tell an adapter that knows only the last one', async () => {
    let last: Request | undefined;
    const [all = []] = fc.sample(programs, { numRuns: 1, seed: 1 });
    const { wrong } = await play(all, {
      userOf(req) {
        const found = last?.user;
        last = req;
        return found;
      },
    });
    expect(wrong.length).toBeGreaterThan(0);
  });
});
