import { recordOf, type Pricing } from './call.js';
import { createCapture, type Clock } from './capture.js';
import { readContext, withDefaults, withOwner } from './context.js';
import { callLine, jsonLines } from './exporters/json.js';
import { createHealth, type HealthReport } from './health.js';
import { importCall, type CallInput } from './import.js';
import { createMiddleware, instrument, observeClient } from './instrument.js';
import { createLedger } from './ledger.js';
import type { Middleware } from './middleware.js';
import { monitorRules, type MonitorOptions } from './monitor-options.js';
import { checkOptions, rule, show } from './options.js';
import { currentPrices, priceCall } from './pricing.js';
import { rateBookOf } from './rates.js';
import type { CallRecord, Sink } from './record.js';
import { useNamespace, type ContextInput } from './scope.js';
import { createSnapshot, type Snapshot, type SnapshotQuery } from './snapshot.js';
import { memoryStore } from './stores/memory.js';
import type { CallsPage, CallsQuery } from './stores/store.js';
import { watchUnobserved } from './unobserved.js';

/**
 * The whole flow as one object: capture → record → sinks, and the ledger among them → snapshot.
 */
export interface Monitor {
  /** Adds our middleware to `client` and returns it; its `withOptions()` clones record too. */
  observe<C>(client: C): C;
  /** For `new Anthropic({ middleware: [monitor.middleware()] })`; put it last. */
  middleware(): Middleware;
  /** Observes every client of the SDK's copies that can be found, as the option `instrument` does. */
  instrument(): void;
  /** Runs `fn`; calls it makes are recorded by this monitor, with this context. */
  withContext<T>(context: ContextInput, fn: () => T): T;
  /** For adapters: `withContext()` whose names are defaults, so that `contextFrom` comes first. */
  withDefaults<T>(context: ContextInput, fn: () => T): T;
  /** Adds a call that was made some other way (another transport, an import). */
  record(call: CallInput): CallRecord;
  /** Adds a sink. Returns the way to take it off again. */
  on(sink: Sink): () => void;
  snapshot(query?: SnapshotQuery): Promise<Snapshot>;
  /** Recent records, newest first. */
  calls(query?: CallsQuery): Promise<CallsPage>;
  health(): HealthReport;
  /** One line to the operator. */
  say(text: string): void;
  /** Counts something that went wrong around this monitor, for adapters. */
  fault(step: string, error: unknown): void;
  /** Ends calls under way, flushes, stops timers. Later calls pass unrecorded. */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 5_000;
const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * const monitor = createMonitor();
 * const client = monitor.observe(new Anthropic());
 */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  checkOptions('createMonitor', options, monitorRules);
  const { clock = systemClock, store = memoryStore() } = options;
  // Compiles it: a table that cannot be right is told now, not by every call.
  if (options.prices !== undefined) rateBookOf(options.prices);
  const undo = options.namespace ? [useNamespace(options.namespace)] : [];
  const say = options.onNotice ?? warn;
  const health = createHealth({ onNotice: say, onError: options.onError ?? reportFault });
  const prices = () => options.prices ?? currentPrices();
  const ledger = createLedger({ now: clock.now, health, store });
  /** With the name of the step that hands a record to each. */
  const sinks = new Map<Sink, string>();
  for (const sink of [ledger, ...(options.sinks ?? [])]) addSink(sink);
  const logSink = logSinkOf(options.log ?? true);
  if (logSink) addSink(logSink);
  const unpricedModels = new Set<string>();
  let unobserved = 0;

  const pricing: Pricing = {
    prices,
    price(call) {
      const priced = priceCall(call);
      if (priced.unknownModel !== null) sayUnpriced(priced.unknownModel);
      return priced;
    },
  };

  function sayUnpriced(model: string): void {
    if (unpricedModels.size >= MAX_UNPRICED_MODELS) return;
    unpricedModels.add(model);
    health.notice(
      `price:${model}`,
      `There is no price for the model ${show(model)}; its calls are counted as unpriced, and ` +
        'totals say "at least". Add it with registerPrices().',
    );
  }

  function addSink(sink: Sink): void {
    sinks.set(sink, `sink:${sink.name}`);
  }

  function deliver(call: CallRecord): void {
    for (const [sink, step] of sinks) {
      const pending = health.guard(step, record, sink, call);
      if (pending) pending.catch((error: unknown) => health.fault(step, error));
    }
  }

  const capture = createCapture({
    clock,
    health,
    deliver,
    pricing,
    readContext: () => readContext(health.guard, options.contextFrom),
    idleMs: options.abandonAfterMs,
  });
  undo.push(watchUnobserved(() => (unobserved += 1)));
  let instrumented = false;
  let closing: Promise<void> | undefined;

  function instrumentAll(): void {
    if (instrumented) return;
    instrumented = true;
    undo.push(instrument(capture, health));
  }

  if (options.instrument === true) instrumentAll();
  return {
    observe(client) {
      observeClient(capture, client);
      return client;
    },
    middleware: () => createMiddleware(capture),
    instrument: instrumentAll,
    withContext: (context, fn) => withOwner(capture, context, fn),
    withDefaults: (context, fn) => withDefaults(capture, context, fn),
    record(input) {
      const { call: imported, outcome } = importCall(input, clock, capture.readContext);
      const call = recordOf(imported, outcome, pricing);
      deliver(call);
      return call;
    },
    on(sink) {
      if (!rule.methods('record').ok(sink)) {
        throw new TypeError(
          `[claude-metrics] monitor.on: expected a sink ({ name, record(call) }), got ${show(sink)}.`,
        );
      }
      addSink(sink);
      return () => void sinks.delete(sink);
    },
    async snapshot(query = {}) {
      capture.sweep();
      return createSnapshot(ledger, query, {
        now: clock.now(),
        health: health.report(),
        unobserved,
        unpricedModels: [...unpricedModels],
        priceVersion: prices().version,
      });
    },
    async calls(query = {}) {
      capture.sweep();
      if (!store.calls) return { calls: [], next: null, kept: 0, capacity: 0, dropped: 0 };
      return store.calls(query);
    },
    health: () => health.report(),
    fault: health.fault,
    say(text) {
      health.guard('say', () => say(text));
    },
    close: (closeOptions) => (closing ??= closeAll(closeOptions?.timeoutMs)),
  };

  async function closeAll(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    capture.close();
    for (const step of undo) health.guard('close', step);
    const ends = [...sinks.keys()].map(async (sink) => {
      try {
        await sink.close?.();
      } catch (error) {
        health.fault(`close:${sink.name}`, error);
      }
    });
    await within(timeoutMs, Promise.all(ends));
  }

  function logSinkOf(log: NonNullable<MonitorOptions['log']>): Sink | undefined {
    if (log === false) return undefined;
    if (log === true) {
      return jsonLines({
        onDrop: (count) => health.drop('logLine', count),
        onError: (error) => health.fault('sink:json', error),
      });
    }
    return { name: 'log', record: (call) => log(callLine(call), call) };
  }
}

const MAX_UNPRICED_MODELS = 100;

function record(sink: Sink, call: CallRecord): void | Promise<void> {
  return sink.record(call);
}

function warn(text: string): void {
  console.warn(`[claude-metrics] ${text}`);
}

function reportFault(error: unknown, step: string): void {
  warn(
    `${step} failed; calls are not affected, and it is counted in health. ${show(String(error))}`,
  );
}

/** Waits for `work`, but not longer than `timeoutMs`: closing must end. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
