import { headersOf, operationOf, providerOf, requestOf } from '../src/request.js';

describe('a request', () => {
  it.each([
    ['/v1/messages', 'post', 'messages'],
    ['/v1/messages?beta=true', 'post', 'messages'],
    ['/anthropic/v1/messages', 'POST', 'messages'],
    ['/v1/messages/count_tokens?beta=true', 'post', 'count_tokens'],
    ['/v1/messages/batches', 'post', 'batches'],
    ['/v1/messages/batches', 'get', null],
    ['https://x/v1/messages/batches/b1/results', 'get', 'batch_results'],
    ['/v1/models', 'get', null],
    [undefined, undefined, null],
  ])('to %s with %s is %s', (path, method, expected) => {
    expect(operationOf(path, method)).toBe(expected);
  });

  it('tells its model, whichever way the body was given', () => {
    const path = '/v1/messages';
    const model = (body: unknown) => requestOf({ path, method: 'post', body })?.model;
    expect(model({ model: 'claude-opus-5-5' })).toBe('claude-opus-5-5');
    expect(model('{"model":"claude-opus-5-5"}')).toBe('claude-opus-5-5');
    expect(model({})).toBe('unknown');
    expect(model({ model: 'm'.repeat(1e6) })).toHaveLength(128);
    const batch = (...models: string[]) => ({
      requests: models.map((m) => ({ params: { model: m } })),
    });
    expect(model(batch('a', 'a'))).toBe('a');
    expect(model(batch('a', 'b'))).toBe('(mixed)');
  });

  it.each([
    ['https://api.anthropic.com/v1/messages', 'anthropic'],
    ['http://127.0.0.1:80/v1/messages', 'anthropic'],
    ['https://bedrock-runtime.us-east-1.amazonaws.com/v1/messages', 'aws.bedrock'],
    ['https://us-east5-aiplatform.googleapis.com/v1/v1/messages', 'gcp.vertex_ai'],
    ['https://me.services.ai.azure.com/anthropic/v1/messages', 'azure.ai.foundry'],
    [undefined, 'anthropic'],
  ])('to %s goes to %s', (url, expected) => {
    expect(providerOf(url)).toBe(expected);
  });
});

describe('a body that is no JSON', () => {
  it('is a call of an unknown model, and nothing of it is kept or thrown', () => {
    const options = { path: '/v1/messages', method: 'post', body: 'my secret prompt' };
    expect(requestOf(options)).toMatchObject({ model: 'unknown' });
  });
});

describe('response headers', () => {
  it('tell the request id, of either name', () => {
    expect(headersOf(new Headers({ 'request-id': 'req_1' })).requestId).toBe('req_1');
    expect(headersOf(new Headers({ 'x-amzn-requestid': 'aws' })).requestId).toBe('aws');
    expect(headersOf(new Headers()).requestId).toBeNull();
  });

  it('tell the rate limit', () => {
    const headers = new Headers({
      'anthropic-ratelimit-requests-limit': '1000',
      'anthropic-ratelimit-requests-remaining': '999',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z',
      'anthropic-ratelimit-input-tokens-limit': 'many',
    });
    expect(headersOf(headers).rateLimit).toEqual({
      requests: { limit: 1000, remaining: 999, reset: '2026-01-01T00:00:00Z' },
      inputTokens: { limit: null, remaining: null, reset: null },
    });
    expect(headersOf(new Headers()).rateLimit).toBeNull();
  });
});
