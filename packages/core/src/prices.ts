import { deepFreeze } from './freeze.js';

/**
 * What Anthropic's own API charges, as data: list prices in USD, worldwide inference, with the day
 * each price came into force and where it was read.
 *
 * - **period**: the days a price holds, UTC; `from` inclusive, `to` exclusive, `null` open.
 * - **tier**: the prices of a whole request (output included) whose prompt is longer than a limit.
 *
 * A model is found by its exact id or alias. A name that merely begins like a known one is unknown:
 * `claude-sonnet-5-5` costs something else than `claude-sonnet-5`.
 */

/** USD per 1,000,000 tokens. */
export interface Rates {
  readonly input: number;
  /** Thinking included. */
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
}

export interface PromptTier extends Rates {
  /** Applies strictly above this many prompt tokens: uncached, read from and written to the cache. */
  readonly overPromptTokens: number;
}

export interface PricePeriod extends Rates {
  /** `YYYY-MM-DD`, UTC. */
  readonly from: string | null;
  readonly to: string | null;
  readonly tiers: readonly PromptTier[];
  /** Keys of `PriceTable.sources`. */
  readonly sources: readonly string[];
  /** `official`: read in Anthropic's text; `secondary`: third parties; `derived`, `assumed`. */
  readonly confidence: string;
}

/** Fast mode multiplies every token rate (`usage.speed: "fast"`). */
export interface FastPrice {
  readonly multiplier: number;
  readonly from: string | null;
  readonly until: string | null;
  readonly sources: readonly string[];
  readonly confidence: string;
}

export interface ModelPrice {
  readonly aliases: readonly string[];
  /** For `usage.inference_geo: "us"`; `null`: the model knows no such choice. */
  readonly usMultiplier: number | null;
  readonly fast: FastPrice | null;
  readonly periods: readonly PricePeriod[];
}

export interface PriceTable {
  /** Kept in every cost, so that history can be re-priced. */
  readonly version: string;
  /** Multiplies every token rate of a batch (`usage.service_tier: "batch"`). */
  readonly batchFactor: number;
  /** USD per web search; no multiplier applies. */
  readonly webSearchUsd: number;
  readonly sources: Readonly<Record<string, string>>;
  /** By id. */
  readonly models: Readonly<Record<string, ModelPrice>>;
}

const US = 1.1;

/** Cache writes cost 1.25 × (5 minutes) and 2 × (1 hour) the input, unless the list says otherwise. */
function rates(
  input: number,
  output: number,
  cacheRead: number,
  cacheWrite5m = input * 1.25,
  cacheWrite1h = input * 2,
): Rates {
  return { input, output, cacheRead, cacheWrite5m, cacheWrite1h };
}

function over(overPromptTokens: number, price: Rates): PromptTier {
  return { overPromptTokens, ...price };
}

function period(
  from: string,
  to: string | null,
  price: Rates,
  sources: string,
  confidence: string,
  tiers: readonly PromptTier[] = [],
): PricePeriod {
  return { from, to, ...price, tiers, sources: sources.split(' '), confidence };
}

function fast(
  multiplier: number,
  from: string | null,
  until: string | null,
  sources: string,
  confidence: string,
): FastPrice {
  return { multiplier, from, until, sources: sources.split(' '), confidence };
}

function model(price: Partial<ModelPrice> & Pick<ModelPrice, 'periods'>): ModelPrice {
  return { aliases: [], usMultiplier: null, fast: null, ...price };
}

