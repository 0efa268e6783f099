import { createAlerts } from './alerts/engine.js';
import { createBudgets } from './budgets/budgets.js';
import { budgetsOf } from './budgets/options.js';
import { admissionOf } from './budgets/spend-request.js';
import { createCallPricing } from './call-pricing.js';
import { createCallSpans } from './call-span.js';
import { recordOf } from './call.js';
import { createCapture } from './capture.js';
import type { Clock } from './clock.js';
import { currentCeiling, namesToCome, readContext, withDefaults, withOwner } from './context.js';
import { createFeedback } from './feedback.js';
import { createForgetting } from './forgetting.js';
import { createHealth } from './health.js';
import { importCall } from './import.js';
import { createMiddleware, instrument, observeClient } from './instrument.js';
import { createLedger } from './ledger.js';
import { limited, logSinksOf, voiceOf } from './log-sinks.js';
import type { Monitor } from './monitor-api.js';
import { monitorRules, type MonitorOptions } from './monitor-options.js';
import { channel } from './notify/channels.js';
import { createDelivery } from './notify/delivery.js';
import { checkOptions } from './options.js';
import { peopleOf } from './people.js';
import { currentPrices } from './pricing.js';
import { rateBookOf } from './rates.js';
import type { Sink } from './record.js';
import { useNamespace } from './scope.js';
import { closeOnSignals } from './signals.js';
import { createSinks, metricsOf } from './sinks.js';
import { createSnapshot, type Snapshot, type SnapshotQuery } from './snapshot.js';
import type { MonitorStatus } from './status.js';
import { listenTo, sayWhatIsMissing, storesOf } from './store-option.js';
import { watchUnobserved } from './unobserved.js';
import { sourceOf, workerOf } from './workers.js';

export type { Monitor } from './monitor-api.js';

