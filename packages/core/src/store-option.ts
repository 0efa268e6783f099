import { memoryStore } from './stores/memory.js';
import { sqliteStore } from './stores/sqlite.js';
import { rule, type OptionRule } from './options.js';
import type { Health } from './health.js';
import type { BudgetStore } from './stores/budget-store.js';
import type { Store } from './stores/store.js';

/** What a monitor is given as its store: one for everything, one for each purpose, or the path of a file. */
export type StoreOption = Store | StoreParts | string;

export interface StoreParts {
  /** Cells and recent calls. */
  readonly cells: Store;
  /** Money of budgets; default that of `cells`. Of a whole store, its `budgets` are taken. */
  readonly budgets?: Store | BudgetStore | undefined;
}

export interface Stores {
  readonly cells: Store;
  readonly budgets: BudgetStore | undefined;
  /** The store of budgets, where it is another one. */
  readonly apart: Partial<Store> | undefined;
}

export const storeRule: OptionRule = rule.either(rule.methods('merge', 'read'), rule.text, {
  allowed: '{ cells: a store, budgets: a store that has budgets }',
  ok(value) {
    const { cells, budgets } = (value ?? {}) as { cells?: unknown; budgets?: unknown };
    return isStore(cells) && (budgets === undefined || budgetsOf(budgets) !== undefined);
  },
});

/** @throws Error for a file that cannot be opened, or when no driver for it is installed. */
export function storesOf(option: StoreOption = memoryStore()): Stores {
  if (typeof option === 'string') return storesOf(sqliteStore({ file: option }));
  if (isStore(option)) return { cells: option, budgets: option.budgets, apart: undefined };
  const { cells, budgets = cells } = option;
  const apart = budgets === cells ? undefined : (budgets as Partial<Store>);
  return { cells, budgets: budgetsOf(budgets), apart };
}

/** What stores say of themselves goes where all that goes wrong goes. */
export function listenTo({ cells, apart }: Stores, health: Health): void {
  for (const store of [cells, apart]) {
    store?.onProblem?.((problem) => {
      if (problem.kind === 'notice') health.notice(problem.name, problem.text);
      else if (problem.kind === 'fault') health.fault(problem.name, problem.error);
      else health.drop(problem.name, problem.count);
    });
  }
}

/** Says what a store that outlives its process cannot do. */
export function sayWhatIsMissing({ cells, budgets }: Stores, withBudgets: boolean, health: Health) {
  const missing = [
    cells.calls ? '' : 'keeps no recent calls',
    cells.forgetUser ? '' : 'cannot forget a user',
    budgets || !withBudgets ? '' : 'has no budgets: every process has the limits for itself',
  ].filter((each) => each !== '');
  if (cells.name === 'memory' || missing.length === 0) return;
  health.notice(
    'store.missing',
    `The store ${JSON.stringify(cells.name)} ${missing.join(', and ')}.`,
  );
}

function isStore(value: unknown): value is Store {
  return rule.methods('merge', 'read').ok(value);
}

function budgetsOf(value: unknown): BudgetStore | undefined {
  if (rule.methods('exchange', 'accounts').ok(value)) return value as BudgetStore;
  return isStore(value) ? value.budgets : undefined;
}
