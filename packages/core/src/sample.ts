import { addRare, createCell, RARE, SUM, UNPRICED_REASONS } from './cell.js';
import { recordName } from './distinct.js';
import { ERROR_KINDS, inputTokens, isFailure, OUTCOMES } from './record.js';
import type { CallRecord, CostLine } from './record.js';
import { recordValue } from './sketch.js';
import type { Cell, Line, Sketches } from './stores/store.js';

/**
 * One call as a cell, so that counting a call and adding cells are the same operation.
 *
 * - **sampler**: makes one such cell after the other in the same memory. The cell it returns is
 *   overwritten by the next one.
 */
export interface Sampler {
  sample(call: CallRecord): Cell;
}

/** Beyond it, a sum of nano-dollars would no longer be exact before its carry is taken: $8,000,000. */
const MAX_AMOUNT = 8e15;
const MAX_KNOWN_LINES = 1_000;
const NO_PARTS: readonly CostLine[] = [];

/** @param onBadAmount Called for a number that is no whole amount; it counts as 0. */
export function createSampler(onBadAmount: () => void): Sampler {
  const cell = createCell('user-model', 0, 0, ['', '']);
  /** Of the cell: used again for every call, so whoever keeps it has to copy it. */
  const lines: Line[] = [];
  cell.lines = lines;
  const known = new Map<string, Line[]>();
  let knownLines = 0;

  function amount(value: number): number {
    if (Number.isInteger(value) && value >= 0 && value <= MAX_AMOUNT) return value;
    onBadAmount();
    return 0;
  }

  /** The same line is the same object: comparing it with those of a cell is one comparison. */
  function lineOf(call: CallRecord, part: CostLine): Line {
    let alike = known.get(part.model);
    if (alike === undefined) known.set(part.model, (alike = []));
    for (let i = 0; i < alike.length; i += 1) {
      const line = alike[i]!;
      if (
        line.class === part.class &&
        line.speed === call.speed &&
        line.geo === call.inferenceGeo &&
        line.tier === call.serviceTier
      ) {
        return line;
      }
    }
    const line: Line = Object.freeze({
      model: part.model,
      class: part.class,
      speed: call.speed,
      geo: call.inferenceGeo,
      tier: call.serviceTier,
    });
    knownLines += 1;
    if (knownLines > MAX_KNOWN_LINES) {
      known.clear();
      knownLines = 0;
    }
    alike.push(line);
    return line;
  }

  function sampleCost(call: CallRecord, estimated: boolean): void {
    const { sums, amounts } = cell;
    const nanoUsd = call.cost ? amount(call.cost.nanoUsd) : 0;
    sums[SUM.nanoUsd] = nanoUsd;
    sums[SUM.estimatedNanoUsd] = estimated ? nanoUsd : 0;
    const parts = call.cost ? call.cost.lines : NO_PARTS;
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i]!;
      lines[i] = lineOf(call, part);
      amounts[3 * i] = amount(part.quantity);
      amounts[3 * i + 1] = amount(part.nanoUsd);
      amounts[3 * i + 2] = 0;
    }
    if (lines.length > parts.length) {
      lines.length = parts.length;
      amounts.length = 3 * parts.length;
    }
  }

  function sampleRare(call: CallRecord): void {
    if (cell.rare !== null) cell.rare = null;
    if (call.outcome !== 'ok') {
      addRare(cell, RARE.outcome + OUTCOMES.indexOf(call.outcome));
      if (isFailure(call)) {
        const kind = ERROR_KINDS.indexOf(call.error?.kind ?? 'unknown');
        addRare(cell, RARE.error + (kind < 0 ? ERROR_KINDS.indexOf('unknown') : kind));
      }
    }
    if (call.priceStatus === 'unpriced') {
      const reason = UNPRICED_REASONS.indexOf(call.unpricedReason ?? 'unknown_model');
      addRare(cell, RARE.unpriced + Math.max(reason, 0));
    }
  }

  return {
    sample(call) {
      const { sums } = cell;
      const { tokens } = call;
      const estimated = call.estimated || call.priceStatus === 'estimated';
      sums[SUM.calls] = 1;
      sums[SUM.attempts] = call.attempts.length;
      sums[SUM.retries] = Math.max(call.attempts.length - 1, 0);
      sums[SUM.estimated] = estimated ? 1 : 0;
      sums[SUM.unattributedUser] = call.userId === null ? 1 : 0;
      sums[SUM.unattributedFeature] = call.feature === null ? 1 : 0;
      sums[SUM.uncachedInput] = amount(tokens.uncachedInput);
      sums[SUM.cacheRead] = amount(tokens.cacheRead);
      sums[SUM.cacheWrite5m] = amount(tokens.cacheWrite5m);
      sums[SUM.cacheWrite1h] = amount(tokens.cacheWrite1h);
      sums[SUM.output] = amount(tokens.output);
      sums[SUM.thinking] = amount(tokens.thinking);
      const inSession = call.sessionId !== null;
      sums[SUM.sessionCalls] = inSession ? 1 : 0;
      sums[SUM.sessionTokens] = inSession ? amount(inputTokens(tokens) + tokens.output) : 0;
      sampleCost(call, estimated);
      sampleRare(call);
      return cell;
    },
  };
}

/** Adds who made a call: names that are hashed, and counted once however often they come. */
export function recordNames({ users, sessions }: Sketches, call: CallRecord): void {
  if (users && call.userId !== null) recordName(users, call.userId);
  if (sessions && call.sessionId !== null) recordName(sessions, call.sessionId);
}

/** Adds what a call took. Tokens only where there was an answer: an error would read as a 0. */
export function recordSketches(sketches: Sketches, call: CallRecord): void {
  recordValue(sketches.callMs, call.callMs);
  recordValue(sketches.lastAttemptMs, call.lastAttemptMs);
  if (call.ttftMs !== null) recordValue(sketches.ttftMs, call.ttftMs);
  if (call.usage !== null) {
    recordValue(sketches.input, inputTokens(call.tokens));
    recordValue(sketches.output, call.tokens.output);
  }
}
