import { SDKS } from './capture/sdk.js';
import { classifyError, describeError, describeEvent, describeResponse } from '../src/errors.js';
import type { ErrorKind } from '../src/record.js';

/**
 * What is made of everything that can go wrong: answers of the API, read or not, thrown by two
 * versions of the SDK or told by a stream; lost connections; and whatever else can be thrown.
 */

/** `type`, `message` and `details.error_code` of an error body. */
type Body = readonly [type: string, message: string, code?: string];

const jsonOf = ([type, message, code]: Body) => ({
  type: 'error',
  error: { type, message, ...(code === undefined ? {} : { details: { error_code: code } }) },
  request_id: 'req_1',
});

// Sources: the error pages of the API's documentation, and the error classes of the SDK 1.12.0.
const USAGE_LIMIT =
  'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.';
const CREDIT =
  'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.';
const HALF = 'stream ended without producing a Message with role=assistant';
const CONTEXT = 'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000';

const ANSWERS: readonly (readonly [status: number, kind: ErrorKind, body: Body])[] = [
  [400, 'invalid_request', ['invalid_request_error', 'max_tokens: Field required']],
  [
    400,
    'context_too_long',
    ['invalid_request_error', 'prompt is too long: 210000 tokens > 200000'],
  ],
  [400, 'context_too_long', ['invalid_request_error', CONTEXT]],
  [400, 'spend_limit', ['invalid_request_error', USAGE_LIMIT]],
  [400, 'billing', ['invalid_request_error', CREDIT]],
  [400, 'content_filter', ['invalid_request_error', 'Output blocked by content filtering policy']],
  [400, 'timeout', ['invalid_request_error', 'Request timed out', 'request_body_timeout']],
  [401, 'auth_error', ['authentication_error', 'invalid x-api-key']],
  [402, 'billing', ['billing_error', 'The billing period has ended.']],
  [402, 'spend_limit', ['billing_error', 'Limit', 'linked_organization_spend_limit_reached']],
  [403, 'auth_error', ['permission_error', 'Your API key does not have permission.']],
  [404, 'not_found', ['not_found_error', 'model: claude-opus-9']],
  [408, 'timeout', ['timeout_error', 'Request timed out']],
  [409, 'invalid_request', ['conflict_error', 'The resource is in use.']],
  [413, 'context_too_long', ['request_too_large', 'Request exceeds the maximum size']],
  [422, 'invalid_request', ['invalid_request_error', 'Unprocessable']],
  [429, 'rate_limit', ['rate_limit_error', 'This request would exceed the rate limit.']],
  [429, 'spend_limit', ['rate_limit_error', 'Limit reached', 'enforced_spend_limit_reached']],
  [429, 'spend_limit', ['rate_limit_error', 'Limit reached', 'contract_spend_limit_reached']],
  [429, 'rate_limit', ['rate_limit_error', 'Limit exceeded', 'ramp_limit_exceeded']],
  [499, 'cancelled', ['api_error', 'The request was closed.']],
  [500, 'server_error', ['api_error', 'Internal server error']],
  [503, 'server_error', ['api_error', 'Service temporarily unavailable']],
  [504, 'timeout', ['timeout_error', 'Request timed out. Try streaming.']],
  [529, 'overloaded', ['overloaded_error', 'Overloaded']],
  [529, 'overloaded', ['overloaded_error', 'Compaction', 'compaction_unavailable']],
  [418, 'invalid_request', ['type_of_tomorrow', 'Not supported.']],
  [599, 'server_error', ['type_of_tomorrow', 'Not supported.']],
];

