import { BudgetExceededError } from '@claude-metrics/core';
import type Koa from 'koa';
import { Readable } from 'node:stream';
import request from 'supertest';
import { budgetErrors } from '../src/index.js';
import { versions } from './koa.js';

const REFUSAL = {
  reason: 'limit',
  budget: 'user-day',
  scope: 'ada',
  per: 'day',
  spentUsd: 1.5,
  heldUsd: 0.25,
  limitUsd: 2,
  resetsAt: '2026-11-03T00:00:00.000Z',
  worstCaseUsd: 0.5,
  retryAfterSeconds: 7200,
  underWay: false,
} as const;

// What every adapter does is tested in contract.test.ts; this is Koa's alone.
describe.each(versions)('budgetErrors on $name', ({ Koa }) => {
  let app: Koa;
  /** What reached the application’s event. */
  let errors: unknown[];

  beforeEach(() => {
    app = new Koa();
    errors = [];
    app.on('error', (error) => void errors.push(error));
    app.use(budgetErrors());
  });

  const get = () => request(app.callback()).get('/');
  const throwing = (error: unknown): Koa.Middleware =>
    async function handler() {
      await Promise.resolve();
      throw error;
    };

  it('names the budget, and neither whose it is nor what was spent', async () => {
    app.use(throwing(new BudgetExceededError(REFUSAL)));
    const { status, headers, text } = await get();
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': String(text.length),
      'retry-after': '7200',
      'cache-control': 'no-store',
    });
    expect(text).toContain('user-day');
    expect(text).not.toMatch(/ada|1\.5|0\.25|"limit[A-Z]|worst|\.ts:\d/);
    // It is answered, so nobody needs to be told.
    expect(errors).toEqual([]);
  });

  it('answers HEAD without a body', async () => {
    app.use(throwing(new BudgetExceededError(REFUSAL)));
    const { status, headers, text } = await request(app.callback()).head('/');
    expect([status, headers['retry-after'], text]).toEqual([429, '7200', undefined]);
  });

  it('knows the error of another copy of core', async () => {
    let other = BudgetExceededError;
    jest.isolateModules(() => {
      other = jest.requireActual<{ BudgetExceededError: typeof other }>(
        '@claude-metrics/core',
      ).BudgetExceededError;
    });
    expect(other).not.toBe(BudgetExceededError);
    app.use(throwing(new other(REFUSAL)));
    await get().expect(429).expect('content-type', 'application/problem+json');
  });

  it.each([
    ['an error', new Error('mine'), 500],
    ['an error with a status', Object.assign(new Error('slow down'), { status: 429 }), 429],
  ])('throws %s on as it is', async (_, error, status) => {
    app.use(throwing(error));
    await get()
      .expect(status)
      .expect('content-type', /^text\/plain/);
    expect(errors).toEqual([error]);
    expect(errors[0]).toBe(error);
  });

  it('throws it on when an answer has begun, and leaves the answer alone', async () => {
    const error = new BudgetExceededError(REFUSAL);
    app.use(async (ctx) => {
      ctx.status = 200;
      ctx.res.write('half of a');
      await Promise.resolve();
      ctx.res.end();
      throw error;
    });
    const { status, text } = await get();
    expect([status, text]).toEqual([200, 'half of a']);
    expect(errors).toEqual([error]);
  });

  it('throws it on where Koa is not to answer', async () => {
    const error = new BudgetExceededError(REFUSAL);
    app.use(async (ctx) => {
      ctx.respond = false;
      await Promise.resolve();
      throw error;
    });
    const { status, headers, text } = await get();
    expect([status, headers['retry-after'], text]).toEqual([429, '7200', error.message]);
    expect(errors).toEqual([error]);
  });

  it('takes back what was said about another body, and keeps the rest', async () => {
    const stream = new Readable({ read() {} });
    app.use(async (ctx) => {
      ctx.body = stream;
      ctx.set({ 'content-encoding': 'gzip', etag: '"1"', 'content-disposition': 'attachment' });
      ctx.set({ 'access-control-allow-origin': '*', 'cache-control': 'max-age=60' });
      await Promise.resolve();
      throw new BudgetExceededError(REFUSAL);
    });
    const { headers, body } = await get();
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/encoding|etag|disposition/)]),
    );
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    });
    expect(body).toMatchObject({ status: 429, budget: 'user-day' });
    expect(stream.destroyed).toBe(true);
  });

  it('leaves answers alone', async () => {
    app.use((ctx) => void (ctx.body = { fine: true }));
    const { status, body, headers } = await get();
    expect([status, body, headers['cache-control']]).toEqual([200, { fine: true }, undefined]);
  });
});
