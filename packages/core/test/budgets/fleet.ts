/** Several budget engines, as of several processes, over one store of money. */
import { createBudgets, type Budgets } from '../../src/budgets/budgets.js';
import { budgetsOf, type BudgetOptions } from '../../src/budgets/options.js';
import type { HeldTicket } from '../../src/budgets/tickets.js';
import type { BudgetEvent } from '../../src/budget.js';
import type { Refusal, Ticket } from '../../src/gate.js';
import { createHealth } from '../../src/health.js';
import { prices } from '../../src/prices.js';
import type { BudgetStore } from '../../src/stores/budget-store.js';
import { NOW } from '../state-fixture.js';
import { asked, held, NANO, refused, type AskedCall } from './engine.js';

export interface Process {
  readonly budgets: Budgets;
  readonly clock: { now: number; monotonic: number };
  readonly events: BudgetEvent[];
  readonly health: ReturnType<typeof createHealth>;
  admit(call?: AskedCall): Promise<Ticket | Refusal | null>;
  /** A call that must be let go on. */
  hold(call?: AskedCall): Promise<HeldTicket>;
  /** A call that must be refused. */
  refusal(call?: AskedCall): Promise<Refusal>;
  /** As happens once a second, until its exchange is over. */
  tick(): Promise<void>;
}

export interface FleetOptions {
  readonly store: BudgetStore;
  readonly budgets: readonly BudgetOptions[];
  readonly leaseMs?: number;
  readonly storeTimeoutMs?: number;
}

export async function startProcess(options: FleetOptions): Promise<Process> {
  const clock = { now: NOW, monotonic: 0 };
  const events: BudgetEvent[] = [];
  const health = createHealth();
  const budgets = createBudgets({
    budgets: budgetsOf('test', options.budgets),
    now: () => clock.now,
    monotonic: () => clock.monotonic,
    ...{ health, store: options.store },
    prices: () => prices,
    ceiling: () => null,
    onEvent: (event) => events.push(event),
    leaseMs: options.leaseMs,
    storeTimeoutMs: options.storeTimeoutMs ?? 50,
  });
  await budgets.ready;
  const admit = async (call?: AskedCall) => budgets.admit(asked({ at: clock.now, ...call }));
  return {
    ...{ budgets, clock, events, health, admit },
    hold: async (call) => held(await admit(call)),
    refusal: async (call) => refused(await admit(call)),
    async tick() {
      budgets.tick();
      await turns();
    },
  };
}

/** Lets everything happen that needs no time. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Spent and held as this process reports them, in nano-dollars. */
export async function moneyIn({ budgets }: Process, name: string, scope: string | null = null) {
  await budgets.refresh();
  const report = budgets.reports(Infinity).find((each) => each.name === name);
  const found = report?.scopes.find((each) => each.scope === scope);
  return {
    spent: Math.round((found?.spentUsd ?? 0) * NANO),
    held: Math.round((found?.heldUsd ?? 0) * NANO),
  };
}