/** Without a readable body: the status says the kind, and the type where it has one. */
const UNREAD: readonly (readonly [status: number, kind: ErrorKind, type: string])[] = [
  [400, 'invalid_request', 'invalid_request_error'],
  [401, 'auth_error', 'authentication_error'],
  [402, 'billing', 'billing_error'],
  [403, 'auth_error', 'permission_error'],
  [404, 'not_found', 'not_found_error'],
  [408, 'timeout', 'http_408'],
  [409, 'invalid_request', 'http_409'],
  [412, 'invalid_request', 'http_412'],
  [413, 'context_too_long', 'request_too_large'],
  [422, 'invalid_request', 'http_422'],
  [431, 'invalid_request', 'http_431'],
  [429, 'rate_limit', 'rate_limit_error'],
  [499, 'cancelled', 'http_499'],
  [500, 'server_error', 'api_error'],
  [501, 'server_error', 'http_501'],
  [503, 'server_error', 'http_503'],
  [504, 'timeout', 'timeout_error'],
  [529, 'overloaded', 'overloaded_error'],
];

describe.each(SDKS)('an error of @anthropic-ai/sdk $version', ({ Anthropic }) => {
  const { APIError, APIConnectionError, APIConnectionTimeoutError, APIUserAbortError } = Anthropic;

  it.each(ANSWERS)('%i is %s: %j', (status, kind, body) => {
    const json = jsonOf(body);
    const error = APIError.generate(status, json, undefined, new Headers());
    expect(classifyError(error)).toBe(kind);
    expect(describeError(error)).toMatchObject({ kind, type: body[0] });
    expect(describeError(error)).toEqual(describeResponse(status, JSON.stringify(json)));
  });

  it.each(UNREAD)('%i without a body is %s', (status, kind) => {
    const error = APIError.generate(status, undefined, undefined, new Headers());
    const { name } = error.constructor;
    const message = `${status} status code (no body)`;
    expect(describeError(error)).toEqual({ kind, type: name, message });
  });

  it('in the middle of a stream has no status, and the kind of its type', () => {
    const json = jsonOf(['overloaded_error', 'Overloaded']);
    const error = new APIError(undefined, json, undefined, new Headers(), 'overloaded_error');
    const expected = { kind: 'overloaded', type: 'overloaded_error', message: 'Overloaded' };
    expect(describeError(error)).toEqual(expected);
  });

  it.each([
    ['cancelled', new APIUserAbortError(), 'Request was aborted.'],
    ['timeout', new APIConnectionTimeoutError(), 'Request timed out.'],
    ['connection', new APIConnectionError({}), 'Connection error.'],
  ] as const)('without an answer is %s', (kind, error, message) => {
    expect(describeError(error)).toEqual({ kind, type: error.constructor.name, message });
  });

  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'],
    ...['UND_ERR_SOCKET', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_X'],
    ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_SSL_WRONG_VERSION_NUMBER', 'HPE_INVALID_CONSTANT'],
  ])('with %s underneath is a connection, and its message says so', (code) => {
    const error = new APIConnectionError({ cause: network(code) });
    expect(describeError(error)).toEqual({
      kind: 'connection',
      type: 'APIConnectionError',
      message: `Connection error. (${code})`,
    });
  });

  it.each([
    ...['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'],
    'UND_ERR_BODY_TIMEOUT',
  ])('with %s underneath is a timeout', (code) => {
    expect(classifyError(new APIConnectionError({ cause: network(code) }))).toBe('timeout');
  });
});

function network(code: string): Error {
  const cause = Object.assign(new Error(`connect ${code} 10.1.2.3:443`), { code });
  return new TypeError('fetch failed', { cause });
}

