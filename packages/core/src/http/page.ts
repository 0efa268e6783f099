import { createHash } from 'node:crypto';
import type { AlertsPage } from '../alert.js';
import type { CallRecord } from '../record.js';
import type { Dimension, Snapshot } from '../snapshot.js';
import { renderAlerts, renderBanner } from './alerts.js';
import { renderBudgets } from './budgets.js';
import { renderCharts } from './chart.js';
import { formatTime } from './format.js';
import { markup, toText, trusted, type Html } from './html.js';
import { respond, type HttpResponse } from './message.js';
import { MAX_NAME } from './parameters.js';
import type { Problem } from './problem.js';
import { renderEmpty, renderTiles, renderTrust, renderWarnings } from './sections.js';
import { STYLE } from './style.js';
import { renderCalls, renderErrors, renderGroups, renderTokens } from './tables.js';
import { renderUsage } from './usage.js';

/** The dashboard as one document: no script, relative links only, all state in the address. */
export interface Page {
  readonly snapshot: Snapshot;
  /** `null`: they could not be read. */
  readonly recent: readonly CallRecord[] | null;
  readonly query: URLSearchParams;
  /** `null`: they could not be read. Left out: there is nobody to ask. */
  readonly alerts?: AlertsPage | null | undefined;
  readonly canSilence?: boolean | undefined;
}

const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;
const FILTERS = ['model', 'feature', 'user'] as const satisfies readonly Dimension[];
/** Beyond the cap nothing is kept by name. */
const OTHER = '(other)';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const PAGE_POLICY =
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; ` +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

export function servePage(page: Html, status = 200): HttpResponse {
  return respond(status, 'text/html; charset=utf-8', toText(page), {
    'content-security-policy': PAGE_POLICY,
    // With `no-referrer`, the page's own forms would be sent with `Origin: null`.
    'referrer-policy': 'same-origin',
  });
}

export function renderPage({ snapshot, recent, query, alerts, canSilence = false }: Page): Html {
  const { totals } = snapshot;
  const empty = totals.calls === 0 && (recent?.length ?? 0) === 0;
  const filtered = FILTERS.some((name) => query.has(name));
  const alertsView = { snapshot, page: alerts, canSilence, view: query.toString() };
  const longer = link(query, { range: '30d', from: null, to: null });
  return frame(
    markup` <header>
        <h1>Claude usage</h1>
        ${renderRanges(query)}
        <span class="soft">${formatTime(snapshot.from)} to ${formatTime(snapshot.to)} UTC</span>
      </header>
      <main>
        ${renderBanner(alertsView)} ${renderFilters(query, snapshot)} ${renderWarnings(snapshot)}
        ${
          empty
            ? renderEmpty(snapshot, filtered ? clearOf(query) : null, longer)
            : renderTiles(totals)
        }
        ${renderBudgets(snapshot.budgets)} ${renderAlerts(alertsView)} ${!empty && numbers()}
      </main>
      <footer>
        Made ${formatTime(snapshot.at)} UTC. Reload for newer numbers. As data:
        <a href="snapshot${link(query, {}, '')}">snapshot</a>, <a href="calls">calls</a>,
        ${alerts !== undefined && markup`<a href="alerts">alerts</a>,`}
        <a href="openapi.json">openapi.json</a>. Not affiliated with Anthropic.
      </footer>`,
  );

  function numbers(): Html {
    return markup`<div class="grid">${renderCharts(snapshot)}</div>
      <div class="grid">
        ${groups('By model', 'model', snapshot.byModel, 'wide')}
        ${groups('By feature', 'feature', snapshot.byFeature, 'wide')}
        ${groups('By user', 'user', snapshot.byUser)}
        <section class="card">${renderTokens(totals)}</section>
        <section class="card">${renderErrors(totals)}</section>
        ${renderUsage(snapshot)}
        <section class="card wide">
          ${
            recent === null
              ? markup`<h2>Recent calls</h2>
                  <p class="soft">They could not be read just now.</p>`
              : renderCalls(recent)
          }
        </section>
        ${renderTrust(snapshot)}
      </div>`;
  }

  function groups(caption: string, by: Dimension, rows: Snapshot['byUser'], width = ''): Html {
    const target = (key: string) => (key === OTHER ? null : link(query, { [by]: key }));
    const head = by.slice(0, 1).toUpperCase() + by.slice(1);
    return markup`<section class="card ${width}">${
      snapshot.notKept.includes(by)
        ? markup`<h2>${caption}</h2>
            <p class="soft">Not kept for these filters together. Leave one of them out.</p>`
        : renderGroups({ caption, head, groups: rows, totals, link: target })
    }</section>`;
  }
}

/** A bad request, told to a person. `root` is where the page is, seen from there. */
export function renderProblem(problem: Problem, root = './'): Html {
  return frame(
    markup` <header><h1>Claude usage</h1></header>
      <main>
        <section class="notice">
          <h2>${problem.title}</h2>
          ${
            problem.errors && problem.errors.length > 0
              ? markup`<ul>
                  ${problem.errors.map(
                    ({ parameter, value, allowed }) =>
                      markup`<li>
                        <code>${parameter}</code> ${allowed}, got <code>${value}</code>.
                      </li>`,
                  )}
                </ul>`
              : markup`<p>${problem.detail}</p>`
          }
        </section>
        <p><a href="${root}">Start again</a></p>
      </main>`,
  );
}

function frame(body: Html): Html {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>Claude usage</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <style>${trusted(STYLE)}</style>
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}

function renderRanges(query: URLSearchParams): Html {
  const current = query.get('range') ?? (query.has('from') ? null : '24h');
  return markup`<nav aria-label="Window">
    <ul>
      ${RANGES.map((range) => {
        const target = link(query, { range, from: null, to: null });
        return markup`<li>
          ${
            range === current
              ? markup`<a href="${target}" aria-current="true">${range}</a>`
              : markup`<a href="${target}">${range}</a>`
          }
        </li>`;
      })}
    </ul>
  </nav>`;
}

function renderFilters(query: URLSearchParams, snapshot: Snapshot): Html {
  const kept = ['range', 'from', 'to', 'by'] as const;
  const known = { model: snapshot.byModel, feature: snapshot.byFeature, user: snapshot.byUser };
  return markup`<form method="get" action="./" aria-label="Filters">
    ${kept.map(
      (name) =>
        query.has(name) &&
        markup`<input type="hidden" name="${name}" value="${query.get(name)}" />`,
    )}
    ${FILTERS.map(
      (name) =>
        markup`<label
            >${name.slice(0, 1).toUpperCase() + name.slice(1)}
            <input
              name="${name}"
              value="${query.get(name)}"
              maxlength="${MAX_NAME}"
              list="${name}s"
              placeholder="all"
              autocomplete="off"
              spellcheck="false"
          /></label>
          <datalist id="${name}s">
            ${known[name]
              .filter(({ key }) => key !== OTHER)
              .map(({ key }) => markup`<option value="${key}"></option>`)}
          </datalist>`,
    )}
    <button type="submit">Filter</button>
    ${
      FILTERS.some((name) => query.has(name)) &&
      markup`<a class="clear" href="${clearOf(query)}">Clear</a>`
    }
  </form>`;
}

function clearOf(query: URLSearchParams): string {
  return link(query, { model: null, feature: null, user: null });
}

/** The same view with some of its state changed, relative to wherever the page is. */
function link(
  query: URLSearchParams,
  changes: Readonly<Record<string, string | null>>,
  root = './',
): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next.size > 0 ? `?${next.toString()}` : root;
}
