import { checkFields, fail, isObject, type Answer } from './answer.js';
import type { Bill, BilledCost, BilledUsage } from './bill.js';
import { refuse } from './errors.js';
import { costReport } from './cost-report.js';
import { usageReport } from './messages-report.js';
import { bucketsOf, pageOf, type ReportQuery } from './report-page.js';
import type { SimulatedRequest } from './request.js';

/** What an Admin endpoint answers: one of the two. */
export interface BillAnswer {
  readonly refused?: Answer;
  readonly json?: object;
}

/** The endpoints of the Admin API that report the bill. */
export interface BillDesk {
  set(bill: Bill): void;
  /** `null`: no endpoint of the Admin API. */
  answer(request: SimulatedRequest): BillAnswer | null;
}

const REPORTS = {
  '/v1/organizations/usage_report/messages': usageReport,
  '/v1/organizations/cost_report': costReport,
} as const;

type Check = readonly [allowed: string, ok: (value: unknown) => boolean];
const text: Check = ['a string', (value) => typeof value === 'string'];
const name: Check = ['a string or null', (value) => value === null || typeof value === 'string'];
const time: Check = ['a Date or milliseconds', (value) => Number.isFinite(Number(value))];

const USAGE: Readonly<Record<keyof BilledUsage, Check>> = {
  at: time,
  model: text,
  usage: ['a usage object', isObject],
  apiKeyId: name,
  workspaceId: name,
  serviceTier: text,
  speed: text,
  inferenceGeo: text,
  contextWindow: text,
};
const COST: Readonly<Record<keyof BilledCost, Check>> = {
  at: time,
  cents: [
    'a decimal as a string, such as "12.5"',
    (value) => typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value),
  ],
  costType: text,
  model: name,
  tokenType: name,
  serviceTier: name,
  inferenceGeo: name,
  contextWindow: name,
  workspaceId: name,
  description: text,
};

export function createBillDesk(): BillDesk {
  let bill: Bill = {};
  return {
    set(given) {
      checkBill(given);
      bill = { usage: [...(given.usage ?? [])], costs: [...(given.costs ?? [])] };
    },
    answer({ method, path, query, headers }) {
      const report = Object.hasOwn(REPORTS, path) ? REPORTS[path as keyof typeof REPORTS] : null;
      if (method !== 'GET' || report === null) return null;
      const key = headers['x-api-key'] ?? headers['authorization']?.replace(/^Bearer /i, '');
      if (!key?.startsWith('sk-ant-admin')) {
        const error = { type: 'authentication_error', message: 'invalid x-api-key' };
        return { refused: { status: 401, error } };
      }
      const asked: ReportQuery | string = report.read(new URLSearchParams(query), headers);
      if (typeof asked === 'string') return { refused: refuse(400, asked) };
      const page = bucketsOf(asked, (from, to) => report.results(bill, asked, from, to));
      return { json: pageOf(page) };
    },
  };
}

/** @throws TypeError naming the field, its value and what is allowed. */
function checkBill(bill: unknown): void {
  const list: Check = ['an array', Array.isArray];
  checkFields('bill', 'bill', bill, { usage: list, costs: list });
  const { usage = [], costs = [] } = bill as Bill;
  usage.forEach((each, i) => checkLine(`bill.usage[${i}]`, each, USAGE, ['at', 'model', 'usage']));
  costs.forEach((each, i) => checkLine(`bill.costs[${i}]`, each, COST, ['at', 'cents']));
}

function checkLine(
  path: string,
  line: unknown,
  fields: Readonly<Record<string, Check>>,
  required: readonly string[],
): void {
  checkFields('bill', path, line, fields);
  for (const field of required) {
    if ((line as Record<string, unknown>)[field] !== undefined) continue;
    fail('bill', `${path}.${field}`, fields[field]?.[0] ?? 'given', undefined);
  }
}
