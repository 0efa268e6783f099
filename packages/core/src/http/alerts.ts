import { SEVERITIES, type Alert, type AlertsPage, type ChannelReport } from '../alert.js';
import type { Snapshot } from '../snapshot.js';
import { formatCount, formatMinute } from './format.js';
import { markup, type Html } from './html.js';
import { table, type Column } from './table.js';

/**
 * What the page says of alerts.
 *
 * - **banner**: what fires and is not silenced, the worst first, in front of everything.
 * - **section**: the rest: what is about to fire, what is silenced, what is over.
 */
export interface AlertsView {
  readonly snapshot: Snapshot;
  /** `null`: they could not be read. `undefined`: there is nobody to ask. */
  readonly page: AlertsPage | null | undefined;
  readonly canSilence: boolean;
  /** The page's own query, to come back to. */
  readonly view: string;
}

const MAX_BANNER = 5;
const MAX_ROWS = 50;
const MAX_RESOLVED = 20;
const WORDS = { critical: 'Critical', warning: 'Warning', info: 'Info' } as const;

export function renderBanner({ snapshot, page, canSilence, view }: AlertsView): Html {
  const loud = loudOf(snapshot);
  if (loud.length === 0) return markup``;
  const more = loud.length - MAX_BANNER;
  return markup`<section class="alarm" role="alert">
    <h2>${formatCount(loud.length)} ${loud.length === 1 ? 'alert is' : 'alerts are'} firing</h2>
    <ul>
      ${loud.slice(0, MAX_BANNER).map(
        (alert) =>
          markup`<li class="${alert.severity}">
            <span><strong>${WORDS[alert.severity]}</strong> ${alert.title}
              <span class="small">${groupOf(alert)}since ${formatMinute(alert.since)} UTC</span></span>
            ${canSilence && silenceForm(alert, view)}
          </li>`,
      )}
    </ul>
    ${more > 0 && markup`<p class="small">and ${formatCount(more)} more${page && ', below'}</p>`}
  </section>`;
}

/** Firing, and somebody is told: the worst first, then the oldest. */
function loudOf({ alerts, at }: Snapshot): readonly Alert[] {
  return alerts.firing
    .filter((alert) => !isSilenced(alert, at))
    .sort((a, b) => rank(b) - rank(a) || a.since.localeCompare(b.since));
}

function rank({ severity }: Alert): number {
  return SEVERITIES.indexOf(severity);
}

function isSilenced({ silencedUntil }: Alert, at: string): boolean {
  return silencedUntil !== null && Date.parse(silencedUntil) > Date.parse(at);
}

export function renderAlerts(alertsView: AlertsView): Html {
  const { page, snapshot, canSilence, view } = alertsView;
  const { pending, silenced } = snapshot.alerts;
  if (page === undefined && pending + silenced === 0) return markup``;
  if (!page) {
    return card(markup`<p class="soft">
      ${formatCount(pending)} pending, ${formatCount(silenced)} silenced.
      ${page === null && 'Which ones could not be read just now.'}
    </p>`);
  }
  const rows = rowsOf(page, snapshot);
  const { channels, failing } = page;
  if (rows.length + channels.length + failing.length === 0) return markup``;
  const actions: Column<Row>[] = [
    { head: 'Silence', cell: ({ alert, over }) => (over ? '' : silenceForm(alert, view)) },
  ];
  return card(markup`${
    rows.length === 0
      ? markup`<p class="soft">None pending, silenced or resolved lately.</p>`
      : table<Row>(
          'Alerts pending, silenced, resolved',
          [...columns, ...(canSilence ? actions : [])],
          rows,
          true,
        )
  }
  ${
    failing.length > 0 &&
    markup`<p class="bad">Rules that could not be evaluated:</p>
      <ul>
        ${failing.map(({ rule, message }) => markup`<li><b>${rule}</b>: ${message}</li>`)}
      </ul>`
  }
  ${channels.length > 0 && renderChannels(channels)}`);
}

function card(content: Html): Html {
  return markup`<section class="card wide block" aria-labelledby="alerts">
    <h2 id="alerts">Alerts</h2>
    ${content}
  </section>`;
}

interface Row {
  readonly alert: Alert;
  readonly state: string;
  readonly over: boolean;
}

/** Each alert once, although a silenced one may fire, too. */
function rowsOf({ firing, pending, silenced, recent }: AlertsPage, snapshot: Snapshot): Row[] {
  const seen = new Set(
    loudOf(snapshot)
      .slice(0, MAX_BANNER)
      .map(({ id }) => id),
  );
  const fresh = (alerts: readonly Alert[], most: number) =>
    alerts.filter(({ id }) => !seen.has(id) && seen.add(id)).slice(0, most);
  return [
    ...fresh(silenced, MAX_ROWS).map((alert) => ({
      alert,
      state: `${alert.state}, silenced until ${formatMinute(alert.silencedUntil ?? '')}`,
      over: false,
    })),
    ...fresh(firing, MAX_ROWS).map((alert) => ({ alert, state: 'firing', over: false })),
    ...fresh(pending, MAX_ROWS).map((alert) => ({ alert, state: 'pending', over: false })),
    ...fresh(recent, MAX_RESOLVED).map((alert) => ({
      alert,
      state: `resolved ${formatMinute(alert.resolvedAt ?? '')}`,
      over: true,
    })),
  ];
}

const columns: readonly Column<Row>[] = [
  { head: 'Alert', kind: 'name', cell: ({ alert }) => titled(alert) },
  { head: 'Of', kind: 'name', cell: ({ alert: { group } }) => group?.key ?? '–' },
  { head: 'Severity', kind: 'name', cell: ({ alert }) => WORDS[alert.severity] },
  { head: 'State (UTC)', kind: 'name', cell: ({ state }) => state },
  { head: 'Since (UTC)', cell: ({ alert }) => formatMinute(alert.since) },
];

function titled({ title }: Alert): Html {
  return markup`<span title="${title}">${title}</span>`;
}

function groupOf({ group }: Alert): string {
  return group === null ? '' : `${group.by} ${group.key}, `;
}

/** A form, and no link: what it leads to changes something. */
function silenceForm(alert: Alert, view: string): Html {
  const { id, title, silencedUntil } = alert;
  const [minutes, words, spoken] =
    silencedUntil === null
      ? ['60', 'Silence 1 h', 'Silence for one hour']
      : ['0', 'End silence', 'End the silence'];
  return markup`<form class="act" method="post" action="alerts/${encodeURIComponent(id)}/silence">
    <input type="hidden" name="minutes" value="${minutes}" />
    ${view !== '' && markup`<input type="hidden" name="view" value="${view}" />`}
    <button type="submit" aria-label="${spoken}: ${title}">${words}</button>
  </form>`;
}

function renderChannels(channels: readonly ChannelReport[]): Html {
  return table<ChannelReport>(
    'Where alerts are sent',
    [
      { head: 'Channel', kind: 'name', cell: ({ name }) => name },
      { head: 'Sent', cell: ({ sent }) => formatCount(sent) },
      { head: 'Waiting', cell: ({ queued }) => formatCount(queued) },
      { head: 'Given up', cell: ({ failed }) => bad(failed) },
      { head: 'Dropped', cell: ({ dropped }) => bad(dropped) },
      { head: 'Last error', kind: 'name', cell: ({ lastError }) => lastError ?? '–' },
    ],
    channels,
  );
}

function bad(count: number): Html {
  return markup`<span class="${count > 0 && 'bad'}">${formatCount(count)}</span>`;
}
