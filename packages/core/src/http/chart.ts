import type { SeriesPoint, Snapshot } from '../snapshot.js';
import { formatCount, formatMinute, formatUsd } from './format.js';
import { markup, type Html } from './html.js';

/** Bars over time as plain SVG, each with its numbers as a table beside it. No script, no style. */

interface Bucket {
  readonly at: string;
  calls: number;
  failures: number;
  nanoUsd: number;
}

const WIDTH = 1000;
const HEIGHT = 100;
const MAX_ROWS = 100;

export function renderCharts(snapshot: Snapshot): Html {
  const buckets = sumByTime(snapshot.series);
  const dearest = Math.max(0, ...buckets.map((bucket) => bucket.nanoUsd));
  const busiest = Math.max(0, ...buckets.map((bucket) => bucket.calls));
  const every = formatBucket(snapshot.bucketMs);
  return markup`${figure(
    snapshot,
    `Spend per ${every}`,
    `most ${formatUsd(dearest)}`,
    buckets.map((bucket) => bar(snapshot, bucket.at, bucket.nanoUsd, dearest)),
  )}
    ${figure(
      snapshot,
      `Calls per ${every}, failed ones dark`,
      `most ${formatCount(busiest)}`,
      buckets.map(
        (bucket) =>
          markup`${bar(snapshot, bucket.at, bucket.calls, busiest)}${bar(
            snapshot,
            bucket.at,
            bucket.failures,
            busiest,
            'failed',
          )}`,
      ),
    )}
    <details class="wide">
      <summary>Both charts as a table</summary>
      ${table(buckets, every)}
    </details>`;
}

function sumByTime(series: readonly SeriesPoint[]): Bucket[] {
  const byTime = new Map<string, Bucket>();
  for (const { at, calls, failures, nanoUsd } of series) {
    const bucket = byTime.get(at);
    if (!bucket) byTime.set(at, { at, calls, failures, nanoUsd });
    else {
      bucket.calls += calls;
      bucket.failures += failures;
      bucket.nanoUsd += nanoUsd;
    }
  }
  return [...byTime.values()];
}

function figure(snapshot: Snapshot, title: string, most: string, bars: readonly Html[]): Html {
  return markup`<figure class="card">
    <figcaption>
      <h2>${title}</h2>
      <span class="small">${most}</span>
    </figcaption>
    <svg
      class="plot"
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${title}, ${most}"
    >
      ${bars}
    </svg>
    <div class="axis">
      <span>${formatMinute(snapshot.from)}</span> <span>${formatMinute(snapshot.to)}</span>
    </div>
  </figure>`;
}

function bar(snapshot: Snapshot, at: string, value: number, most: number, kind = 'bar'): Html {
  if (value <= 0 || most <= 0) return markup``;
  const from = Date.parse(snapshot.from);
  const span = Math.max(1, Date.parse(snapshot.to) - from);
  const left = ((Date.parse(at) - from) / span) * WIDTH;
  const slot = (snapshot.bucketMs / span) * WIDTH;
  // A thin bar stays visible, and a small value keeps a foot on the axis.
  const width = Math.max(1, slot * 0.82);
  const height = Math.max(1.5, (value / most) * HEIGHT);
  return markup`<rect
    class="${kind}"
    x="${left.toFixed(2)}"
    y="${(HEIGHT - height).toFixed(2)}"
    width="${width.toFixed(2)}"
    height="${height.toFixed(2)}"
  />`;
}

function table(buckets: readonly Bucket[], every: string): Html {
  const busy = buckets.filter((bucket) => bucket.calls > 0).reverse();
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Spend and calls over time">
    <table>
      <caption>
        Per ${every}, newest first${busy.length > MAX_ROWS && markup`; the last ${MAX_ROWS}`}
      </caption>
      <thead>
        <tr>
          <th scope="col" class="name">From (UTC)</th>
          <th scope="col">Spend</th>
          <th scope="col">Calls</th>
          <th scope="col">Failed</th>
        </tr>
      </thead>
      <tbody>
        ${busy.slice(0, MAX_ROWS).map(
          (bucket) =>
            markup`<tr>
              <th scope="row" class="name">${formatMinute(bucket.at)}</th>
              <td>${formatUsd(bucket.nanoUsd)}</td>
              <td>${formatCount(bucket.calls)}</td>
              <td>${formatCount(bucket.failures)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function formatBucket(bucketMs: number): string {
  const minutes = Math.round(bucketMs / 60_000);
  if (minutes % 1440 === 0) return minutes === 1440 ? 'day' : `${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'hour' : `${minutes / 60} hours`;
  return minutes === 1 ? 'minute' : `${minutes} minutes`;
}
