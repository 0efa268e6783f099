import type { AlertMessage } from './alert.js';
import type { BudgetEvent } from './budget.js';
import type { Health } from './health.js';
import { rule, show } from './options.js';
import type { CallContext, CallRecord, GivenFeedback, SdkSpan, Sink } from './record.js';
import type { SinkMonitor } from './status.js';

/** Whoever receives records, alerts, feedback and news of budgets; one that fails is counted and stops no other. */
export interface Sinks {
  /** @throws TypeError for what is no sink. */
  add(sink: Sink): () => void;
  record(call: CallRecord): void;
  alert(message: AlertMessage): void;
  budget(event: BudgetEvent): void;
  feedback(given: GivenFeedback): void;
  span(span: SdkSpan, of: CallContext, call: CallRecord | null): void;
  close(): Promise<void>;
}

/** @param monitor What sinks may ask. */
export function createSinks(health: Health, monitor?: SinkMonitor): Sinks {
  /** With the name of the step that hands something to each. */
  const sinks = new Map<Sink, string>();
  const attached = new Map<Sink, () => void>();

  function each<T>(tell: (sink: Sink, what: T) => void | Promise<void> | undefined, what: T): void {
    for (const [sink, step] of sinks) {
      const pending = health.guard(step, tell, sink, what);
      // What is given back may be anything: a logger gives itself.
      if (pending) Promise.resolve(pending).catch((error: unknown) => health.fault(step, error));
    }
  }

  function letGo(sink: Sink): void {
    const detach = attached.get(sink);
    attached.delete(sink);
    if (detach) health.guard(`sink:${sink.name}`, detach);
  }

  return {
    add(sink) {
      if (!rule.methods('record').ok(sink)) {
        throw new TypeError(
          `[claude-metrics] monitor.on: expected a sink ({ name, record(call) }), got ${show(sink)}.`,
        );
      }
      const step = `sink:${sink.name}`;
      const isNew = !sinks.has(sink);
      sinks.set(sink, step);
      const detach = isNew && monitor && health.guard(step, attach, sink, monitor);
      if (detach) attached.set(sink, detach);
      return () => {
        sinks.delete(sink);
        letGo(sink);
      };
    },
    record: (call) => each(record, call),
    alert: (message) => each(alert, message),
    budget: (event) => each(budget, event),
    feedback: (given) => each(feedback, given),
    span: (...told) => each(span, told),
    async close() {
      const ends = [...sinks.keys()].map(async (sink) => {
        try {
          await sink.close?.();
        } catch (error) {
          health.fault(`close:${sink.name}`, error);
        }
        letGo(sink);
      });
      await Promise.all(ends);
    },
  };
}

/** The way to the metrics of the first sink that has some. */
export function metricsOf(sinks: readonly Sink[] = []): Pick<Sink, 'metrics'> {
  const sink = sinks.find(hasMetrics);
  return sink ? { metrics: (accept) => sink.metrics(accept) } : {};
}

function hasMetrics(sink: Sink): sink is Sink & Required<Pick<Sink, 'metrics'>> {
  return typeof sink.metrics === 'function';
}

function attach(sink: Sink, monitor: SinkMonitor): (() => void) | undefined {
  return sink.attach?.(monitor);
}

function record(sink: Sink, call: CallRecord): void | Promise<void> {
  return sink.record(call);
}

function alert(sink: Sink, message: AlertMessage): void | Promise<void> | undefined {
  return sink.alert?.(message);
}

function budget(sink: Sink, event: BudgetEvent): void | Promise<void> | undefined {
  return sink.budget?.(event);
}

function feedback(sink: Sink, given: GivenFeedback): void | Promise<void> | undefined {
  return sink.feedback?.(given);
}

function span(sink: Sink, told: Parameters<Sinks['span']>): void {
  sink.span?.(...told);
}
