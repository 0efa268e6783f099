// What benchmarks of stores and state measure with, and what they measure on.
import { createCell, SUM } from '../packages/core/dist/esm/cell.js';

const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'];

/** A line of a table. */
export function row(what, value, unit, must) {
  return { what, value: Number(value.toPrecision(3)), unit, must };
}

/** Microseconds of processor time. */
export function cpuSince(start) {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** Cell number `i` of a bucket: each is of another user, and looks like a day's calls. */
export function cellNumber(i, bucketMs, at) {
  const model = MODELS[i % 3];
  const cell = createCell('user-model', bucketMs, at, [`user-${(i * 7919) % 1_000_003}`, model]);
  cell.sums[SUM.calls] = 1 + (i % 5);
  cell.sums[SUM.nanoUsd] = 5_000_000 + i * 13;
  cell.sums[SUM.attempts] = 1;
  cell.sums[SUM.uncachedInput] = 2_500 + (i % 100);
  cell.sums[SUM.cacheRead] = 4_000;
  cell.sums[SUM.output] = 500 + (i % 77);
  cell.lines = ['uncachedInput', 'cacheRead', 'output'].map((part) => {
    return { model, class: part, speed: null, geo: 'us', tier: 'standard' };
  });
  cell.amounts = [2_500, 7_500_000, 0, 4_000, 100, 0, 500, 7_500_000, 0];
  return cell;
}