const models: Record<string, ModelPrice> = {
  'claude-fable-5-2': model({
    usMultiplier: US,
    fast: fast(2, '2026-11-09', null, 'qiita ccfast', 'secondary'),
    periods: [
      period(
        '2026-11-09',
        null,
        rates(8, 40, 0.2),
        'rn apiyi',
        'input and output official, cacheRead and cacheWrite5m secondary, cacheWrite1h derived (2 x input)',
      ),
    ],
  }),
  'claude-mythos-5-2': model({
    usMultiplier: US,
    periods: [
      period(
        '2026-11-09',
        null,
        rates(8, 40, 0.2),
        'rn',
        'input and output official, cacheRead assumed = fable-5-2, cacheWrite5m and cacheWrite1h assumed',
      ),
    ],
  }),
  'claude-haiku-5-5': model({
    usMultiplier: US,
    periods: [
      period('2026-10-07', null, rates(0.1, 0.5, 0.01), 'docsPage claudit promptfuel', 'official', [
        over(100_000, rates(0.5, 2.5, 0.05)),
      ]),
    ],
  }),
  'claude-sonnet-5-5': model({
    usMultiplier: US,
    periods: [
      period('2026-09-28', '2026-10-07', rates(2, 10, 0.2), 'docsPage claudit', 'official'),
      period(
        '2026-10-07',
        null,
        rates(2, 10, 0.1),
        'claudit promptfuel mdev',
        'secondary x3 (official page excerpt predates the cut)',
      ),
    ],
  }),
  'claude-opus-5-5': model({
    usMultiplier: US,
    fast: fast(
      2,
      '2026-09-22',
      null,
      'mdev qiita docsPage',
      'secondary (models.dev + qiita agree); GA without beta header since 2026-10-15',
    ),
    periods: [period('2026-09-22', null, rates(4, 20, 0.2), 'docsPage genai mdev', 'official')],
  }),
  'claude-fable-5-1': model({
    usMultiplier: US,
    periods: [period('2026-09-01', null, rates(10, 50, 0.25), 'docsPage genai', 'official')],
  }),
  'claude-mythos-5-1': model({
    usMultiplier: US,
    periods: [period('2026-09-01', null, rates(10, 50, 0.25), 'docsPage genai', 'official')],
  }),
  'claude-opus-5': model({
    usMultiplier: US,
    fast: fast(
      2,
      '2026-07-24',
      null,
      'docsAug',
      'official, research preview, beta header fast-mode-2026-02-01',
    ),
    periods: [period('2026-07-24', null, rates(5, 25, 0.5), 'docsAug genai', 'official')],
  }),
  'claude-sonnet-5': model({
    usMultiplier: US,
    periods: [
      period('2026-06-30', null, rates(2, 10, 0.2), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-fable-5': model({
    usMultiplier: US,
    periods: [
      period('2026-06-09', null, rates(10, 50, 1), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-mythos-5': model({
    usMultiplier: US,
    periods: [period('2026-06-09', null, rates(10, 50, 1), 'docsAug', 'official')],
  }),
  'claude-opus-4-8': model({
    usMultiplier: US,
    fast: fast(
      2,
      '2026-05-28',
      '2026-11-30',
      'docsAug litellm mdev ccfast',
      'official; removal date from code.claude.com',
    ),
    periods: [
      period('2026-05-28', null, rates(5, 25, 0.5), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-opus-4-7': model({
    usMultiplier: US,
    fast: fast(6, null, '2026-07-24', 'litellm mdev ccfast', 'secondary; removed, now an error'),
    periods: [
      period('2026-04-16', null, rates(5, 25, 0.5), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-opus-4-6': model({
    usMultiplier: US,
    fast: fast(
      6,
      '2026-02-07',
      '2026-08-22',
      'litellm mdev docsAug',
      'now runs and bills at standard speed; usage.speed tells',
    ),
    periods: [
      period('2026-02-05', '2026-03-13', rates(5, 25, 0.5), 'genai', 'secondary', [
        over(200_000, rates(10, 37.5, 1)),
      ]),
      period('2026-03-13', null, rates(5, 25, 0.5), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-sonnet-4-6': model({
    usMultiplier: US,
    periods: [
      period('2026-02-17', '2026-03-13', rates(3, 15, 0.3), 'genai', 'secondary', [
        over(200_000, rates(6, 22.5, 0.6)),
      ]),
      period('2026-03-13', null, rates(3, 15, 0.3), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-haiku-4-5-20251001': model({
    aliases: ['claude-haiku-4-5'],
    periods: [
      period('2025-10-15', null, rates(1, 5, 0.1), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-opus-4-5-20251101': model({
    aliases: ['claude-opus-4-5'],
    periods: [
      period('2025-11-24', null, rates(5, 25, 0.5), 'docsAug genai litellm mdev', 'official'),
    ],
  }),
  'claude-sonnet-4-5-20250929': model({
    aliases: ['claude-sonnet-4-5'],
    periods: [
      period(
        '2025-09-29',
        null,
        rates(3, 15, 0.3),
        'docsAug genai litellm mdev',
        'official (base), secondary (tier)',
        [over(200_000, rates(6, 22.5, 0.6))],
      ),
    ],
  }),
  'claude-opus-4-1-20250805': model({
    aliases: ['claude-opus-4-1'],
    periods: [
      period(
        '2025-08-05',
        '2026-08-05',
        rates(15, 75, 1.5),
        'docsAug genai litellm mdev',
        'official',
      ),
    ],
  }),
  'claude-opus-4-20250514': model({
    aliases: ['claude-opus-4-0'],
    periods: [
      period(
        '2025-05-22',
        '2026-06-15',
        rates(15, 75, 1.5),
        'docsAug genai litellm mdev',
        'official',
      ),
    ],
  }),
  'claude-sonnet-4-20250514': model({
    aliases: ['claude-sonnet-4-0'],
    periods: [
      period(
        '2025-05-22',
        '2026-06-15',
        rates(3, 15, 0.3),
        'docsAug genai litellm mdev',
        'official (base), secondary (tier)',
        [over(200_000, rates(6, 22.5, 0.6))],
      ),
    ],
  }),
  'claude-3-7-sonnet-20250219': model({
    aliases: ['claude-3-7-sonnet-latest'],
    periods: [
      period('2025-02-19', '2026-02-19', rates(3, 15, 0.3), 'genai litellm mdev', 'secondary'),
    ],
  }),
  'claude-3-5-haiku-20241022': model({
    aliases: ['claude-3-5-haiku-latest'],
    periods: [period('2024-10-22', '2026-02-19', rates(0.8, 4, 0.08), 'docsAug genai', 'official')],
  }),
  'claude-3-haiku-20240307': model({
    periods: [
      period(
        '2024-03-07',
        '2026-04-20',
        rates(0.25, 1.25, 0.03, 0.3),
        'genai litellm mdev',
        'secondary (litellm says 1h write = 6: wrong)',
      ),
    ],
  }),
};

/**
 * The built-in price table; frozen. See `registerPrices()` for models and prices of your own.
 *
 * @example
 * prices.models['claude-opus-5-5']?.periods[0]?.output; // 20 USD per 1,000,000 tokens
 */
export const prices: PriceTable = deepFreeze({
  version: '2026-11-23',
  batchFactor: 0.5,
  webSearchUsd: 0.01,
  sources: {
    docsAug: "Anthropic's pricing page as of 2026-08-22 (about-claude/pricing)",
    docsPage: "Anthropic's model overview and pricing pages, September and October 2026",
    rn: "Anthropic's release notes, 2026-11-09",
    ccfast: 'code.claude.com/docs/en/fast-mode, November 2026',
    mdev: 'models.dev, July and October 2026',
    genai: '@pydantic/genai-prices 0.1.8',
    litellm: 'LiteLLM model_prices_and_context_window.json, July 2026',
    claudit: 'kurofune/claudit release notes 1.8.1 and 1.9.2 (pricing page of 2026-10-24)',
    promptfuel: 'TheKrush/PromptFuel release notes 1.0.23, 2026-10-16',
    apiyi: "docs.apiyi.com, 2026-11-10 (a reseller stating Anthropic's list price)",
    qiita: 'qiita.com/kai_kou, 2026-11-12, quoting the official documentation',
  },
  // Without a prototype, so that `constructor` and `__proto__` are not models.
  models: Object.assign(Object.create(null) as Record<string, ModelPrice>, models),
});
