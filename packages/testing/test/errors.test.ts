/** Errors: their classes in the SDK, its retries, and what the simulator refuses by itself. */
import Anthropic from '@anthropic-ai/sdk';
import { answers, createSimulator, type Answer, type Simulator } from '../src/index.js';
import { clientOf, QUESTION, SDKS, STREAM, thrownBy } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

type ErrorClass =
  | 'BadRequestError'
  | 'AuthenticationError'
  | 'PermissionDeniedError'
  | 'NotFoundError'
  | 'ConflictError'
  | 'UnprocessableEntityError'
  | 'RateLimitError'
  | 'InternalServerError'
  | 'APIError';

const FAILURES: readonly [Answer, ErrorClass, status: number, type: string, words: string][] = [
  [answers.badRequest(), 'BadRequestError', 400, 'invalid_request_error', 'at least one message'],
  [answers.badRequest('no'), 'BadRequestError', 400, 'invalid_request_error', 'no'],
  [answers.promptTooLong(), 'BadRequestError', 400, 'invalid_request_error', 'prompt is too long'],
  [answers.usageLimited(), 'BadRequestError', 400, 'invalid_request_error', 'usage limits'],
  [answers.unauthorized(), 'AuthenticationError', 401, 'authentication_error', 'x-api-key'],
  [{ status: 402 }, 'APIError', 402, 'billing_error', 'error 402'],
  [{ status: 403 }, 'PermissionDeniedError', 403, 'permission_error', 'error 403'],
  [answers.notFound(), 'NotFoundError', 404, 'not_found_error', 'model:'],
  [{ status: 408 }, 'APIError', 408, 'timeout_error', 'error 408'],
  [{ status: 409 }, 'ConflictError', 409, 'conflict_error', 'error 409'],
  [{ status: 413 }, 'APIError', 413, 'request_too_large', 'error 413'],
  [{ status: 422 }, 'UnprocessableEntityError', 422, 'invalid_request_error', 'error 422'],
  [answers.rateLimited(), 'RateLimitError', 429, 'rate_limit_error', 'rate limit'],
  [answers.spendLimited(), 'RateLimitError', 429, 'rate_limit_error', 'spend limit'],
  [answers.serverError(), 'InternalServerError', 500, 'api_error', 'Internal server error'],
  [{ status: 504 }, 'InternalServerError', 504, 'timeout_error', 'error 504'],
  [answers.overloaded(), 'InternalServerError', 529, 'overloaded_error', 'Overloaded'],
  [
    { status: 503, error: { type: 'x_error', message: 'own words' } },
    'InternalServerError',
    503,
    'x_error',
    'own words',
  ],
];

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it.each(FAILURES)('throws for %j a %s', async (answer, name, status, type, words) => {
    const client = clientOf(simulator, Sdk);
    for (const params of [QUESTION, STREAM]) {
      simulator.enqueue(answer);
      const error = await thrownBy(client.messages.create(params));
      expect(error).toBeInstanceOf(Sdk[name]);
      expect(error).toMatchObject({ status, requestID: expect.stringMatching(/^req_011C/) });
      const { requestID, error: body } = error as InstanceType<typeof Sdk.APIError>;
      expect(body).toMatchObject({
        type: 'error',
        error: { type, message: expect.stringContaining(words) },
        request_id: requestID,
      });
      expect(simulator.requests.at(-1)).toMatchObject({ status, requestId: requestID });
    }
    await simulator.idle();
    expect(simulator.requests.map(({ ending }) => ending)).toEqual(['complete', 'complete']);
  });

  it('gives the code of an error in its details', async () => {
    simulator.enqueue(answers.spendLimited('contract_spend_limit_reached'));
    const error = await thrownBy(clientOf(simulator, Sdk).messages.create(QUESTION));
    expect(error).toMatchObject({
      error: { error: { details: { error_code: 'contract_spend_limit_reached' } } },
    });
    expect((error as InstanceType<typeof Sdk.APIError>).headers?.get('retry-after')).toBeNull();
  });

  it.each([
    ['retry-after', { 'retry-after': '0' }],
    ['retry-after-ms', { 'retry-after-ms': '1' }],
  ])('retries after %s, counting its attempts', async (_, headers) => {
    const busy = { ...answers.rateLimited({ retryAfter: null }), headers };
    simulator.enqueue(busy, busy, answers.text('at last'));
    const client = clientOf(simulator, Sdk, { maxRetries: 2 });
    const { content } = await client.messages.create(QUESTION);
    expect(content).toMatchObject([{ text: 'at last' }]);
    expect(simulator.requests.map(({ retryCount }) => retryCount)).toEqual([0, 1, 2]);
    expect(new Set(simulator.requests.map(({ requestId }) => requestId)).size).toBe(3);
  });

  it('does not retry against x-should-retry: false, and retries with true', async () => {
    const client = clientOf(simulator, Sdk, { maxRetries: 2 });
    simulator.enqueue({ ...answers.overloaded(), headers: { 'x-should-retry': 'false' } });
    expect(await thrownBy(client.messages.create(QUESTION))).toMatchObject({ status: 529 });
    expect(simulator.requests).toHaveLength(1);
    const headers = { 'x-should-retry': 'true', 'retry-after-ms': '1' };
    simulator.enqueue({ ...answers.badRequest(), headers });
    await client.messages.create(QUESTION);
    expect(simulator.requests.map(({ status }) => status)).toEqual([529, 400, 200]);
  });
});

describe('headers', () => {
  const headersFor = async (answer: Answer) => {
    simulator.enqueue(answer);
    const { response } = await clientOf(simulator, Anthropic)
      .messages.create(QUESTION)
      .withResponse();
    return response.headers;
  };

  it('are those of the API: limits, organization, request', async () => {
    const headers = await headersFor({});
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('anthropic-organization-id')).toMatch(/^[0-9a-f-]{36}$/);
    for (const window of ['requests', 'tokens', 'input-tokens', 'output-tokens']) {
      const value = (name: string) => headers.get(`anthropic-ratelimit-${window}-${name}`);
      expect(Number(value('limit'))).toBeGreaterThan(0);
      expect(Number(value('remaining'))).toBeLessThanOrEqual(Number(value('limit')));
      expect(value('reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/);
    }
    expect(headers.get('retry-after')).toBeNull();
    expect(headers.get('x-should-retry')).toBeNull();
  });

  it('are added, replaced and, with an empty value, taken away', async () => {
    const headers = await headersFor({
      headers: {
        'X-Extra': 'more',
        'request-id': 'req_mine',
        'anthropic-ratelimit-tokens-reset': '',
      },
    });
    expect(headers.get('x-extra')).toBe('more');
    expect(headers.get('request-id')).toBe('req_mine');
    expect(headers.has('anthropic-ratelimit-tokens-reset')).toBe(false);
    expect(headers.has('anthropic-ratelimit-tokens-limit')).toBe(true);
  });

  it.each([
    [{}, '1'],
    [{ retryAfter: 30 }, '30'],
    [{ retryAfter: null }, null],
  ])('of a rate limit %j have retry-after %j', async (options, value) => {
    simulator.enqueue(answers.rateLimited(options));
    const error = await thrownBy(clientOf(simulator, Anthropic).messages.create(QUESTION));
    expect((error as InstanceType<typeof Anthropic.APIError>).headers?.get('retry-after')).toBe(
      value,
    );
  });
});
