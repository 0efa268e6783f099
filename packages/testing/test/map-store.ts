import { createCell, FAMILIES, keyOf, mergeCell, moneyAt, RARE, SUM } from '../../core/src/cell.js';
import { applyExchange } from '../../core/src/exchange.js';
import { recordValue } from '../../core/src/sketch.js';
import {
  createMoney,
  mapBudgets,
  mapNotes,
  rightMoney,
  type Act,
  type Money,
  type MoneyParts,
} from './map-budgets.js';
import { pageOf } from './map-calls.js';
import type { CallRecord } from '../../core/src/record.js';
import type { BudgetStore, SharedNotes } from '../../core/src/stores/budget-store.js';
import type { Cell, Store } from '../../core/src/stores/store.js';
import type { StoreOpenOptions, StoreSubject } from '../src/index.js';

/**
 * The smallest store there is, over a Map that any number of views share, and ways to make it wrong,
 * to see that the contract tells.
 */
export interface MapStore extends Store {
  readonly budgets: BudgetStore;
  readonly notes: SharedNotes;
  forgetUser(userId: string): Promise<void>;
}

/** What all views share. */
export interface Data {
  /** Cells by address, in buckets. */
  readonly buckets: Map<string, Map<string, Cell>>;
  readonly batches: Map<string, number>;
  calls: { readonly number: number; readonly record: CallRecord }[];
  added: number;
  readonly money: Money;
  /** Does one thing after the other. */
  inTurn<T>(act: () => T): Promise<T>;
}

/** What the store is made of, each to be replaced by something wrong. */
export interface Parts {
  bucketOf(cell: Pick<Cell, 'bucketMs' | 'at'>): string;
  addressOf(cell: Cell): string;
  /** @throws for what is no cell. */
  check(cell: Cell): void;
  /** What is kept of the first cell of an address. */
  keep(cell: Cell): Cell;
  add(into: Cell, from: Cell): void;
  /** Names of the lightest, to be merged: those beyond `keep` of more than twice as many. */
  lightest(cells: readonly Cell[], position: 0 | 1, keep: number): ReadonlySet<string>;
  isOver(bucket: { bucketMs: number; at: number }, retentionMs: number, now: number): boolean;
}

export interface Wrong {
  readonly parts?: Partial<Parts>;
  readonly money?: Partial<MoneyParts>;
  wrap?(right: MapStore, data: Data): Partial<MapStore>;
}

const MINUTE = 60_000;
const KEEP = 500;
const right: Parts = {
  bucketOf: ({ bucketMs, at }) => `${bucketMs} ${at}`,
  addressOf: ({ family, key }) => JSON.stringify([family, key]),
  check({ family, bucketMs, at, key, sums, lines }) {
    if (!(at % bucketMs === 0 && sums.length > 0 && lines.length >= 0 && key.length === 2)) {
      throw new TypeError(`not a cell of ${family}`);
    }
  },
  keep(cell) {
    const kept = createCell(cell.family, cell.bucketMs, cell.at, cell.key);
    mergeCell(kept, cell);
    return kept;
  },
  add: mergeCell,
  lightest(cells, position, keep) {
    const weights = new Map<string, number>();
    for (const { key, sums } of cells) {
      const name = key[position];
      weights.set(name, (weights.get(name) ?? 0) + moneyAt(sums, SUM.nanoUsd));
    }
    if (weights.size <= 2 * keep) return new Set();
    const names = [...weights].sort(([, a], [, b]) => b - a).map(([name]) => name);
    return new Set(names.slice(keep));
  },
  isOver: ({ bucketMs, at }, retentionMs, now) => at + bucketMs < now - retentionMs,
};

export function subjectWith(wrong: Wrong = {}, durable = true): StoreSubject {
  return {
    core: { applyExchange, createCell, FAMILIES, RARE, recordValue, SUM },
    durable,
    shared: durable,
    async open(options = {}) {
      const data = createData();
      const parts = { ...right, ...wrong.parts };
      const moneyParts = { ...rightMoney, ...wrong.money };
      const view = () => {
        const store = mapStore(data, options, parts, moneyParts);
        return { ...store, ...wrong.wrap?.(store, data) };
      };
      const passTime = async (ms: number) => void (data.money.now += ms);
      return { store: view(), reopen: async () => view(), passTime, close: async () => {} };
    },
  };
}

function createData(): Data {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    buckets: new Map(),
    batches: new Map(),
    calls: [],
    added: 0,
    money: createMoney(),
    inTurn(act) {
      const done = turn.then(act);
      turn = done.catch(() => undefined);
      return done;
    },
  };
}

