import type { Bill, BilledCost } from './bill.js';
import { grouped, readReportQuery, type ReportQuery } from './report-page.js';

/** `GET /v1/organizations/cost_report`: money by day, as decimal strings of cents. */

const DIMENSIONS = ['description', 'workspace_id'];

interface Result {
  readonly currency: 'USD';
  readonly amount: string;
  readonly workspace_id: string | null;
  readonly description: string | null;
  readonly cost_type: string | null;
  readonly model: string | null;
  readonly token_type: string | null;
  readonly service_tier: string | null;
  readonly context_window: string | null;
  readonly inference_geo: string | null;
}

export const costReport = {
  read: (query: URLSearchParams): ReportQuery | string =>
    readReportQuery(query, ['1d'], DIMENSIONS, []),

  results(bill: Bill, { groupBy }: ReportQuery, from: number, to: number): Result[] {
    return grouped(
      (bill.costs ?? []).filter(({ at }) => Number(at) >= from && Number(at) < to),
      (line) => JSON.stringify(dimensionsOf(line, groupBy)),
      (group: Result | undefined, line) => {
        const amount = group ? addDecimals(group.amount, line.cents) : line.cents;
        return { currency: 'USD', amount, ...dimensionsOf(line, groupBy) };
      },
    );
  },
};

/** What is not grouped by is `null`; a description tells all but the workspace. */
function dimensionsOf(line: BilledCost, groupBy: readonly string[]) {
  const told = groupBy.includes('description');
  const costType = line.costType ?? 'tokens';
  const ofTokens = told && costType === 'tokens';
  return {
    workspace_id: groupBy.includes('workspace_id') ? (line.workspaceId ?? null) : null,
    description: told ? (line.description ?? descriptionOf(line, costType)) : null,
    cost_type: told ? costType : null,
    model: ofTokens ? (line.model ?? null) : null,
    token_type: ofTokens ? (line.tokenType ?? null) : null,
    service_tier: ofTokens ? (line.serviceTier ?? 'standard') : null,
    context_window: ofTokens ? (line.contextWindow ?? '0-200k') : null,
    inference_geo: ofTokens ? (line.inferenceGeo ?? 'global') : null,
  };
}

function descriptionOf({ model, tokenType }: BilledCost, costType: string): string {
  if (costType !== 'tokens') return `${costType} usage`;
  return `${model ?? 'unknown'} Usage - ${tokenType ?? 'tokens'}`;
}

/** Exact, with as many digits as the longer of the two. */
function addDecimals(a: string, b: string): string {
  const places = Math.max(placesOf(a), placesOf(b));
  const sum = scaled(a, places) + scaled(b, places);
  const digits = String(sum < 0n ? -sum : sum).padStart(places + 1, '0');
  const sign = sum < 0n ? '-' : '';
  if (places === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function placesOf(decimal: string): number {
  return decimal.split('.')[1]?.length ?? 0;
}

function scaled(decimal: string, places: number): bigint {
  const [whole = '0', part = ''] = decimal.split('.');
  return BigInt(whole + part.padEnd(places, '0'));
}
