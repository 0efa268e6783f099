/** The arithmetic of cells: it only adds, exactly, in any order. */
import fc from 'fast-check';
import {
  blankCell,
  byWeight,
  createCell,
  keyOf,
  mergeCell,
  moneyAt,
  subtractSums,
  SUM,
} from '../src/cell.js';
import { NO_TOKENS } from '../src/record.js';
import { createSampler, recordSketches } from '../src/sample.js';
import { sketchToJSON } from '../src/sketch.js';
import {
  anyCall,
  callRecord,
  costing,
  costOf,
  exactOfCalls,
  exactOfCells,
} from './state-fixture.js';
import type { CallRecord } from '../src/record.js';
import type { Cell } from '../src/stores/store.js';

function cellOfCall(call: CallRecord): Cell {
  const cell = blankCell(true);
  mergeCell(cell, createSampler(() => undefined).sample(call));
  if (cell.sketches) recordSketches(cell.sketches, call);
  return cell;
}

function merged(cells: readonly Cell[]): Cell {
  const into = blankCell(true);
  for (const cell of cells) mergeCell(into, cell);
  return into;
}

/** Everything a cell says; the order of its lines says nothing. */
function contentOf(cell: Cell) {
  const lines = cell.lines.map((line, i) => ({ line, of: cell.amounts.slice(3 * i, 3 * i + 3) }));
  const text = (value: unknown) => JSON.stringify(value);
  return {
    sums: cell.sums,
    rare: cell.rare,
    lines: lines.sort((a, b) => (text(a) < text(b) ? -1 : 1)),
    sketches: cell.sketches && Object.values(cell.sketches).map(sketchToJSON),
  };
}

const someCalls = fc.array(anyCall(5, 5), { minLength: 1, maxLength: 12 });

describe('keys', () => {
  it('of different names differ, whatever they are called', () => {
    const tricky = fc.stringMatching(/^\\{0,3}\(?(other|unattributed)?\)?$/);
    const name = fc.option(fc.oneof(fc.string(), tricky));
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(a === b);
      }),
    );
  });

  it('of nobody, and of those who are called like a reserved name', () => {
    expect(keyOf(null)).toBe('(unattributed)');
    expect(keyOf('(other)')).toBe('\\(other)');
    expect(keyOf('\\(unattributed)')).toBe('\\\\(unattributed)');
    for (const name of ['ada', '', '(others)', '\\', '__proto__', 'constructor']) {
      expect(keyOf(name)).toBe(name);
    }
  });
});

describe('merging', () => {
  it('adds every number of every call, in any order and grouping', () => {
    fc.assert(
      fc.property(someCalls, fc.nat(12), (calls, cut) => {
        const cells = calls.map(cellOfCall);
        const whole = merged(cells);
        expect(exactOfCells([whole])).toEqual(exactOfCalls(calls));
        const parts = [merged(cells.slice(cut)), merged(cells.slice(0, cut))];
        expect(contentOf(merged(parts))).toEqual(contentOf(whole));
        expect(contentOf(merged([...cells].reverse()))).toEqual(contentOf(whole));
      }),
    );
  });

  it('leaves what is merged as it was, and shares nothing with it', () => {
    const from = cellOfCall(callRecord({ outcome: 'error' }));
    const before = structuredClone(from);
    const into = merged([from]);
    mergeCell(into, cellOfCall(callRecord({ model: 'other' })));
    mergeCell(into, from);
    expect(from).toEqual(before);
  });

  it('adds each distribution to its own', () => {
    const took = (i: number): Partial<CallRecord> => ({
      ...{ callMs: 100 + i, lastAttemptMs: 200 + i, ttftMs: 300 + i },
      tokens: { ...NO_TOKENS, uncachedInput: 400 + i, output: 500 + i },
    });
    const cells = [took(1), took(9)].map((patch) => cellOfCall(callRecord(patch)));
    const found = Object.entries(merged(cells).sketches!)
      .slice(0, 5)
      .map(([name, { count, min, max }]) => `${name}: ${count} from ${min} to ${max}`);
    expect(found).toEqual([
      'callMs: 2 from 101 to 109',
      'lastAttemptMs: 2 from 201 to 209',
      'ttftMs: 2 from 301 to 309',
      'input: 2 from 401 to 409',
      'output: 2 from 501 to 509',
    ]);
  });

  it('of a cell without sketches adds sums only', () => {
    const into = blankCell(false);
    mergeCell(into, cellOfCall(callRecord()));
    expect(into.sums[SUM.calls]).toBe(1);
    expect(into.sketches).toBeNull();
  });
});

