import type { AlertMessage } from './alert.js';
import type { BudgetEvent } from './budget.js';
import type { Health } from './health.js';
import { rule, show } from './options.js';
import type { CallRecord, Sink } from './record.js';

/** Whoever receives records, alerts and news of budgets; one that fails is counted and stops no other. */
export interface Sinks {
  /** @throws TypeError for what is no sink. */
  add(sink: Sink): () => void;
  record(call: CallRecord): void;
  alert(message: AlertMessage): void;
  budget(event: BudgetEvent): void;
  close(): Promise<void>;
}

export function createSinks(health: Health): Sinks {
  /** With the name of the step that hands something to each. */
  const sinks = new Map<Sink, string>();

  function each<T>(tell: (sink: Sink, what: T) => void | Promise<void> | undefined, what: T): void {
    for (const [sink, step] of sinks) {
      const pending = health.guard(step, tell, sink, what);
      if (pending) pending.catch((error: unknown) => health.fault(step, error));
    }
  }

  return {
    add(sink) {
      if (!rule.methods('record').ok(sink)) {
        throw new TypeError(
          `[claude-metrics] monitor.on: expected a sink ({ name, record(call) }), got ${show(sink)}.`,
        );
      }
      sinks.set(sink, `sink:${sink.name}`);
      return () => void sinks.delete(sink);
    },
    record: (call) => each(record, call),
    alert: (message) => each(alert, message),
    budget: (event) => each(budget, event),
    async close() {
      const ends = [...sinks.keys()].map(async (sink) => {
        try {
          await sink.close?.();
        } catch (error) {
          health.fault(`close:${sink.name}`, error);
        }
      });
      await Promise.all(ends);
    },
  };
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
