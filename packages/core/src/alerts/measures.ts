import { SUM } from '../cell.js';
import { inputTokens } from '../record.js';
import { quantile } from '../sketch.js';
import { spendOf, tokensOf, unpricedOf } from '../trackers/cost.js';
import { errorsOf } from '../trackers/errors.js';
import { opinionsOf } from '../trackers/usage.js';
import { inUnit, spanOf } from './wording.js';
import type { CellRule } from './rule.js';
import type { Cell } from '../stores/store.js';

/** The one number that a rule watches, as a reading of a cell. */

/** In the unit of the kind; `null` with less than the minimum traffic. */
export function valueOf(rule: CellRule, cell: Cell): number | null {
  const calls = cell.sums[SUM.calls]!;
  if (rule.kind === 'acceptanceRateBelow') {
    const answers = answersOf(cell);
    return answers < rule.minCalls ? null : accepted(cell) / answers;
  }
  if (rule.kind === 'latencyAbove') {
    const sketch = rule.of === 'ttft' ? cell.sketches?.ttftMs : cell.sketches?.callMs;
    // Streams alone have a time to first token: what counts is how many were measured.
    return !sketch || sketch.count < rule.minCalls ? null : quantile(sketch, rule.percentile / 100);
  }
  if (calls === 0 || calls < rule.minCalls) return null;
  switch (rule.kind) {
    case 'errorRateAbove':
      return errorsOf(cell).errorRate;
    case 'spendAbove':
      return spendOf(cell).usd;
    case 'cacheHitRateBelow': {
      const tokens = tokensOf(cell);
      const input = inputTokens(tokens);
      return input === 0 ? null : tokens.cacheRead / input;
    }
    case 'unpricedCalls':
      return Object.values(unpricedOf(cell)).reduce((sum, count) => sum + count, 0);
    case 'unattributedAbove':
      return (
        cell.sums[rule.of === 'user' ? SUM.unattributedUser : SUM.unattributedFeature]! / calls
      );
  }
}

/** How the title begins. */
export function leadOf(rule: CellRule, value: number, cell: Cell): string {
  const over = `over ${spanOf(rule.windowMs)}`;
  const percent = inUnit(value, 'ratio');
  switch (rule.kind) {
    case 'errorRateAbove':
      return `Error rate ${percent} ${over}`;
    case 'latencyAbove': {
      const what = rule.of === 'ttft' ? 'time to first token' : 'latency';
      return `P${rule.percentile} ${what} ${inUnit(value, 'ms')} ${over}`;
    }
    case 'spendAbove':
      return `Spend ${inUnit(value, 'usd')} ${over}`;
    case 'cacheHitRateBelow':
      return `Cache hit rate ${percent} ${over}`;
    case 'acceptanceRateBelow':
      return `${percent} of ${answersOf(cell)} answers accepted ${over}`;
    case 'unpricedCalls':
      return `${inUnit(value, 'calls')} without a price ${over}`;
    case 'unattributedAbove':
      return `${percent} of calls without ${rule.of} ${over}`;
  }
}

function accepted(cell: Cell): number {
  return opinionsOf(cell).accept;
}

function answersOf(cell: Cell): number {
  const { accept, reject } = opinionsOf(cell);
  return accept + reject;
}
