import { BudgetExceededError } from '@claude-metrics/core';
import type { Application, ErrorRequestHandler, RequestHandler } from 'express';
import request from 'supertest';
import { budgetErrors } from '../src/index.js';
import { versions } from './express.js';

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
const STACK = /at \S+ \(|\.ts:\d/;

const throwing =
  (error: unknown): RequestHandler =>
  (_req, _res, next) =>
    next(error);

// What every adapter does is tested in contract.test.ts; this is Express's alone.
describe.each(versions)('budgetErrors on $name', ({ express }) => {
  let app: Application;
  beforeEach(() => (app = express()));
  afterEach(() => jest.restoreAllMocks());

  /** Sees what is passed on. */
  function last(): unknown[] {
    const seen: unknown[] = [];
    const handler: ErrorRequestHandler = (error, _req, res, next) => {
      seen.push(error);
      if (res.headersSent) next(error);
      else res.status(418).end();
    };
    app.use(handler);
    return seen;
  }

  it('names the budget, and neither whose it is nor what was spent', async () => {
    app.get('/', throwing(new BudgetExceededError(REFUSAL))).use(budgetErrors());
    const { status, headers, text } = await request(app).get('/');
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': '7200',
      'cache-control': 'no-store',
    });
    expect(text).toContain('user-day');
    expect(text).not.toMatch(/ada|1\.5|0\.25|"limit[A-Z]|worst/);
    expect(text).not.toMatch(STACK);
  });

  it('answers HEAD without a body', async () => {
    app.get('/', throwing(new BudgetExceededError(REFUSAL))).use(budgetErrors());
    const { status, headers, text } = await request(app).head('/');
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
    app.get('/', throwing(new other(REFUSAL))).use(budgetErrors());
    await request(app).get('/').expect(429).expect('content-type', 'application/problem+json');
  });

  it.each([
    ['an error', new Error('mine')],
    ['an error with a status', Object.assign(new Error('slow down'), { status: 429 })],
    ['what is no error', { name: 'BudgetExceededError', budget: 'user-day', status: 429 }],
    ['a text', 'BudgetExceededError'],
  ])('passes on %s as it is', async (_, error) => {
    app.get('/', throwing(error)).use(budgetErrors());
    const seen = last();
    await request(app).get('/').expect(418);
    expect(seen).toEqual([error]);
    expect(seen[0]).toBe(error);
  });

  it('passes it on when an answer has begun, and leaves the answer alone', async () => {
    jest.spyOn(console, 'error').mockImplementation(() => {});
    const error = new BudgetExceededError(REFUSAL);
    app.get('/', (_req, res, next) => {
      res.write('half of a', () => next(error));
    });
    app.use(budgetErrors());
    const seen = last();
    // Express’s own handler then breaks the connection off.
    await expect(request(app).get('/')).rejects.toThrow(/aborted|hang up|terminated/);
    expect(seen).toEqual([error]);
  });

  it('takes back what was said about another body, and keeps the rest', async () => {
    app.get('/', (_req, res, next) => {
      res.set({ 'content-encoding': 'gzip', etag: '"1"', 'content-length': '3' });
      res.set({ 'content-type': 'text/csv', 'content-disposition': 'attachment' });
      res.set({ 'access-control-allow-origin': '*', 'cache-control': 'max-age=60' });
      next(new BudgetExceededError(REFUSAL));
    });
    app.use(budgetErrors());
    const { headers, body } = await request(app).get('/');
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/encoding|etag|disposition/)]),
    );
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    });
    expect(body).toMatchObject({ status: 429, budget: 'user-day' });
  });

  it('comes after an error handler of the application’s that stands before it', async () => {
    app.get('/', throwing(new BudgetExceededError(REFUSAL)));
    last();
    app.use(budgetErrors());
    expect((await request(app).get('/')).status).toBe(418);
  });
});
