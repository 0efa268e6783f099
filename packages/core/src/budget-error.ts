import type { BudgetReason, BudgetState } from './budget.js';

/** What a `BudgetExceededError` is made of. */
export interface BudgetRefusal extends BudgetState {
  readonly reason: BudgetReason;
  /** What the call could have cost at most, as far as it is known. */
  readonly worstCaseUsd: number | null;
  /** Whole seconds after which it may fit; `null` when waiting does not help. */
  readonly retryAfterSeconds: number | null;
  /** It would fit if no other call were under way: what those hold and do not spend comes back. */
  readonly underWay: boolean;
}

/**
 * A budget refused a call before anything was sent. It reaches your code as it is: the SDK neither
 * wraps nor retries it.
 *
 * Unhandled, it is an answer with status 429 and `Retry-After` in Express, Koa and Nest (503 for a
 * paused feature), because they look at `status`, `headers` and `expose`. Its message names no other
 * user and no prompt.
 *
 * @example
 * try {
 *   await client.messages.create(request);
 * } catch (error) {
 *   if (BudgetExceededError.is(error)) return answerFromCache(error.resetsAt);
 *   throw error;
 * }
 */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';
  readonly status: number;
  /** The same as `status`: Koa and Nest's filters ask for either. */
  readonly statusCode: number;
  /** The message may be shown to whoever asked. */
  readonly expose = true;
  /** Headers of the answer; a plain object, as Express 4 and Koa 2 need it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: BudgetReason;
  readonly budget: string;
  readonly scope: string | null;
  readonly spentUsd: number;
  readonly heldUsd: number;
  readonly limitUsd: number;
  /** ISO 8601; `null` for a budget per call and for a paused feature. */
  readonly resetsAt: string | null;
  readonly worstCaseUsd: number | null;
  readonly retryAfterSeconds: number | null;

  constructor(refusal: BudgetRefusal) {
    super(messageOf(refusal));
    const { reason, budget, scope, spentUsd, heldUsd, limitUsd, resetsAt } = refusal;
    this.status = reason === 'paused' || reason === 'unavailable' ? 503 : 429;
    this.statusCode = this.status;
    this.reason = reason;
    this.budget = budget;
    this.scope = scope;
    this.spentUsd = spentUsd;
    this.heldUsd = heldUsd;
    this.limitUsd = limitUsd;
    this.resetsAt = resetsAt;
    this.worstCaseUsd = refusal.worstCaseUsd;
    this.retryAfterSeconds = refusal.retryAfterSeconds;
    const { retryAfterSeconds: wait } = refusal;
    this.headers = wait === null ? {} : { 'retry-after': String(wait) };
  }

  /** Also of an error that another copy of this package has thrown. */
  static is(error: unknown): error is BudgetExceededError {
    return error instanceof Error && error.name === 'BudgetExceededError' && 'budget' in error;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return BudgetExceededError.is(value);
  }

  /** The SDK takes an error that prints like a timeout for one, and would try again. */
  override toString(): string {
    const text = super.toString();
    return /timed? ?out/i.test(text) ? `${this.name}: ${this.reason}` : text;
  }

  toJSON(): Record<string, unknown> {
    const { name, message, status, reason, budget, scope, spentUsd, heldUsd, limitUsd } = this;
    const { resetsAt, worstCaseUsd, retryAfterSeconds } = this;
    return {
      ...{ name, message, status, reason, budget, scope, spentUsd, heldUsd, limitUsd },
      ...{ resetsAt, worstCaseUsd, retryAfterSeconds },
    };
  }
}

/** What a client of the SDK throws is of this class, which each copy of the SDK has of its own. */
interface SdkErrors {
  readonly AnthropicError?: { readonly prototype?: unknown };
}

const prototypes = new WeakMap<object, object>();

/**
 * Makes `error` one of the SDK's own kind as well: its stream helper hands on only those as they are,
 * and would wrap any other, so that no framework found the status.
 *
 * @param client The class of a client; where it is unknown the error stays as it is.
 */
export function asErrorOf(client: unknown, error: BudgetExceededError): BudgetExceededError {
  const base = (client as SdkErrors | undefined)?.AnthropicError?.prototype;
  if (typeof base !== 'object' || base === null) return error;
  let prototype = prototypes.get(base);
  if (!prototype) {
    const own = Object.getOwnPropertyDescriptors(BudgetExceededError.prototype);
    prototype = Object.create(base, own as unknown as PropertyDescriptorMap) as object;
    prototypes.set(base, prototype);
  }
  return Object.setPrototypeOf(error, prototype) as BudgetExceededError;
}

/** RFC 9457. */
export interface BudgetProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly budget: string;
  readonly reason: BudgetReason;
  readonly resetsAt: string | null;
}

/** The body of the answer, `application/problem+json`; what others have spent is not in it. */
export function budgetProblem(error: BudgetExceededError): BudgetProblem {
  const { status, message, budget, reason, resetsAt } = error;
  return {
    type: 'urn:claude-metrics:problem:budget-exceeded',
    title: reason === 'paused' ? 'This feature is paused' : 'A budget does not allow this',
    status,
    detail: message,
    budget,
    reason,
    resetsAt,
  };
}

/** An answer to a request that a budget refused, for adapters. */
export interface BudgetAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Headers to take back: they tell about a body that is not sent any more. Others stay: without those
   * of CORS, a page could not read the answer.
   */
  readonly without: readonly string[];
  readonly body: string;
}

export function budgetAnswer(error: BudgetExceededError): BudgetAnswer {
  const headers = {
    ...error.headers,
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  const body = JSON.stringify(budgetProblem(error));
  return { status: error.status, headers, without: DESCRIBING, body };
}

const DESCRIBING = [
  ...['content-disposition', 'content-encoding', 'content-language', 'content-range'],
  ...['etag', 'last-modified'],
];

const OF_PERIOD = { call: 'call', hour: 'hour', day: 'day', week: 'week', month: 'month' } as const;

function messageOf({ reason, budget, per, resetsAt, underWay }: BudgetRefusal): string {
  if (reason === 'paused') return `The feature ${JSON.stringify(budget)} is paused.`;
  const name = `The budget ${JSON.stringify(budget)}`;
  if (reason === 'unpriced') return `${name} does not allow a model without a known price.`;
  if (reason === 'unbounded') {
    return `${name} does not allow a request without a bound; declare its maxCostUsd.`;
  }
  if (reason === 'unavailable') return `${name} cannot be checked at the moment.`;
  if (per === 'call') return `${name} does not allow a call that can cost this much.`;
  if (underWay) return `${name} is held by other calls at the moment. Try again soon.`;
  const until = resetsAt === null ? '' : ` It resets at ${resetsAt}.`;
  return `${name} is used up for this ${OF_PERIOD[per]}.${until}`;
}
