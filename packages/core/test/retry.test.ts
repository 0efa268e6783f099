import { isRetryableStatus, mayHaveBeenSent, retryDelayMs } from '../src/retry.js';

const network = (code: string) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
const named = (name: string, cause?: unknown) =>
  Object.assign(new Error(name, { cause }), { name });

describe('the SDK retries', () => {
  it.each([
    [408, {}, true],
    [409, {}, true],
    [429, {}, true],
    [500, {}, true],
    [529, {}, true],
    [400, {}, false],
    [404, {}, false],
    [400, { 'x-should-retry': 'true' }, true],
    [529, { 'x-should-retry': 'false' }, false],
  ])('status %i with %j: %s', (status, headers, expected) => {
    expect(isRetryableStatus(status, new Headers(headers as Record<string, string>))).toBe(
      expected,
    );
  });
});

describe('the pause before a retry', () => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [0, null, 500],
    [3, null, 4_000],
    [10, null, 8_000],
    [0, { 'retry-after': '3' }, 3_000],
    [0, { 'retry-after-ms': '750' }, 750],
    [0, { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' }, 20_000],
    [2, { 'retry-after': '-1' }, 2_000],
    [0, { 'retry-after': 'soon' }, 500],
  ])('after retry %i with %j is at most %i ms', (retries, headers, expected) => {
    expect(retryDelayMs(retries, headers && new Headers(headers as never), at)).toBe(expected);
  });
});

describe('a failed request', () => {
  it.each([
    ['was refused', network('ECONNREFUSED'), false],
    ['found no host', network('ENOTFOUND'), false],
    ['was reset', network('ECONNRESET'), true],
    ['timed out', named('AbortError'), true],
    [
      "was reset, in another fetch's words",
      Object.assign(new Error(), { code: 'ECONNRESET' }),
      true,
    ],
    ['failed in a way that says nothing', new Error('no'), true],
  ])('that %s may have been billed: %j', (_, error, expected) => {
    expect(mayHaveBeenSent(error)).toBe(expected);
  });

  it('is looked at once, though its causes run in a circle', () => {
    const error = new Error('a');
    error.cause = error;
    expect(mayHaveBeenSent(error)).toBe(true);
  });
});