describe('money', () => {
  it('stays exact beyond 2^53 nano-dollars, in sums and in lines', () => {
    const odd = 3_999_999_999_999_999;
    const call = costing(odd, { estimated: true });
    const cell = merged(Array.from({ length: 5_000 }, () => cellOfCall(call)));
    const exact = BigInt(odd) * 5_000n;
    expect(exact).toBeGreaterThan(2n ** 53n);
    expect(exactOfCells([cell])).toMatchObject({
      nanoUsd: exact,
      estimatedNanoUsd: exact,
      'output nanoUsd': exact,
    });
    expect(moneyAt(cell.sums, SUM.nanoUsd)).toBe(Number(exact));
  });

  it('of a million calls of five cache-read tokens is not lost', () => {
    const sample = cellOfCall(callRecord({ cost: costOf(['cacheRead', 5, 500]) }));
    const cell = blankCell(false);
    for (let i = 0; i < 1_000_000; i += 1) mergeCell(cell, sample);
    expect(moneyAt(cell.sums, SUM.nanoUsd)).toBe(500_000_000);
    expect(exactOfCells([cell])).toMatchObject({
      'cacheRead quantity': 5_000_000n,
      'cacheRead nanoUsd': 500_000_000n,
    });
  });
});

describe('lines', () => {
  it('of one call that differ in their rate alone add up', () => {
    const twins = callRecord({ cost: costOf(['output', 100, 1_000], ['output', 100, 2_000]) });
    const cell = merged([twins, callRecord(), twins].map(cellOfCall));
    expect(exactOfCells([cell])).toEqual(exactOfCalls([twins, callRecord(), twins]));
  });

  it('are told apart by model, class, speed, geo and tier', () => {
    const variants: Partial<CallRecord>[] = [
      { cost: costOf(['output', 1, 10]) },
      { cost: costOf(['cacheRead', 1, 10]) },
      { cost: costOf(['output', 1, 10, 'claude-haiku-4-5']) },
      { cost: costOf(['output', 1, 10]), speed: 'fast' },
      { cost: costOf(['output', 1, 10]), inferenceGeo: 'us' },
      { cost: costOf(['output', 1, 10]), serviceTier: 'batch' },
    ];
    const cells = variants.map((variant) => cellOfCall(callRecord(variant)));
    expect(merged([...cells, ...cells]).lines).toHaveLength(variants.length);
  });

  it('beyond 48 are added to one of (other) for each class, and the sums stay exact', () => {
    const calls = Array.from({ length: 300 }, (_, i) =>
      callRecord({
        cost: costOf(['output', i, 1_000 + i, `model-${i}`], ['cacheRead', 2 * i, i, `model-${i}`]),
      }),
    );
    const cell = merged(calls.map(cellOfCall));
    expect(exactOfCells([cell])).toEqual(exactOfCalls(calls));
    expect(cell.lines).toHaveLength(48 + 2);
    const rest = cell.lines.filter(({ model }) => model === '(other)');
    expect(rest.map((line) => line.class).sort()).toEqual(['cacheRead', 'output']);
  });
});

describe('taking out', () => {
  it('what was put in leaves the rest, exactly', () => {
    fc.assert(
      fc.property(someCalls, someCalls, (first, second) => {
        const whole = merged([...first, ...second].map(cellOfCall));
        expect(subtractSums(whole, merged(first.map(cellOfCall)))).toBe(true);
        expect(exactOfCells([whole])).toEqual(exactOfCalls(second));
      }),
    );
  });

  it.each<[string, Partial<CallRecord>]>([
    ['more money', { cost: costOf(['output', 500, 10_000_001]) }],
    ['more of a line', { cost: costOf(['output', 501, 5_000_000], ['cacheRead', 0, 5_000_000]) }],
    ['more errors', { outcome: 'error' }],
    ['more attempts', { attempts: [...callRecord().attempts, ...callRecord().attempts] }],
  ])('%s than there is, is refused', (_, more) => {
    const whole = cellOfCall(callRecord());
    expect(subtractSums(whole, cellOfCall(callRecord(more)))).toBe(false);
  });
});

describe('weight', () => {
  it('is money, then calls, then the name, so that there is one order', () => {
    const a = { name: 'a', nanoUsd: 1, calls: 9 };
    const b = { name: 'b', nanoUsd: 2, calls: 1 };
    const c = { name: 'c', nanoUsd: 2, calls: 2 };
    const d = { name: 'd', nanoUsd: 2, calls: 2 };
    for (const list of [
      [a, b, c, d],
      [d, c, b, a],
      [c, a, d, b],
    ]) {
      expect(list.sort(byWeight).map(({ name }) => name)).toEqual(['c', 'd', 'b', 'a']);
    }
    expect(byWeight(a, { ...a })).toBe(0);
  });
});

describe('a new cell', () => {
  it('is zero, JSON-safe, and has sketches where its family keeps them', () => {
    const cell = createCell('user-model', 60_000, 120_000, ['ada', 'claude-sonnet-5-5']);
    expect(exactOfCells([cell])).toEqual({});
    expect(JSON.parse(JSON.stringify(cell))).toEqual(cell);
    expect(cell.sketches).toBeNull();
    for (const family of ['total', 'feature-model'] as const) {
      expect(createCell(family, 60_000, 0, ['', '']).sketches?.callMs.count).toBe(0);
    }
  });
});
