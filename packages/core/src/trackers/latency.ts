import { quantiles } from '../sketch.js';
import type { Cell, Sketch } from '../stores/store.js';

/** Percentiles of one quantity, each within 1 % of the exact one. `null` where nothing was measured. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Milliseconds; `ttftMs` of streams only. */
export interface Latency {
  readonly callMs: Quantiles | null;
  readonly lastAttemptMs: Quantiles | null;
  readonly ttftMs: Quantiles | null;
}

/** Per call with an answer, so that growing prompts show. */
export interface TokensPerCall {
  readonly input: Quantiles | null;
  readonly output: Quantiles | null;
}

/** `null` where only sums are kept. */
export function latencyOf({ sketches }: Cell): Latency | null {
  if (sketches === null) return null;
  return {
    callMs: quantilesOf(sketches.callMs),
    lastAttemptMs: quantilesOf(sketches.lastAttemptMs),
    ttftMs: quantilesOf(sketches.ttftMs),
  };
}

/** `null` where only sums are kept. */
export function tokensPerCallOf({ sketches }: Cell): TokensPerCall | null {
  if (sketches === null) return null;
  return { input: quantilesOf(sketches.input), output: quantilesOf(sketches.output) };
}

function quantilesOf(sketch: Sketch): Quantiles | null {
  const found = quantiles(sketch, [0.5, 0.95, 0.99]);
  if (found === null) return null;
  const [p50, p95, p99] = found.map(rounded);
  return { count: sketch.count, p50: p50!, p95: p95!, p99: p99! };
}

/** To a thousandth: an estimate within 1 % has no more digits to tell. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
