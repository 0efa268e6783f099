import { accountCases } from './store-contract/accounts.js';
import { addingCases } from './store-contract/adding.js';
import { batchCases } from './store-contract/batches.js';
import { boundCases } from './store-contract/bounds.js';
import { boundedCallCases, callCases } from './store-contract/calls.js';
import { closedBudgetCases, closingCases } from './store-contract/closing.js';
import { crowdCases } from './store-contract/crowd.js';
import { expectGiven } from './store-contract/expectation.js';
import { expiryCases } from './store-contract/expiry.js';
import {
  boundedFindingCases,
  durableFindingCases,
  findingCases,
  forgettingFindingCases,
  sharedFindingCases,
} from './store-contract/finding.js';
import {
  forgettingBatchCases,
  forgettingCallCases,
  forgettingCases,
} from './store-contract/forgetting.js';
import { keepingCases } from './store-contract/keeping.js';
import { meanwhileCases } from './store-contract/meanwhile.js';
import { nameCases } from './store-contract/names.js';
import { closedNoteCases, durableNoteCases, noteCases } from './store-contract/notes.js';
import { numberCases } from './store-contract/numbers.js';
import { questionCases } from './store-contract/questions.js';
import { readingCases } from './store-contract/reading.js';
import { spendingCases } from './store-contract/spending.js';
import { onStage, type Cases } from './store-contract/stage.js';
import { timeCases } from './store-contract/time.js';
import {
  durableBudgetCases,
  durableCallCases,
  durableCases,
  sharedBoundCases,
  sharedCallCases,
  sharedCases,
} from './store-contract/views.js';
import type { ContractCase } from './adapter-contract/subject.js';
import type { OptionalPart, StoreSubject } from './store-contract/subject.js';

export type * from './store-contract/subject.js';

/**
 * What a store can beyond adding and reading cells. `batches`: it knows a batch by its name, which
 * every store has to whose answers can be lost on their way.
 */
export type StoreCapability = OptionalPart | 'batches' | 'durable' | 'shared';

export interface StoreContract {
  readonly cases: readonly ContractCase[];
  /** What the store cannot, so that there are no cases about it: to be shown. */
  readonly missing: readonly StoreCapability[];
}

type Group = readonly [needs: readonly StoreCapability[], cases: Cases];

const METHODS = ['calls', 'findCall', 'close', 'forgetUser'] as const;
const PARTS = ['budgets', 'notes'] as const;
const CAPABILITIES: readonly StoreCapability[] = [
  ...METHODS,
  ...PARTS,
  ...(['maxCalls', 'batches', 'durable', 'shared'] as const),
];

const methodCases: Cases = {
  async 'has a name, and the optional methods and parts that its subject says'({ open, subject }) {
    const { store } = await open();
    expectGiven(typeof store.name, 'string', 'type of the name');
    const methods = METHODS.filter((name) => typeof store[name] === 'function');
    expectGiven(methods, METHODS.filter(has(subject)), 'optional methods, by subject.lacks');
    const parts = PARTS.filter((name) => store[name] !== undefined);
    expectGiven(parts, PARTS.filter(has(subject)), 'optional parts, by subject.lacks');
    expectGiven(typeof store.addCalls, typeof store.calls, 'type of addCalls, beside calls');
  },
};

const GROUPS: readonly Group[] = [
  [[], methodCases],
  [[], addingCases],
  [[], keepingCases],
  [['batches'], batchCases],
  [[], readingCases],
  [[], nameCases],
  [[], timeCases],
  [[], boundCases],
  [[], meanwhileCases],
  [['calls'], callCases],
  [['calls', 'maxCalls'], boundedCallCases],
  [['calls'], questionCases],
  [['calls', 'findCall'], findingCases],
  [['calls', 'findCall', 'maxCalls'], boundedFindingCases],
  [['close'], closingCases],
  [['durable'], durableCases],
  [['durable', 'calls'], durableCallCases],
  [['durable', 'calls', 'findCall'], durableFindingCases],
  [['shared', 'calls', 'findCall'], sharedFindingCases],
  [['shared'], sharedCases],
  [['shared', 'calls'], sharedCallCases],
  [['shared', 'calls', 'maxCalls'], sharedBoundCases],
  [['forgetUser'], forgettingCases],
  [['forgetUser', 'batches'], forgettingBatchCases],
  [['forgetUser', 'calls'], forgettingCallCases],
  [['forgetUser', 'calls', 'findCall'], forgettingFindingCases],
  [['budgets'], spendingCases],
  [['budgets'], numberCases],
  [['budgets'], expiryCases],
  [['budgets'], accountCases],
  [['budgets'], crowdCases],
  [['budgets', 'close'], closedBudgetCases],
  [['budgets', 'durable'], durableBudgetCases],
  [['notes'], noteCases],
  [['notes', 'close'], closedNoteCases],
  [['notes', 'durable'], durableNoteCases],
];

/**
 * What every store must do, as cases for any test runner. Each case opens stores of its own; time is
 * what the case says, and chance is the same every time.
 *
 * @example
 * const { cases, missing } = storeContract({ core, open, durable: true, shared: false });
 * it.each(cases)('$name', ({ run }) => run());
 * for (const capability of missing) it.todo(capability);
 */
export function storeContract(subject: StoreSubject): StoreContract {
  const missing = CAPABILITIES.filter((name) => !can(subject, name));
  const cases = GROUPS.filter(([needs]) => !needs.some((name) => missing.includes(name)));
  return {
    missing,
    cases: cases.flatMap(([, group]) =>
      Object.entries(group).map(([name, play]) => ({ name, run: () => onStage(subject, play) })),
    ),
  };
}

function can(subject: StoreSubject, name: StoreCapability): boolean {
  if (name === 'durable' || name === 'shared') return subject[name];
  return name === 'batches' ? subject.durable || subject.shared : has(subject)(name);
}

function has({ lacks = [] }: StoreSubject): (name: OptionalPart) => boolean {
  return (name) => !lacks.includes(name);
}
