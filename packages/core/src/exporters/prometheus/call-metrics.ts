import { moneyAt, RARE, SUM, UNPRICED_REASONS } from '../../cell.js';
import { ERROR_KINDS, OUTCOMES } from '../../record.js';
import { samplesOf, type Sample } from './histogram.js';
import type { Cell } from '../../stores/store.js';
import type { Metric } from './metric.js';
import type { CallTable, Pair } from './table.js';

/** What is counted of calls. Every series of a pair is there from its first call, so that its first
 * error is a step from 0 to 1 and not a series that begins at 1, of which `increase()` sees nothing.
 */
export const CALL_METRICS: readonly Metric[] = [
  {
    name: 'requests_total',
    type: 'counter',
    help: 'Calls, each once with all its retries, by how they ended.',
    labels: ['model', 'feature', 'outcome'],
    read: ({ table }) =>
      eachPair(table, (labels, { cell }) =>
        OUTCOMES.map((outcome, i) => ({
          labels: { ...labels, outcome },
          value: outcome === 'ok' ? okOf(cell) : (cell.rare?.[RARE.outcome + i] ?? 0),
        })),
      ),
  },
  {
    name: 'errors_total',
    type: 'counter',
    help: 'Failed calls by kind of error, without those that the application itself ended.',
    labels: ['model', 'category'],
    read: ({ table }) =>
      eachRare(table, 'category', ERROR_KINDS, RARE.error).map((sample) => {
        const { model, category } = sample.labels;
        const exemplars = table.rows.get(String(model))?.errorExemplars;
        return { ...sample, exemplar: exemplars?.get(category as (typeof ERROR_KINDS)[number]) };
      }),
  },
  {
    name: 'retries_total',
    type: 'counter',
    help: 'HTTP requests beyond the first of a call.',
    labels: ['model', 'feature'],
    read: ({ table }) => eachSum(table, SUM.retries),
  },
  {
    name: 'tokens_total',
    type: 'counter',
    help: 'Billed tokens by class; the classes do not overlap.',
    labels: ['model', 'feature', 'type'],
    read: ({ table }) =>
      eachPair(table, (labels, { cell }) =>
        TOKENS.map(([type, slot]) => ({ labels: { ...labels, type }, value: cell.sums[slot]! })),
      ),
  },
  {
    name: 'thinking_tokens_total',
    type: 'counter',
    help: 'Output tokens that were thinking; they are part of the output.',
    labels: ['model', 'feature'],
    read: ({ table }) => eachSum(table, SUM.thinking),
  },
  {
    name: 'cost_usd_total',
    type: 'counter',
    help: 'What priced calls cost, in USD; of unpriced calls nothing is in here.',
    labels: ['model', 'feature'],
    // Divided once: a sum of decimal dollars would drift, one of nano-dollars does not.
    read: ({ table }) =>
      eachPair(table, (labels, { cell }) => [
        { labels, value: moneyAt(cell.sums, SUM.nanoUsd) / 1e9 },
      ]),
  },
  {
    name: 'unpriced_requests_total',
    type: 'counter',
    help: 'Calls whose cost is not known, by reason.',
    labels: ['model', 'reason'],
    read: ({ table }) => eachRare(table, 'reason', UNPRICED_REASONS, RARE.unpriced),
  },
  {
    name: 'request_duration_seconds',
    type: 'histogram',
    help: 'Whole calls, with their retries and the pauses between them.',
    labels: ['model', 'feature'],
    read: ({ table }, name) =>
      eachPair(table, (labels, { duration }) => samplesOf(duration, name, labels)),
  },
  {
    name: 'time_to_first_token_seconds',
    type: 'histogram',
    help: 'From the start of a call to the first delta of its stream.',
    labels: ['model', 'feature'],
    read: ({ table }, name) =>
      eachPair(table, (labels, { ttft }) => (ttft ? samplesOf(ttft, name, labels) : [])),
  },
];

const TOKENS = [
  ['uncached_input', SUM.uncachedInput],
  ['cache_read', SUM.cacheRead],
  ['cache_write_5m', SUM.cacheWrite5m],
  ['cache_write_1h', SUM.cacheWrite1h],
  ['output', SUM.output],
] as const;

type PairLabels = Readonly<Record<'model' | 'feature', string>>;

function eachPair(
  { rows }: CallTable,
  read: (labels: PairLabels, pair: Pair) => readonly Sample[],
): Sample[] {
  const samples: Sample[] = [];
  for (const [model, { pairs }] of rows) {
    for (const [feature, pair] of pairs) samples.push(...read({ model, feature }, pair));
  }
  return samples;
}

function eachSum(table: CallTable, slot: number): Sample[] {
  return eachPair(table, (labels, { cell }) => [{ labels, value: cell.sums[slot]! }]);
}

/** Something rare by model: only what has occurred. */
function eachRare(
  { rows }: CallTable,
  name: string,
  kinds: readonly string[],
  first: number,
): Sample[] {
  const samples: Sample[] = [];
  for (const [model, { pairs }] of rows) {
    kinds.forEach((kind, i) => {
      let value = 0;
      for (const { cell } of pairs.values()) value += cell.rare?.[first + i] ?? 0;
      if (value > 0) samples.push({ labels: { model, [name]: kind }, value });
    });
  }
  return samples;
}

/** `ok` is what remains of the calls. */
function okOf({ sums, rare }: Cell): number {
  const others = rare?.slice(RARE.outcome, RARE.outcome + OUTCOMES.length) ?? [];
  return others.reduce((left, count) => left - count, sums[SUM.calls]!);
}
