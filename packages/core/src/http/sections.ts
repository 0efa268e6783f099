import type { Snapshot, Totals } from '../snapshot.js';
import { definitions } from './definitions.js';
import { formatCount, formatMs, formatPercent, formatTime, formatUsd } from './format.js';
import { markup, type Html } from './html.js';
import { money } from './tables.js';

/** The parts of the page that are no tables: figures, trust, and what to do when there is nothing. */

export function renderTiles(totals: Totals): Html {
  const { latency, cost, tokens } = totals;
  const [call, ttft] = [latency?.callMs, latency?.ttftMs];
  const input = tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h;
  const failed = totals.outcomes.error + totals.outcomes.truncated;
  return markup`<dl class="tiles">
    ${tile(
      cost.complete ? 'Spend' : 'Spend, at least',
      money(totals),
      cost.estimatedNanoUsd > 0
        ? `${formatUsd(cost.estimatedNanoUsd)} of it estimated`
        : totals.calls > 0 && markup`${money(totals, totals.calls)} a call`,
    )}
    ${tile(
      'Calls',
      formatCount(totals.calls),
      `${formatCount(totals.outcomes.ok)} ok` +
        (totals.outcomes.blocked > 0 ? `, ${formatCount(totals.outcomes.blocked)} blocked` : ''),
    )}
    ${tile(
      'Error rate',
      markup`<span class="${failed > 0 ? 'bad' : ''}">${formatPercent(failed, totals.calls)}</span>`,
      `${formatCount(failed)} failed, ${formatCount(totals.retries)} retries`,
    )}
    ${tile(
      'Time, P95',
      call ? formatMs(call.p95) : '–',
      call && `P50 ${formatMs(call.p50)}, P99 ${formatMs(call.p99)}`,
    )}
    ${tile(
      'First token, P95',
      ttft ? formatMs(ttft.p95) : '–',
      ttft ? `P50 ${formatMs(ttft.p50)}, P99 ${formatMs(ttft.p99)}` : 'no streams yet',
    )}
    ${tile(
      'Cache hits',
      formatPercent(tokens.cacheRead, input),
      `of ${formatCount(input)} input tokens`,
    )}
  </dl>`;
}

function tile(
  name: string,
  figure: Html | string,
  small: Html | string | false | null | undefined,
): Html {
  return markup`<div>
    <dt>${name}</dt>
    <dd class="figure">${figure}</dd>
    <dd class="small">${small}</dd>
  </div>`;
}

/** Above the numbers when they cannot be taken at their face. */
export function renderWarnings({ coverage, health, source }: Snapshot): Html {
  const unpriced = Object.values(coverage.unpriced).reduce((sum, count) => sum + count, 0);
  const lines = [
    source.text !== null && source.text,
    unpriced > 0 &&
      `${formatCount(unpriced)} calls have no price, so the spend is "at least".` +
        (coverage.unpricedModels.length > 0
          ? ` Without a price: ${coverage.unpricedModels.join(', ')}. Add it with registerPrices().`
          : ''),
    coverage.unobserved > 0 &&
      `${formatCount(coverage.unobserved)} requests to Claude were seen that no monitor recorded. ` +
        'Pass their client to monitor.observe(client).',
    ...Object.entries(health.faults).map(
      ([step, { count, lastMessage }]) =>
        `${step} failed ${formatCount(count)} times; the calls were not affected. ${lastMessage}`,
    ),
    ...health.notices.filter((notice) => !coverage.unpricedModels.some((m) => notice.includes(m))),
  ].filter((line) => line !== false);
  if (lines.length === 0) return markup``;
  return markup`<section class="notice" aria-label="What the numbers leave out">
    <h2>Before you trust these numbers</h2>
    <ul>
      ${lines.map((line) => markup`<li>${line}</li>`)}
    </ul>
  </section>`;
}

export function renderTrust({ coverage, health, totals }: Snapshot): Html {
  const { calls } = coverage;
  const dropped = Object.values(health.dropped).reduce((sum, count) => sum + count, 0);
  const unpriced = Object.values(coverage.unpriced).reduce((sum, count) => sum + count, 0);
  const items: [string, string][] = [
    ['With a user', formatPercent(calls - coverage.unattributedUser, calls)],
    ['With a feature', formatPercent(calls - coverage.unattributedFeature, calls)],
    ['Priced', formatPercent(calls - unpriced, calls)],
    ['Estimated', formatCount(coverage.estimated)],
    ['Not observed', formatCount(coverage.unobserved)],
    ['Merged into (other)', formatCount(coverage.overflowed)],
    ['Dropped', formatCount(dropped)],
    ['Attempts', formatCount(totals.attempts)],
    ['Price table', coverage.priceVersion],
    ['Faults of ours', formatCount(Object.keys(health.faults).length)],
  ];
  return markup`<section class="card wide" aria-labelledby="trust">
    <h2 id="trust">How far to trust this</h2>
    ${definitions(items)}
  </section>`;
}

/** Instead of tables of nothing: what is there, and the line that is missing. */
export function renderEmpty(snapshot: Snapshot, clear: string | null, longer: string): Html {
  if (clear !== null) {
    return markup`<section class="card">
      <h2>No calls match</h2>
      <p>
        Nothing in this window has that model, feature and user.
        <a href="${clear}">Clear the filters</a> or <a href="${longer}">look at 30 days</a>.
      </p>
    </section>`;
  }
  const missed = snapshot.coverage.unobserved;
  return markup`<section class="card">
    <h2>No calls yet</h2>
    <p class="soft">
      Nothing was recorded from ${formatTime(snapshot.from)} to ${formatTime(snapshot.to)} UTC.
      <a href="${longer}">Look at 30 days</a>, or go through this:
    </p>
    <ol class="steps">
      <li><span class="good">✓</span> The monitor is mounted: it is showing you this page.</li>
      <li>
        ${
          missed > 0
            ? markup`<span class="bad">✗</span> ${formatCount(missed)} requests to Claude went past
                it. Hand it the client that makes them:`
            : markup`<span class="soft">○</span> Its client. Clients of @anthropic-ai/sdk are found by
                themselves; handing them over is surer:`
        }
        <pre>const client = monitor.observe(new Anthropic());</pre>
      </li>
      <li>
        <span class="soft">○</span> The first call, anywhere in the application:
        <pre>await client.messages.create({ model, max_tokens, messages });</pre>
      </li>
      <li>
        <span class="soft">○</span> Who it was for, if <code>req.user.id</code> does not say:
        <pre>app.use(claudeMonitor({ userId: (req) => req.session?.userId }));</pre>
      </li>
    </ol>
  </section>`;
}
