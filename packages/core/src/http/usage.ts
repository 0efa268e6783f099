import type { Feedback, Group, Snapshot, UsageReport } from '../snapshot.js';
import { definitions } from './definitions.js';
import { formatCount, formatPercent, formatUsd } from './format.js';
import { markup, type Html } from './html.js';
import { table, type Column } from './table.js';

/** The part of the page about people: how many there are, when they come, and what they thought of it. */

type Uniques = NonNullable<UsageReport['sessions']> | NonNullable<UsageReport['users']>;
type Periods = NonNullable<UsageReport['users']>['perDay'];
interface Rated extends Omit<Group, 'feedback'> {
  readonly feedback: Feedback;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const [CELL, LEFT, TOP] = [20, 32, 14];

export function renderUsage(snapshot: Snapshot): Html {
  const { usage } = snapshot;
  return markup`<section class="card wide" aria-labelledby="people">
      <h2 id="people">People</h2>
      ${renderPeople(usage)} ${renderPairs(usage)}
    </section>
    <section class="card">${renderHours(usage)}</section>
    <section class="card">
      ${renderFeedback('Feedback by feature', 'Feature', snapshot.byFeature)}
    </section>
    <section class="card">
      ${renderFeedback('Feedback by model', 'Model', snapshot.byModel)}
    </section>`;
}

function renderPeople({ users, sessions, timeZone }: UsageReport): Html {
  const items: [string, Html | string][] = [];
  if (users) {
    items.push(['Users in this window', uniques(users)]);
    items.push(['Calls a user', users.callsPerUser === null ? '–' : mean(users.callsPerUser)]);
    for (const [name, periods] of [
      ['Last day', users.perDay],
      ['Last week', users.perWeek],
      ['Last month', users.perMonth],
    ] as const) {
      const last = periods.at(-1);
      if (last) items.push([`${name} (${last.period})`, period(last)]);
    }
  }
  if (sessions && sessions.count > 0) {
    items.push(['Sessions', uniques(sessions)]);
    items.push(['Tokens a session', mean(sessions.tokensPerSession ?? 0)]);
    items.push(['Calls a session', mean(sessions.callsPerSession ?? 0)]);
  }
  if (items.length === 0) {
    return markup`<p class="soft">How many users there are is not kept for these filters together.</p>`;
  }
  return markup`${definitions(items)}
    <p class="small">Days, weeks and months of ${timeZone}.</p>`;
}

function uniques({ count, kind, error }: Pick<Uniques, 'count' | 'kind' | 'error'>): string {
  if (kind === 'exact') return formatCount(count);
  if (kind === 'at_least') return `at least ${formatCount(count)}`;
  return `about ${formatCount(count)} (± ${formatPercent(error ?? 0, 1)})`;
}

function period(last: Periods[number]): string {
  return uniques(last) + (last.complete ? '' : ', not all of it');
}

function mean(value: number): string {
  return value < 10 ? value.toFixed(1) : formatCount(value);
}

function renderPairs({ topPairs }: UsageReport): Html {
  if (topPairs.length === 0) return markup``;
  return table<(typeof topPairs)[number]>(
    'Most calls by user and feature',
    [
      { head: 'User', kind: 'name', cell: ({ user }) => user },
      { head: 'Feature', kind: 'name', cell: ({ feature }) => feature },
      { head: 'Calls', cell: ({ calls }) => formatCount(calls) },
      { head: 'Spend', cell: ({ nanoUsd }) => formatUsd(nanoUsd) },
    ],
    topPairs.slice(0, 10),
  );
}

function renderHours({ hours, timeZone }: UsageReport): Html {
  const { calls, peak } = hours;
  if (!peak) return markup`<h2>Hours of the week</h2>`;
  const most = `most ${formatCount(peak.calls)}, ${DAYS[peak.weekday - 1]} ${hourOf(peak.hour)}`;
  const rows = calls.map((row, day) => ({ day: DAYS[day] ?? '', row }));
  return markup`<h2>Hours of the week</h2>
    <p class="small">${most}, in ${timeZone}</p>
    <svg
      class="week"
      viewBox="0 0 ${LEFT + 24 * CELL} ${TOP + 7 * CELL}"
      role="img"
      aria-label="Calls by weekday and hour, ${most}"
    >
      ${[0, 6, 12, 18].map(
        (hour) => markup`<text x="${LEFT + hour * CELL}" y="${TOP - 4}">${hourOf(hour)}</text>`,
      )}
      ${rows.map(
        ({ day, row }, y) =>
          markup`<text x="0" y="${TOP + y * CELL + 13}">${day}</text>${row.map((count, x) =>
            square(x, y, count / peak.calls),
          )}`,
      )}
    </svg>
    <details>
      <summary>As a table</summary>
      ${table<(typeof rows)[number]>(
        `Calls by weekday and hour, ${timeZone}`,
        [
          { head: 'Day', kind: 'name', cell: ({ day }) => day },
          ...calls[0]!.map((_, hour): Column<(typeof rows)[number]> => ({
            head: String(hour),
            cell: ({ row }) => formatCount(row[hour] ?? 0),
          })),
        ],
        rows,
      )}
    </details>`;
}

/** Hours without calls keep a trace, so that the week is there to be seen. */
function square(x: number, y: number, share: number): Html {
  return markup`<rect
    class="${share === 0 && 'track'}"
    x="${LEFT + x * CELL}"
    y="${TOP + y * CELL}"
    width="${CELL - 2}"
    height="${CELL - 2}"
    fill-opacity="${share === 0 ? 1 : (0.15 + 0.85 * share).toFixed(2)}"
  />`;
}

function hourOf(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}

function renderFeedback(caption: string, head: string, groups: readonly Group[]): Html {
  const rated = groups.filter((group): group is Rated => group.feedback !== null);
  if (rated.length === 0) {
    return markup`<h2>${caption}</h2>
      <p class="soft">None in this window. It comes from <code>monitor.feedback()</code>.</p>`;
  }
  const percent = (value: number | null) => (value === null ? '–' : formatPercent(value, 1));
  return table<Rated>(
    caption,
    [
      { head, kind: 'name', cell: ({ key }) => key },
      {
        head: 'Opinions',
        cell: ({ feedback: { accept, reject, edit, retry } }) =>
          formatCount(accept + reject + edit + retry),
      },
      { head: 'Accepted', cell: ({ feedback }) => percent(feedback.acceptanceRate) },
      { head: 'Rejected', cell: ({ feedback }) => percent(feedback.rejectionRate) },
      { head: 'Edited', cell: ({ feedback }) => percent(feedback.editRate) },
      { head: 'Retried', cell: ({ feedback }) => percent(feedback.retryRate) },
      { head: 'Per accepted, at most', cell: ({ feedback }) => cost(feedback.costPerAccepted) },
      { head: 'If all think alike', cell: ({ feedback }) => cost(feedback.costPerAcceptedAlike) },
    ],
    rated,
  );
}

function cost(amount: Feedback['costPerAccepted']): string {
  return amount === null ? '–' : formatUsd(amount.nanoUsd);
}
