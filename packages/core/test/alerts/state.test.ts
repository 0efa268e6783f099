/** What an engine knows, as text and back. */
import fc from 'fast-check';
import { stateOf, textOf, type AlertsState, type SavedEntry } from '../../src/alerts/state.js';
import { NOW } from '../state-fixture.js';
import { times } from './alert-fixture.js';

const moment = fc.integer({ min: -8.64e15, max: 8.64e15 });
const span = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const figure = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));
const word = fc.string({ maxLength: 80, unit: 'binary' });
const line = fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme-ascii' }).map((text) => {
  return text.trim();
});

const entry: fc.Arbitrary<SavedEntry> = fc.record({
  rule: word,
  group: fc.option(
    fc.record({
      by: fc.constantFrom('model' as const, 'feature' as const, 'user' as const, 'budget' as const),
      key: word,
    }),
  ),
  machine: fc.record({
    phase: fc.constantFrom('ok' as const, 'pending' as const, 'firing' as const),
    at: moment,
    heldMs: fc.option(span),
    told: fc.boolean(),
    sinceToldMs: fc.oneof(span, fc.constant(Infinity)),
    silence: fc.option(fc.record({ until: moment, leftMs: span })),
    since: moment,
    firedAt: fc.option(moment),
    resolvedAt: fc.option(moment),
  }),
  last: fc.record({
    breached: fc.boolean(),
    cleared: fc.boolean(),
    value: figure,
    limit: figure,
    title: line,
  }),
});

const anyState: fc.Arbitrary<AlertsState> = fc.record({
  revision: fc.record({ number: fc.maxSafeNat(), by: word }),
  at: moment,
  entries: fc.array(entry, { maxLength: 5 }),
  recent: fc.array(entry, { maxLength: 5 }),
  failing: fc.array(fc.tuple(word, line), { maxLength: 3 }),
  granted: fc.array(word, { maxLength: 3 }),
});

const example = fc.sample(anyState, { numRuns: 1, seed: 7 })[0]!;
const one = fc.sample(entry, { numRuns: 1, seed: 7 })[0]!;
const small: AlertsState = {
  ...example,
  at: NOW,
  revision: { number: 1, by: 'ada' },
  entries: [one],
};

function changed(path: readonly string[], value: unknown): string {
  const copy = JSON.parse(textOf(small).text) as Record<string, unknown>;
  const last = path.at(-1)!;
  const owner = path.slice(0, -1).reduce((at, key) => at[key] as typeof copy, copy);
  owner[last] = value;
  return JSON.stringify(copy);
}

describe('a state', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const { text, left } = textOf(state);
        expect(left).toBe(0);
        // Minus zero is zero in JSON.
        expect(stateOf(text)).toEqual(JSON.parse(JSON.stringify(state), infinite));
      }),
    );
  });

  it('is none in any text that is none, and nothing throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(stateOf(text)).toBeNull();
      }),
    );
  });

  it('is whole or none, whichever of its parts is another thing', () => {
    const parts: fc.Arbitrary<readonly string[]> = fc.constantFrom(
      ...[['at'], ['revision'], ['revision', 'number'], ['revision', 'by'], ['entries']],
      ...[['recent'], ['failing'], ['granted'], ['entries', '0'], ['entries', '0', 'machine']],
      ...['phase', 'at', 'told', 'since'].map((name) => ['entries', '0', 'machine', name]),
      ...['breached', 'cleared', 'title'].map((name) => ['entries', '0', 'last', name]),
    );
    fc.assert(
      fc.property(parts, fc.constantFrom({}, 'x'.repeat(5_000), [[]], -1.5e300), (path, value) => {
        expect(stateOf(changed(path, value))).toBeNull();
      }),
    );
  });

  it.each([
    [['entries', '0', 'group'], { by: 'planet', key: 'mars' }],
    [['entries', '0', 'group'], { by: 'user', key: 'x'.repeat(4_001) }],
    [['entries', '0', 'machine', 'silence'], { until: NOW, leftMs: -1 }],
    [['entries', '0', 'machine', 'sinceToldMs'], -1],
    [['entries', '0', 'machine', 'firedAt'], 8.64e15 + 1],
    [['entries'], times(10_001, () => one)],
    [['version'], 'x'],
    [['version'], -1],
  ] as const)('is none with something else as %j', (path, value) => {
    expect(stateOf(changed(path, value))).toBeNull();
  });

  it('takes nothing that it does not know, and shows nothing that cannot be seen', () => {
    const text = changed(['entries', '0', 'last', 'title'], 'a\u202eb\u0000\nc');
    expect(stateOf(text)).toMatchObject({ entries: [{ last: { title: 'a b c' } }] });
    expect(stateOf(changed(['more'], 'x'))).not.toHaveProperty('more');
  });

  it('of a later version is told apart, whatever else is in it', () => {
    expect(stateOf('{"version":2}')).toBe('newer');
    expect(stateOf(changed(['version'], 3))).toBe('newer');
    expect(stateOf(changed(['version'], 1))).toMatchObject({ at: NOW });
  });
});

describe('a state that is too large', () => {
  const heavy = (i: number): SavedEntry => ({
    ...one,
    group: { by: 'user', key: `${i} ${'é'.repeat(1_000)}` },
  });

  it('loses what is resolved first, the oldest of it, and then the alerts that began last', () => {
    const state = { ...small, entries: times(200, heavy), recent: times(400, heavy) };
    const { text, left } = textOf(state);
    const kept = stateOf(text) as AlertsState;
    expect(kept.entries).toHaveLength(200);
    expect(kept.recent.at(-1)!.group).toEqual(state.recent.at(-1)!.group);
    expect(left).toBe(400 - kept.recent.length);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(900_000);

    const fuller = textOf({ ...state, entries: times(800, heavy) });
    const rest = stateOf(fuller.text) as AlertsState;
    expect(rest.recent).toEqual([]);
    expect(rest.entries[0]!.group).toEqual(heavy(0).group);
    expect(fuller.left).toBe(1_200 - rest.entries.length);
    expect(rest.entries.length).toBeGreaterThan(100);
  });
});

function infinite(key: string, value: unknown): unknown {
  return key === 'sinceToldMs' && value === null ? Infinity : value;
}
