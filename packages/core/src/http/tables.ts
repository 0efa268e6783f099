import { inputTokens, type CallRecord, type CostClass } from '../record.js';
import type { Group, Quantiles, Totals } from '../snapshot.js';
import {
  formatCount,
  formatExactUsd,
  formatMs,
  formatPercent,
  formatTime,
  formatUsd,
} from './format.js';
import { markup, type Html } from './html.js';
import { table, type Column } from './table.js';

/** The page's tables of calls: by group, by class of token, by kind of error, and one by one. */

/** What was spent; `≥` when some of it could not be priced, and no number when none of it could. */
export function money(totals: Totals, parts = 1): Html {
  const { nanoUsd, complete } = totals.cost;
  if (!complete && nanoUsd === 0) return markup`<i>unpriced</i>`;
  const exact = parts === 1 && formatExactUsd(nanoUsd);
  const sum = markup`<span title="${exact}">${formatUsd(nanoUsd / parts)}</span>`;
  return complete ? sum : markup`<span title="at least: some calls have no price">≥</span> ${sum}`;
}

function quantile(quantiles: Quantiles | null | undefined, q: 'p50' | 'p95' | 'p99'): string {
  return quantiles && quantiles.count > 0 ? formatMs(quantiles[q]) : '–';
}

function errorShare(totals: Totals): Html {
  const { errorRate } = totals;
  if (errorRate === null) return markup`–`;
  return markup`<span class="${errorRate > 0 ? 'bad' : ''}">${formatPercent(errorRate, 1)}</span>`;
}

/** A bar of the row's part of the spend; the number stands beside it. */
function share(part: number, whole: number): Html {
  const width = whole > 0 ? ((part / whole) * 100).toFixed(1) : '0';
  return markup`${formatPercent(part, whole)}
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect width="${width}" height="4" />
    </svg>`;
}

export interface GroupTable {
  readonly caption: string;
  readonly head: string;
  readonly groups: readonly Group[];
  readonly totals: Totals;
  /** Where a click on a name leads; `null` for what is no name. */
  readonly link: (key: string) => string | null;
}

export function renderGroups({ caption, head, groups, totals, link }: GroupTable): Html {
  const columns: Column<Group>[] = [
    { head, kind: 'name', cell: (group) => linked(group.key, link(group.key)) },
    { head: 'Spend', cell: (group) => money(group) },
    {
      head: 'Share',
      kind: 'share',
      cell: (group) => share(group.cost.nanoUsd, totals.cost.nanoUsd),
    },
    { head: 'Calls', cell: (group) => formatCount(group.calls) },
    {
      head: 'Per call',
      cell: (group) => (group.calls > 0 ? money(group, group.calls) : '–'),
    },
    { head: 'Errors', cell: errorShare },
  ];
  const latency: Column<Group>[] = [
    { head: 'P50', cell: (group) => quantile(group.latency?.callMs, 'p50') },
    { head: 'P95', cell: (group) => quantile(group.latency?.callMs, 'p95') },
    { head: 'P99', cell: (group) => quantile(group.latency?.callMs, 'p99') },
    { head: 'TTFT P50', cell: (group) => quantile(group.latency?.ttftMs, 'p50') },
    { head: 'TTFT P95', cell: (group) => quantile(group.latency?.ttftMs, 'p95') },
  ];
  const known = groups.some((group) => group.latency !== null);
  const tokens: Column<Group>[] = [
    { head: 'Input', cell: (group) => formatCount(inputTokens(group.tokens)) },
    { head: 'Output', cell: (group) => formatCount(group.tokens.output) },
  ];
  return table(caption, [...columns, ...(known ? latency : []), ...tokens], groups);
}

function linked(name: string, target: string | null): Html {
  return target === null
    ? markup`<span class="soft">${name}</span>`
    : markup`<a href="${target}" title="${name}">${name}</a>`;
}

const CLASS_NAMES: Readonly<Record<CostClass, string>> = {
  uncachedInput: 'Input, not cached',
  cacheRead: 'Cache read',
  cacheWrite5m: 'Cache write, 5 min',
  cacheWrite1h: 'Cache write, 1 h',
  output: 'Output',
  webSearch: 'Web searches (requests)',
};

