import assert from 'node:assert/strict';
import { createSimulator, type Simulator } from '../simulator.js';
import type { SimulatedRequest } from '../request.js';
import type {
  AdapterSubject,
  ContractAgent,
  ContractApplication,
  ContractCall,
  ContractClient,
  ContractMonitor,
} from './subject.js';

/**
 * What one case plays on: a simulator, a client, monitors and applications of its own. All of it is
 * closed when the case is over, whether it passed or not.
 *
 * - **label**: what a call is known by. It is the prompt, comes back as the message's id, and so it
 *   is in the record: each call can be told from the others.
 */
export interface Stage {
  readonly subject: AdapterSubject;
  readonly simulator: Simulator;
  /** A client that nobody observes. */
  bareClient(): ContractClient;
  /** A monitor that observes the client of the stage. */
  createMonitor(options?: object): Watched;
  start(application: Partial<ContractApplication>): Promise<Running>;
  /** A Claude call. */
  ask(label: string): Promise<unknown>;
  /** A Claude call whose answer is streamed; each event of it goes to `onEvent`. */
  stream(label: string, onEvent?: (event: StreamEvent) => unknown): Promise<void>;
  /** As `ask`, by the SDK's helper; `onText` is called from its event. */
  streamHelper(label: string, onText: () => Promise<unknown>): Promise<void>;
  /** Waits for this many records in all, ends whatever else is under way, and closes the monitors. */
  finish(records: number): Promise<void>;
}

export interface Watched {
  readonly monitor: ContractMonitor;
  readonly calls: readonly ContractCall[];
}

export interface Running {
  readonly origin: string;
  readonly port: number;
  readonly agent: ContractAgent;
}

export interface StreamEvent {
  readonly type: string;
}

/** By name. */
export type Cases = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** What cases may change, and what decides how an adapter starts. */
const ENV = ['NODE_ENV', 'CLAUDE_METRICS_AUTH_TOKEN'];
const QUESTION = { model: 'claude-sonnet-5-5', max_tokens: 64 };
/** A record that has not come by then will not come, and a case that waits for more is stuck. */
const PATIENCE_MS = 10_000;

/** Plays one case, and closes everything it opened. */
export async function onStage(
  subject: AdapterSubject,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const simulator = await createSimulator({ respond: (request) => ({ id: labelOf(request) }) });
  const toClose: (() => Promise<void>)[] = [() => simulator.close()];
  const env = ENV.map((name) => [name, process.env[name]] as const);
  delete process.env['CLAUDE_METRICS_AUTH_TOKEN'];
  try {
    await inTime(play(createStage(subject, simulator, toClose)));
  } finally {
    for (const [name, value] of env) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await closeAll(toClose.toReversed());
  }
}

/** All of them, also when one of them fails. */
async function closeAll(closes: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closes) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function createStage(
  subject: AdapterSubject,
  simulator: Simulator,
  toClose: (() => Promise<void>)[],
): Stage {
  const watched: Watched[] = [];
  const bareClient = () =>
    new subject.Anthropic({
      apiKey: 'test',
      baseURL: simulator.url,
      maxRetries: 0,
      logLevel: 'off',
    });
  const client = bareClient();

  function request(label: string, more?: object): never {
    return { ...QUESTION, messages: [{ role: 'user', content: label }], ...more } as never;
  }

  return {
    subject,
    simulator,
    bareClient,
    createMonitor(options) {
      const monitor = subject.core.createMonitor({
        log: false,
        onNotice: () => {},
        onError: () => {},
        namespace: subject.namespace,
        ...options,
      });
      toClose.push(() => monitor.close());
      const calls: ContractCall[] = [];
      monitor.on({ name: 'contract', record: (call) => void calls.push(call) });
      monitor.observe(client);
      const each = { monitor, calls };
      watched.push(each);
      return each;
    },
    async start(application) {
      const server = await subject.start({ adapters: [], routes: [], ...application });
      toClose.push(() => server.close());
      return { origin: server.origin, port: server.port, agent: subject.request(server.origin) };
    },
    async ask(label) {
      return client.messages.create(request(label));
    },
    async stream(label, onEvent) {
      const events = (await client.messages.create(
        request(label, { stream: true }),
      )) as AsyncIterable<StreamEvent>;
      for await (const event of events) await onEvent?.(event);
    },
    async streamHelper(label, onText) {
      const helper = client.messages.stream(request(label));
      const text = new Promise((resolve) => helper.once('text', () => resolve(onText())));
      await Promise.all([text, helper.done()]);
    },
    async finish(records) {
      const recorded = () => watched.reduce((sum, { calls }) => sum + calls.length, 0);
      const end = performance.now() + PATIENCE_MS;
      while (recorded() < records && performance.now() < end) await turn();
      await simulator.idle();
      await Promise.all(watched.map(({ monitor }) => monitor.close()));
    },
  };
}

/** A case whose application is stuck fails, instead of leaving its servers open. */
async function inTime(play: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stuck = new Error('the application did not answer, or did not make its calls');
    timer = setTimeout(() => reject(stuck), 2 * PATIENCE_MS);
  });
  try {
    await Promise.race([play, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a record says, to be compared: `ada-1: ada | POST /chat/:room`. */
export function lineOf({ messageId, userId, feature, sessionId }: ContractCall): string {
  const session = sessionId === null ? '' : ` | ${sessionId}`;
  return `${messageId}: ${userId} | ${feature}${session}`;
}

/** Each of these has exactly these records, each once. */
export async function assertCalls(
  stage: Stage,
  ...expected: readonly (readonly [Watched, readonly string[]])[]
): Promise<void> {
  await stage.finish(expected.reduce((sum, [, lines]) => sum + lines.length, 0));
  for (const [{ calls }, lines] of expected) {
    assert.deepEqual(calls.map(lineOf).sort(), [...lines].sort());
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A promise, and the way to resolve it. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

function labelOf({ body }: SimulatedRequest): string {
  const { messages = [] } = (body ?? {}) as { messages?: { content?: unknown }[] };
  return String(messages[0]?.content);
}
