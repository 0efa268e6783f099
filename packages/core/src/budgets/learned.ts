import type { CallRecord } from '../record.js';
import { inputTokens } from '../record.js';
import type { RequestSize } from '../request-size.js';

/**
 * What calls of a model and feature usually take, learned from those that have ended; it makes the
 * holds of budgets with `hold: 'estimate'`.
 *
 * - **usual**: a moving mean and a moving mean deviation. The estimate is the mean and three
 *   deviations: rarely too low, and much nearer than the worst case.
 */
export interface Learned {
  /** Estimated tokens, or `null` before enough calls have been seen. */
  estimate(model: string, feature: string | null, size: RequestSize): Estimate | null;
  learn(call: CallRecord, size: RequestSize): void;
}

export interface Estimate {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

interface Usual {
  calls: number;
  tokensPerByte: number;
  ratioDeviation: number;
  output: number;
  outputDeviation: number;
}

const MAX_KINDS = 1_000;
const ENOUGH = 5;
const WEIGHT = 0.1;
const DEVIATIONS = 3;

export function createLearned(): Learned {
  /** By model and feature: a key of both would have to be made for every call. */
  const models = new Map<string, Map<string | null, Usual>>();
  let kinds = 0;

  function find(model: string, feature: string | null): Usual | undefined {
    return models.get(model)?.get(feature);
  }

  function add(model: string, feature: string | null, usual: Usual): void {
    if (kinds >= MAX_KINDS) dropOldest();
    let features = models.get(model);
    if (!features) models.set(model, (features = new Map()));
    features.set(feature, usual);
    kinds += 1;
  }

  function dropOldest(): void {
    for (const [model, features] of models) {
      for (const feature of features.keys()) {
        features.delete(feature);
        if (features.size === 0) models.delete(model);
        kinds -= 1;
        return;
      }
    }
  }

  return {
    estimate(model, feature, size) {
      const usual = find(model, feature);
      if (!usual || usual.calls < ENOUGH) return null;
      const ratio = usual.tokensPerByte + DEVIATIONS * usual.ratioDeviation;
      const output = usual.output + DEVIATIONS * usual.outputDeviation;
      return {
        inputTokens: Math.ceil(ratio * Math.max(size.textBytes, 1)) + size.fixedTokens,
        outputTokens: Math.ceil(Math.min(output, size.maxTokens ?? output)),
      };
    },
    learn(call, size) {
      if (call.usage === null || call.priceStatus !== 'priced') return;
      const model = call.budget?.sentModel ?? call.model;
      const usual = find(model, call.feature);
      const read = Math.max(inputTokens(call.tokens) - size.fixedTokens, 0);
      const tokensPerByte = read / Math.max(size.textBytes, 1);
      const { output } = call.tokens;
      if (!usual) {
        const first = { calls: 1, tokensPerByte, ratioDeviation: 0, output, outputDeviation: 0 };
        add(model, call.feature, first);
        return;
      }
      usual.calls += 1;
      const ratioError = tokensPerByte - usual.tokensPerByte;
      const outputError = output - usual.output;
      usual.tokensPerByte += WEIGHT * ratioError;
      usual.output += WEIGHT * outputError;
      usual.ratioDeviation += WEIGHT * (Math.abs(ratioError) - usual.ratioDeviation);
      usual.outputDeviation += WEIGHT * (Math.abs(outputError) - usual.outputDeviation);
    },
  };
}