function mapStore(
  data: Data,
  options: StoreOpenOptions,
  parts: Parts,
  money: MoneyParts,
): MapStore {
  const { retention = 30 * 24 * 60 * MINUTE, maxCalls = 1_000 } = options;
  const resolutions = [
    { bucketMs: MINUTE, retentionMs: Math.min(retention, 180 * MINUTE) },
    { bucketMs: 15 * MINUTE, retentionMs: retention },
  ];
  let closed = false;

  const act: Act = async (what) => {
    if (closed) throw new Error('the store is closed');
    return data.inTurn(what);
  };

  function addCell(cell: Cell): void {
    const name = parts.bucketOf(cell);
    const bucket = data.buckets.get(name) ?? new Map<string, Cell>();
    data.buckets.set(name, bucket);
    const address = parts.addressOf(cell);
    const kept = bucket.get(address);
    if (kept) parts.add(kept, cell);
    else bucket.set(address, parts.keep(cell));
  }

  function rename(bucket: Map<string, Cell>, key: (cell: Cell) => Cell['key'] | null): void {
    for (const [address, cell] of [...bucket]) {
      const renamed = key(cell);
      if (renamed === null) continue;
      bucket.delete(address);
      addCell({ ...cell, key: renamed });
    }
  }

  function cap(bucket: Map<string, Cell>): void {
    for (const family of ['feature-model', 'user-model', 'user-feature']) {
      const cells = [...bucket.values()].filter((cell) => cell.family === family);
      const first = parts.lightest(cells, 0, KEEP);
      const second = parts.lightest(cells, 1, KEEP);
      if (first.size + second.size === 0) continue;
      rename(bucket, (cell) => {
        if (cell.family !== family) return null;
        const key = [cell.key[0], cell.key[1]] as [string, string];
        if (first.has(key[0])) key[0] = '(other)';
        if (second.has(key[1])) key[1] = '(other)';
        return key[0] === cell.key[0] && key[1] === cell.key[1] ? null : key;
      });
    }
  }

  return {
    name: 'map',
    resolutions,
    merge: (cells, now, batch) =>
      act(() => {
        if (batch !== undefined && data.batches.has(batch)) return;
        cells.forEach(parts.check);
        const known = cells.filter(({ bucketMs, family }) => {
          return family in FAMILIES && resolutions.some((each) => each.bucketMs === bucketMs);
        });
        known.forEach(addCell);
        for (const name of new Set(known.map(parts.bucketOf))) cap(data.buckets.get(name)!);
        for (const [name, bucket] of data.buckets) {
          const [bucketMs = 0, at = 0] = name.split(' ').map(Number);
          const { retentionMs } = resolutions.find((each) => each.bucketMs === bucketMs)!;
          if (parts.isOver({ bucketMs, at }, retentionMs, now)) data.buckets.delete(name);
          else if (bucket.size === 0) data.buckets.delete(name);
        }
        if (batch !== undefined) data.batches.set(batch, now);
      }),
    read: ({ from, to, bucketMs, families }) =>
      act(() =>
        [...data.buckets.values()]
          .flatMap((bucket) => [...bucket.values()])
          .filter((cell) => cell.bucketMs === bucketMs && cell.at >= from && cell.at < to)
          .filter(({ family }) => families.includes(family))
          .map(right.keep),
      ),
    addCalls: (calls) =>
      act(() => {
        for (const record of calls) data.calls.push({ number: (data.added += 1), record });
        data.calls = data.calls.slice(-maxCalls);
      }),
    calls: (query) => act(() => pageOf(data, query, maxCalls)),
    findCall: (messageId) =>
      act(
        () => data.calls.findLast(({ record }) => record.messageId === messageId)?.record ?? null,
      ),
    forgetUser: (userId) =>
      act(() => {
        const gone = keyOf(userId);
        for (const bucket of data.buckets.values()) {
          rename(bucket, ({ family, key }) =>
            family.startsWith('user-') && key[0] === gone ? ['(other)', key[1]] : null,
          );
        }
        data.calls = data.calls.map(({ number, record }) => {
          if (record.userId !== userId) return { number, record };
          return { number, record: Object.freeze({ ...record, userId: null }) };
        });
      }),
    budgets: mapBudgets(data.money, money, act),
    notes: mapNotes(data.money, act),
    async close() {
      closed = true;
      await data.inTurn(() => undefined);
    },
  };
}
