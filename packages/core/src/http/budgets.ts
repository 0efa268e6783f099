import type { BudgetReport, BudgetScope, BudgetScopeReport } from '../budget.js';
import { formatCount, formatMinute, formatPercent, formatUsd } from './format.js';
import { markup, type Html } from './html.js';
import { table, type Column } from './table.js';

/** The page's section about budgets: what is spent and held of each limit, and what was done. */

const NANO = 1e9;
/** From here on a bar has the colour of what fails. */
const FULL = 1;

export function renderBudgets(budgets: readonly BudgetReport[]): Html {
  if (budgets.length === 0) return markup``;
  return markup`<section class="card wide block" aria-labelledby="budgets">
    <h2 id="budgets">Budgets</h2>
    ${budgets.map(renderBudget)}
  </section>`;
}

function renderBudget(budget: BudgetReport): Html {
  const { name, scopes, scopeCount } = budget;
  return markup`<div class="budget">
    <h3>${name} ${budget.shadow && markup`<span class="mark">shadow: nothing is blocked</span>`}</h3>
    <p class="small">${rule(budget)}${period(budget)}${done(budget)}</p>
    ${
      scopes.length === 0
        ? markup`<p class="soft">Nothing is spent in this period yet.</p>`
        : table(`Budget ${name}`, columnsOf(budget), scopes, true)
    }
    ${
      scopeCount > scopes.length &&
      markup`<p class="small">
        The ${formatCount(scopes.length)} nearest to their limit, of ${formatCount(scopeCount)}.
      </p>`
    }
  </div>`;
}

/** `per day, of each user, block`. */
function rule({ per, of, action }: BudgetReport): string {
  return `per ${per}, ${scopeWords(of)}, ${action}`;
}

function scopeWords(of: BudgetScope): string {
  if (of === 'all') return 'of everything';
  return typeof of === 'string' ? `of each ${of}` : `of each value of the tag ${of.tag}`;
}

function period({ from, to, timeZone }: BudgetReport): string {
  if (from === null || to === null) return '';
  const zone = timeZone === 'UTC' ? '' : `, as days and hours are in ${timeZone}`;
  return `; this one ends ${formatMinute(to)} UTC${zone}`;
}

/** What it has done to calls in words; nothing when it let all of them be. */
function done({ calls, wouldBlock }: BudgetReport): string {
  const words = [
    [calls.block, 'blocked'],
    [calls.downgrade, 'downgraded'],
    [calls.clamp, 'made shorter'],
    [calls.warn, 'warned about'],
    [wouldBlock, 'would have been blocked'],
  ] as const;
  const some = words.filter(([count]) => count > 0);
  if (some.length === 0) return '.';
  return `. Calls: ${some.map(([count, word]) => `${formatCount(count)} ${word}`).join(', ')}.`;
}

/** Columns of what is rarely there come only with it. */
function columnsOf({ of, scopes }: BudgetReport): readonly Column<BudgetScopeReport>[] {
  const some = (value: (scope: BudgetScopeReport) => number) =>
    scopes.some((scope) => value(scope) !== 0);
  const head = of === 'all' ? 'Scope' : typeof of === 'string' ? upper(of) : of.tag;
  return [
    { head, kind: 'name', cell: ({ scope }) => scope ?? 'everything' },
    { head: 'Used', kind: 'share', cell: gauge },
    { head: 'Spent', cell: ({ spentUsd }) => usd(spentUsd) },
    { head: 'Held', cell: ({ heldUsd }) => usd(heldUsd) },
    {
      head: 'Limit',
      cell: ({ limitUsd }) => (Number.isFinite(limitUsd) ? usd(limitUsd) : 'none'),
    },
    ...(some(({ uncertainUsd }) => uncertainUsd)
      ? [{ head: 'Uncertain', cell: (scope: BudgetScopeReport) => usd(scope.uncertainUsd) }]
      : []),
    ...(some(({ overrunUsd }) => overrunUsd)
      ? [{ head: 'Beyond what was held', cell: overrun }]
      : []),
    ...(some(({ refusedCalls }) => refusedCalls)
      ? [{ head: 'Refused', cell: (scope: BudgetScopeReport) => formatCount(scope.refusedCalls) }]
      : []),
    ...(some(({ unpricedCalls }) => unpricedCalls)
      ? [
          {
            head: 'Not priced',
            cell: (scope: BudgetScopeReport) => formatCount(scope.unpricedCalls),
          },
        ]
      : []),
  ];
}

/** What is spent, then what is held, as parts of one bar; the number stands beside it. */
function gauge({ used, spentUsd, heldUsd, limitUsd }: BudgetScopeReport): Html {
  if (used === null) return markup`–`;
  const part = (value: number) => Math.min(100, Math.max(0, (value / limitUsd) * 100));
  const spent = part(spentUsd);
  const held = Math.min(100 - spent, part(heldUsd));
  const full = used >= FULL;
  return markup`<span class="${full && 'bad'}">${formatPercent(used, 1)}</span>
    <svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="${full && 'failed'}" width="${spent.toFixed(1)}" height="4" />
      <rect class="held" x="${spent.toFixed(1)}" width="${held.toFixed(1)}" height="4" />
    </svg>`;
}

function overrun({ overrunUsd }: BudgetScopeReport): Html {
  return markup`<span class="${overrunUsd > 0 && 'bad'}">${usd(overrunUsd)}</span>`;
}

function usd(dollars: number): string {
  return formatUsd(dollars * NANO);
}

function upper(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