/** A process that has nothing to do any more still brings its last minute to the store. */
const FLUSH_EVERY_MS = 60_000;
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
  const { clock = systemClock } = options;
  const { now, monotonic } = clock;
  // Compiles it: a table that cannot be right is told now, not by every call.
  if (options.prices !== undefined) rateBookOf(options.prices);
  const budgetList = budgetsOf('createMonitor', options.budgets ?? []);
  const lookers = { budgets: budgetList, rules: options.alerts ?? [] };
  const people = peopleOf('createMonitor', options.userIds, lookers);
  const voice = voiceOf(options);
  const { own, say } = voice;
  const health = createHealth({ onNotice: say, onError: voice.report });
  const prices = () => options.prices ?? currentPrices();
  const stores = storesOf(options.store);
  const store = stores.cells;
  const ownBudgets = budgetList.length > 0 && stores.budgets === undefined;
  listenTo(stores, health);
  sayWhatIsMissing(stores, budgetList.length > 0, health);
  const ledger = createLedger({ now, health, store });
  const sinks = createSinks(health, { status, fault: health.fault });
  const userName = people.nameOf;
  const feedback = createFeedback({ ledger, health, store, tell: sinks.feedback, userName });
  const sayBudget = limited(say, now, () => health.drop('budgetLine'));
  const budgets = createBudgets({
    ...{ budgets: budgetList, now, monotonic, health, prices },
    ...{ store: stores.budgets, ceiling: currentCeiling, userName },
    ...{ leaseMs: options.budgetLeaseMs, storeTimeoutMs: options.budgetTimeoutMs },
    notes: stores.apart?.notes ?? store.notes,
    onEvent(event) {
      // A logger of the application's hears of it as a sink.
      if (!own || options.onNotice) health.guard('say', sayBudget, event.text);
      sinks.budget(event);
    },
  });
  const delivery = createDelivery({ channels: channelsOf(options, own), health });
  const alerts = createAlerts({
    ...{ rules: options.alerts ?? [], source: ledger, health, now },
    ...{ everyMs: options.alertEveryMs, monotonic, notes: store.shared ? store.notes : null },
    budgets() {
      // What others have spent is what was heard of it at the last look.
      void budgets.refresh();
      return budgets.reports(ALERTED_SCOPES);
    },
    snapshot,
    link: () => options.dashboardUrl ?? null,
    send(message) {
      delivery.push(message);
      sinks.alert(message);
    },
  });
  for (const sink of [ledger, feedback, alerts, ...(options.sinks ?? [])]) sinks.add(sink);
  for (const sink of logSinksOf(options, voice, health, now)) sinks.add(sink);
  // Last of what can throw: another namespace would be let go by nobody.
  const undo = options.namespace ? [useNamespace(options.namespace)] : [];
  const pricing = createCallPricing(prices, health);
  const spans = createCallSpans(health.guard, sinks.span);
  let unobserved = 0;
  const capture = createCapture({
    clock,
    health,
    begun: spans.begun,
    deliver(record, call) {
      spans.ended(call, record);
      sinks.record(record);
    },
    pricing,
    gate: budgets,
    readContext: () => readContext(health.guard, options.contextFrom, people.asked),
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

  alerts.start();
  const flushing = setInterval(() => void ledger.flush(), FLUSH_EVERY_MS).unref();
  if (options.instrument === true) instrumentAll();
  const monitor: Monitor = {
    observe(client) {
      observeClient(capture, client);
      return client;
    },
    middleware: (of) => createMiddleware(capture, of && { constructor: of }),
    instrument: instrumentAll,
    withContext: (context, fn) => withOwner(capture, context, fn),
    withDefaults: (context, fn) => withDefaults(capture, context, fn),
    record(input) {
      const { call: imported, outcome } = importCall(input, clock, capture.readContext);
      const call = recordOf(imported, outcome, pricing);
      health.guard('budgets.charge', budgets.charge, call);
      sinks.record(call);
      return call;
    },
    async canSpend(request) {
      const context = capture.readContext();
      await Promise.all([budgets.ready, namesToCome(context)]);
      return budgets.canSpend(admissionOf(request, now(), context));
    },
    async adjust(input) {
      await budgets.ready;
      return budgets.adjust(input);
    },
    adjustments: budgets.adjustments,
    pause: (feature, reason) => budgets.pause(feature, reason ?? null),
    resume: budgets.resume,
    paused: budgets.paused,
    feedback: feedback.add,
    ...createForgetting({ people, ledger, stores, budgets, alerts, feedback, capture }),
    async alerts() {
      await alerts.refresh();
      return { ...alerts.page(), channels: delivery.reports() };
    },
    evaluateAlerts: alerts.evaluate,
    silence: (id, forMs) => alerts.silence(id, forMs === null ? null : now() + forMs),
    on: sinks.add,
    snapshot,
    async calls(query = {}) {
      capture.sweep();
      if (!store.calls) return { calls: [], next: null, kept: 0, capacity: 0, dropped: 0 };
      return store.calls(query);
    },
    ...metricsOf(options.sinks),
    health: () => health.report(),
    fault: health.fault,
    say(text) {
      health.guard('say', () => say(text));
    },
    close: (closeOptions) => (closing ??= closeAll(closeOptions?.timeoutMs)),
  };
  const stopListening = closeOnSignals(options.closeOn ?? [], () => monitor.close(), health);
  return monitor;

  async function snapshot(query: SnapshotQuery = {}): Promise<Snapshot> {
    return createSnapshot(ledger, query, {
      ...(await status()),
      now: now(),
      source: sourceOf(store.shared === true, workerOf(), ownBudgets),
      unpricedModels: pricing.unpricedModels(),
      usage: options.usage,
    });
  }

  async function status(): Promise<MonitorStatus> {
    capture.sweep();
    await Promise.all([budgets.refresh(), alerts.refresh()]);
    const { firing, pending, silenced } = alerts.page();
    return {
      budgets: budgets.reports(),
      alerts: { firing, pending: pending.length, silenced: silenced.length },
      health: health.report(),
      unobserved,
      priceVersion: prices().version,
    };
  }

  async function closeAll(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    capture.close();
    clearInterval(flushing);
    for (const step of undo) health.guard('close', step);
    try {
      await within(timeoutMs, Promise.all([closeStores(), delivery.close(timeoutMs)]));
    } finally {
      stopListening();
    }
  }

  /** The ledger, one of the sinks, closes the store. */
  async function closeStores(): Promise<void> {
    const budgetsClosed = budgets
      .close()
      .catch((error: unknown) => health.fault('budgets.close', error));
    // While there is a store: that this process leads no more.
    await Promise.all([budgetsClosed, alerts.close()]);
    await sinks.close();
    await stores.apart?.close?.();
  }
}

/** Of each budget, nearest to their limit first. */
const ALERTED_SCOPES = 500;

function channelsOf({ channels, alerts }: MonitorOptions, own: Sink | null) {
  return channels ?? (alerts?.length && !own ? [channel.log()] : []);
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
