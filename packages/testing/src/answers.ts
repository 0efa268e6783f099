import { makeId } from './ids.js';
import type { Answer } from './answer.js';

/** Ready-made answers, above all for what goes wrong. Each is plain data and can be spread. */
export interface Answers {
  text(text: string, more?: Answer): Answer;
  /** A `tool_use` block, and the stop reason that goes with it. */
  toolUse(name: string, input: unknown, more?: Answer): Answer;
  /** A refusal before any output: 200, no content, `stop_reason: "refusal"`. */
  refusal(category?: string | null, more?: Answer): Answer;
  /** 429; `retryAfter` in seconds, `null` for no such header. Default 1. */
  rateLimited(options?: { readonly retryAfter?: number | null }): Answer;
  /** 429 as well, but of a spend limit: waiting does not help. */
  spendLimited(code?: 'enforced_spend_limit_reached' | 'contract_spend_limit_reached'): Answer;
  /** 400: the limit that the organization has set itself. */
  usageLimited(): Answer;
  /** 529. */
  overloaded(): Answer;
  /** 500. */
  serverError(): Answer;
  badRequest(message?: string): Answer;
  promptTooLong(): Answer;
  unauthorized(): Answer;
  notFound(): Answer;
  /** A stream with status 200 that breaks off with `event: error`. */
  streamError(type?: string, more?: Answer): Answer;
  /** A stream without its last events, or half of a JSON body. */
  truncated(more?: Answer): Answer;
  reset(more?: Answer): Answer;
  hanging(more?: Answer): Answer;
}

const failure = (status: number, type: string, message: string, code?: string): Answer => ({
  status,
  error: { type, message, code },
});

/**
 * @example
 * simulator.enqueue(answers.overloaded(), answers.text('Paris'));
 */
export const answers: Answers = {
  text: (text, more) => ({ content: text, ...more }),
  toolUse: (name, input, more) => ({
    content: [{ type: 'tool_use', id: makeId('toolu'), name, input }],
    stopReason: 'tool_use',
    ...more,
  }),
  refusal: (category = null, more) => ({
    content: [],
    stopReason: 'refusal',
    stopDetails: { type: 'refusal', category, explanation: null },
    ...more,
  }),
  rateLimited: ({ retryAfter = 1 } = {}) => ({
    ...failure(
      429,
      'rate_limit_error',
      "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    ...(retryAfter === null ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  }),
  spendLimited: (code = 'enforced_spend_limit_reached') =>
    failure(429, 'rate_limit_error', 'Your organization has reached its spend limit.', code),
  usageLimited: () =>
    failure(
      400,
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ),
  overloaded: () => failure(529, 'overloaded_error', 'Overloaded'),
  serverError: () => failure(500, 'api_error', 'Internal server error'),
  badRequest: (message = 'messages: at least one message is required') =>
    failure(400, 'invalid_request_error', message),
  promptTooLong: () =>
    failure(400, 'invalid_request_error', 'prompt is too long: 1230045 tokens > 1000000 maximum'),
  unauthorized: () => failure(401, 'authentication_error', 'invalid x-api-key'),
  notFound: () => failure(404, 'not_found_error', 'model: claude-none'),
  streamError: (type = 'overloaded_error', more) => ({
    error: { type, message: type === 'overloaded_error' ? 'Overloaded' : 'Internal server error' },
    ending: 'error',
    ...more,
  }),
  truncated: (more) => ({ ending: 'truncated', ...more }),
  reset: (more) => ({ ending: 'reset', ...more }),
  hanging: (more) => ({ ending: 'hang', ...more }),
};
