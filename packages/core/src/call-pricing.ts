import type { Pricing } from './call.js';
import type { Health } from './health.js';
import { show } from './options.js';
import type { PriceTable } from './prices.js';
import { priceCall } from './pricing.js';

/** The prices of a monitor's calls; a model that has none is told of once. */
export interface CallPricing extends Pricing {
  unpricedModels(): readonly string[];
}

const MAX_UNPRICED_MODELS = 100;

export function createCallPricing(prices: () => PriceTable, health: Health): CallPricing {
  const unpriced = new Set<string>();

  function sayUnpriced(model: string): void {
    if (unpriced.size >= MAX_UNPRICED_MODELS) return;
    unpriced.add(model);
    health.notice(
      `price:${model}`,
      `There is no price for the model ${show(model)}; its calls are counted as unpriced, and ` +
        'totals say "at least". Add it with registerPrices().',
    );
  }

  return {
    prices,
    price(call) {
      const priced = priceCall(call);
      if (priced.unknownModel !== null) sayUnpriced(priced.unknownModel);
      return priced;
    },
    unpricedModels: () => [...unpriced],
  };
}
