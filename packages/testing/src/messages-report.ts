import type { Bill, BilledUsage } from './bill.js';
import { grouped, readReportQuery, type ReportQuery } from './report-page.js';

/** `GET /v1/organizations/usage_report/messages`: tokens by time and by what they are grouped by. */

const DIMENSIONS = [
  ...['api_key_id', 'workspace_id', 'model', 'service_tier', 'context_window', 'inference_geo'],
  ...['speed', 'account_id', 'service_account_id'],
] as const;
type DimensionName = (typeof DIMENSIONS)[number];

/** The parameter of each filter, and what it looks at. */
const FILTERS: Readonly<Record<string, DimensionName>> = {
  'api_key_ids[]': 'api_key_id',
  'workspace_ids[]': 'workspace_id',
  'models[]': 'model',
  'service_tiers[]': 'service_tier',
  'context_window[]': 'context_window',
  'inference_geos[]': 'inference_geo',
  'speeds[]': 'speed',
};
const SPEED_BETA = 'fast-mode-2026-02-01';
const LONG_PROMPT = 200_000;

type Dimensions = Readonly<Record<DimensionName, string | null>>;

interface Result extends Dimensions {
  readonly uncached_input_tokens: number;
  readonly cache_creation: {
    readonly ephemeral_1h_input_tokens: number;
    readonly ephemeral_5m_input_tokens: number;
  };
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
  readonly server_tool_use: { readonly web_search_requests: number };
}

export const usageReport = {
  read(query: URLSearchParams, headers: Readonly<Record<string, string>>): ReportQuery | string {
    const asked = readReportQuery(query, ['1d', '1h', '1m'], DIMENSIONS, Object.keys(FILTERS));
    if (typeof asked === 'string') return asked;
    const ofSpeed = asked.groupBy.includes('speed') || 'speeds[]' in asked.filters;
    const betas = (headers['anthropic-beta'] ?? '').split(',').map((each) => each.trim());
    if (ofSpeed && !betas.includes(SPEED_BETA)) {
      return `speed requires the beta header ${SPEED_BETA}`;
    }
    return asked;
  },

  results(bill: Bill, { groupBy, filters }: ReportQuery, from: number, to: number): Result[] {
    const rows = (bill.usage ?? [])
      .filter(({ at }) => Number(at) >= from && Number(at) < to)
      .map((line) => ({ line, dimensions: dimensionsOf(line) }))
      .filter(({ dimensions }) =>
        Object.entries(filters).every(([name, values]) =>
          values.includes(dimensions[FILTERS[name]!] ?? ''),
        ),
      );
    return grouped(
      rows,
      ({ dimensions }) => JSON.stringify(groupBy.map((each) => dimensions[each as DimensionName])),
      (group: Result | undefined, { line, dimensions }) =>
        add(group ?? nothing(dimensions, groupBy), line),
    );
  },
};

function dimensionsOf(line: BilledUsage): Dimensions {
  const { usage } = line;
  const prompt =
    (usage.input_tokens ?? 0) +
    (usage.cache_read_input_tokens ?? 0) +
    (usage.cache_creation_input_tokens ?? 0);
  return {
    api_key_id: line.apiKeyId ?? null,
    workspace_id: line.workspaceId ?? null,
    model: line.model,
    service_tier: line.serviceTier ?? usage.service_tier ?? 'standard',
    context_window: line.contextWindow ?? (prompt > LONG_PROMPT ? '200k-1M' : '0-200k'),
    inference_geo: line.inferenceGeo ?? usage.inference_geo ?? 'global',
    speed: line.speed ?? usage.speed ?? 'standard',
    account_id: null,
    service_account_id: null,
  };
}

/** What is not grouped by is `null`. */
function nothing(dimensions: Dimensions, groupBy: readonly string[]): Result {
  const named = DIMENSIONS.map((each) => [each, groupBy.includes(each) ? dimensions[each] : null]);
  return {
    uncached_input_tokens: 0,
    cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
    cache_read_input_tokens: 0,
    output_tokens: 0,
    server_tool_use: { web_search_requests: 0 },
    ...(Object.fromEntries(named) as Dimensions),
  };
}

function add(sum: Result, { usage }: BilledUsage): Result {
  const split = usage.cache_creation;
  const written = usage.cache_creation_input_tokens ?? 0;
  const hour = split?.ephemeral_1h_input_tokens ?? 0;
  const minutes = split?.ephemeral_5m_input_tokens ?? written;
  const searches = usage.server_tool_use?.['web_search_requests'] ?? 0;
  return {
    ...sum,
    uncached_input_tokens: sum.uncached_input_tokens + (usage.input_tokens ?? 0),
    cache_creation: {
      ephemeral_1h_input_tokens: sum.cache_creation.ephemeral_1h_input_tokens + hour,
      ephemeral_5m_input_tokens: sum.cache_creation.ephemeral_5m_input_tokens + minutes,
    },
    cache_read_input_tokens: sum.cache_read_input_tokens + (usage.cache_read_input_tokens ?? 0),
    output_tokens: sum.output_tokens + (usage.output_tokens ?? 0),
    server_tool_use: { web_search_requests: sum.server_tool_use.web_search_requests + searches },
  };
}