describe('an error answer', () => {
  it.each(UNREAD)('%i that was not read is %s, of type %s', (status, kind, type) => {
    for (const body of [null, '', '<html>Bad gateway</html>', 'null', '[]', '{"type":"error"}']) {
      const described = describeResponse(status, body);
      expect(described).toEqual({ kind, type, message: `HTTP ${status}` });
    }
  });

  it.each([
    ['7', 'HTTP 429, retry after 7 s'],
    ['Thu, 01 Jan 2026 00:00:20 GMT', 'HTTP 429'],
    ['-1', 'HTTP 429'],
    ['9999999', 'HTTP 429'],
  ])('without a message says when to come back: retry-after %s', (told, message) => {
    expect(describeResponse(429, null, new Headers({ 'retry-after': told })).message).toBe(message);
  });

  it('says that it keeps a message back, but not what it said', () => {
    const body = JSON.stringify(jsonOf(['api_error', 'Zanzibar says no']));
    expect(describeResponse(500, body).message).toBe('HTTP 500 (message withheld)');
    expect(describeEvent(body).message).toBe('(message withheld)');
  });

  it('that was cut off in the middle is still known by its beginning', () => {
    const body = '{"type":"error","error":{"type":"rate_limit_error","details":{"error_code":';
    expect(describeResponse(429, `${body}"enforced_spend_limit_reached"},"mess`).kind).toBe(
      'spend_limit',
    );
  });
});

describe('an error event of a stream', () => {
  it.each(
    ANSWERS.filter(
      ([status, , [type]]) => ![408, 499].includes(status) && type !== 'type_of_tomorrow',
    ),
  )('has no status to go by: %i is %s all the same', (_status, kind, body) => {
    expect(describeEvent(JSON.stringify(jsonOf(body)))).toMatchObject({ kind, type: body[0] });
  });

  it.each([['type_of_tomorrow'], ['Not A Type']])('of type %s is unknown', (type) => {
    expect(describeEvent(JSON.stringify(jsonOf([type, 'Error']))).kind).toBe('unknown');
  });

  it('that is no JSON is unknown', () => {
    const described = { kind: 'unknown', type: 'error', message: '(message withheld)' };
    expect(describeEvent('Zanzibar')).toEqual(described);
  });
});

describe('anything else that is thrown', () => {
  class t extends Error {}
  const lost = new TypeError('fetch failed', { cause: new DOMException('', 'AbortError') });

  it.each([
    ['an abort', new DOMException('This operation was aborted', 'AbortError'), 'cancelled'],
    ["the platform's timeout", new DOMException('Timeout', 'TimeoutError'), 'timeout'],
    ['a reset while reading', new TypeError('terminated'), 'connection'],
    [
      'a slow body',
      new TypeError('terminated', { cause: network('UND_ERR_BODY_TIMEOUT') }),
      'timeout',
    ],
    ['a reset that aborts the rest', lost, 'connection'],
    ['a cut-off message', new t(HALF), 'connection'],
    [
      'a body that is no JSON',
      new SyntaxError('Unexpected end of JSON input'),
      'malformed_response',
    ],
    ['a minified abort', new t('Request was aborted.'), 'cancelled'],
    ['a minified timeout', new t('Request timed out.'), 'timeout'],
    ['a minified lost connection', new t('Connection error.'), 'connection'],
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'x')"), 'unknown'],
    [
      'a budget',
      Object.assign(new t(), { name: 'BudgetExceededError', status: 429 }),
      'spend_limit',
    ],
    ['a wrong argument', new TypeError('x', { cause: { code: 'UND_ERR_INVALID_ARG' } }), 'unknown'],
    ['a status of another kind', { status: 200 }, 'unknown'],
    ['a status as text', { status: '429' }, 'unknown'],
  ] as const)('%s is told by its looks', (_, error, kind) => {
    expect(classifyError(error)).toBe(kind);
  });

  it("is the SDK's timeout, if it is an abort and the application aborted nothing", () => {
    const abort = new DOMException('This operation was aborted', 'AbortError');
    expect(describeError(abort, { abortIs: 'timeout' }).kind).toBe('timeout');
    expect(describeError(network('ECONNRESET'), { abortIs: 'timeout' }).kind).toBe('connection');
  });

  it('is looked for among its causes, five deep', () => {
    const wrapped = (times: number) =>
      Array.from({ length: times }).reduce<unknown>((cause) => new Error('x', { cause }), {
        code: 'ECONNRESET',
      });
    expect([4, 5].map((times) => classifyError(wrapped(times)))).toEqual(['connection', 'unknown']);
  });
});