export function renderTokens(totals: Totals): Html {
  const { byClass, nanoUsd } = totals.cost;
  const classes = Object.keys(CLASS_NAMES) as CostClass[];
  return table<CostClass>(
    'Tokens and their cost, by class',
    [
      { head: 'Class', kind: 'name', cell: (name) => CLASS_NAMES[name] },
      {
        head: 'Quantity',
        cell: (name) =>
          formatCount(name === 'webSearch' ? byClass.webSearch.quantity : totals.tokens[name]),
      },
      { head: 'Spend', cell: (name) => formatUsd(byClass[name].nanoUsd) },
      { head: 'Share', kind: 'share', cell: (name) => share(byClass[name].nanoUsd, nanoUsd) },
    ],
    classes,
  );
}

export function renderErrors(totals: Totals): Html {
  const kinds = Object.entries(totals.errors).sort((a, b) => b[1] - a[1]);
  const endings = Object.entries(totals.outcomes).filter(
    ([outcome, count]) => count > 0 && outcome !== 'ok' && outcome !== 'error',
  );
  const rows = [
    ...kinds.map(([name, count]) => ({ name, count, failed: true })),
    ...endings.map(([name, count]) => ({ name, count, failed: name === 'truncated' })),
  ];
  if (rows.length === 0)
    return markup`<h2>Errors</h2>
      <p class="soft">None in this window.</p>`;
  return table<(typeof rows)[number]>(
    'Errors by kind, and other endings',
    [
      { head: 'Kind', kind: 'name', cell: ({ name }) => name.replaceAll('_', ' ') },
      { head: 'Calls', cell: ({ count }) => formatCount(count) },
      { head: 'Of all', cell: ({ count }) => formatPercent(count, totals.calls) },
      { head: 'Counts as error', cell: ({ failed }) => (failed ? 'yes' : 'no') },
    ],
    rows,
  );
}

export function renderCalls(calls: readonly CallRecord[]): Html {
  const decided = calls.some((call) => decision(call) !== null);
  const budget: Column<CallRecord>[] = [
    { head: 'Budget', kind: 'name', cell: (call) => decision(call) ?? '–' },
  ];
  return table<CallRecord>(
    'Recent calls, newest first',
    [
      { head: 'Started (UTC)', kind: 'name', cell: (call) => formatTime(call.at) },
      { head: 'Model', kind: 'name', cell: (call) => call.servedModel ?? call.model },
      { head: 'Feature', kind: 'name', cell: (call) => call.feature ?? '–' },
      { head: 'User', kind: 'name', cell: (call) => call.userId ?? '–' },
      { head: 'Input', cell: (call) => formatCount(inputTokens(call.tokens)) },
      { head: 'Output', cell: (call) => formatCount(call.tokens.output) },
      { head: 'TTFT', cell: (call) => (call.ttftMs === null ? '–' : formatMs(call.ttftMs)) },
      { head: 'Time', cell: (call) => formatMs(call.callMs) },
      {
        head: 'Spend',
        cell: (call) => (call.cost ? formatUsd(call.cost.nanoUsd) : markup`<i>unpriced</i>`),
      },
      { head: 'Attempts', cell: (call) => formatCount(call.attempts.length) },
      { head: 'Ended', kind: 'name', cell: ending },
      ...(decided ? budget : []),
      {
        head: 'Request id',
        kind: 'name',
        cell: (call) => markup`<code>${call.requestId ?? '–'}</code>`,
      },
    ],
    calls,
  );
}

function ending({ outcome, error, status }: CallRecord): Html {
  if (!error) return markup`${outcome}`;
  const kind = error.kind.replaceAll('_', ' ');
  return markup`<span class="bad" title="${error.message}">${kind}${status && ` (${status})`}</span>`;
}

/** What budgets did about a call, or would have done; `null` when they let it be. */
function decision({ budget, model }: CallRecord): Html | null {
  if (!budget) return null;
  const by = budget.budget === null ? '' : ` by ${budget.budget}`;
  const why = budget.reason === null || budget.reason === 'limit' ? '' : ` (${budget.reason})`;
  const shadow = budget.wouldBlock.length > 0 && `would block: ${budget.wouldBlock.join(', ')}`;
  if (budget.verdict === 'block') return markup`<span class="bad">blocked${by}${why}</span>`;
  const done = {
    allow: null,
    warn: `warned${by}${why}`,
    clamp: `max_tokens ${budget.sentMaxTokens ?? '?'}${by}`,
    downgrade: `${short(model)} → ${short(budget.sentModel ?? '?')}${by}`,
  }[budget.verdict];
  if (done === null && shadow === false) return null;
  const words = [done, shadow].filter((each) => typeof each === 'string').join('; ');
  return markup`<span title="${words}">${words}</span>`;
}

function short(model: string): string {
  return model.replace(/^claude-/, '');
}
