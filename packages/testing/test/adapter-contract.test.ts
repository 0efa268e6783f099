/** The contract passes an adapter that is right, and tells each of these that are wrong. */
import * as core from '@claude-metrics/core';
import { createNamespace, destroyNamespace } from 'cls-hooked';
import { Readable } from 'node:stream';
import { adapterContract, type AdapterSubject } from '../src/index.js';
import { refuse, subjectWith, type Parts, type Request } from './node-http.js';

describe('an adapter that is right', () => {
  const namespace = createNamespace('adapter-contract');
  afterAll(() => destroyNamespace('adapter-contract'));

  it.each(adapterContract(subjectWith()))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  describe('over cls-hooked', () => {
    it.each(adapterContract(subjectWith({}, namespace)))('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});

type RawRequest = core.AdapterRequest<Request>['raw'];

/** A request without a body, otherwise the same. */
function emptyLike({ headers }: RawRequest): RawRequest {
  return Object.assign(Readable.from([]), { headers });
}

/** A request whose body seems to be read. */
function readAlready({ headers }: RawRequest): RawRequest {
  return { headers, readableDidRead: true } as RawRequest;
}

/** Requests that somebody else’s adapter would remember. */
let latest: Request | undefined;

const WRONG: readonly (readonly [what: string, wrong: Partial<Parts>, cases: RegExp[]])[] = [
  [
    'opens no context',
    { run: (_adapter, _req, fn) => fn() },
    [
      /^a call made directly/,
      /^a call made while a stream is read/,
      /sent belongs to its request$/,
    ],
  ],
  [
    'asks for the user when the request comes',
    {
      run(adapter, req, fn) {
        const { user } = req;
        adapter.monitor.withDefaults({ userId: user?.id as string, feature: () => req.route }, fn);
      },
    },
    [/^the user is the id/, /^for want of an id/, /^requests of different users never mix/],
  ],
  [
    'knows only the latest request',
    {
      run(adapter, req, fn) {
        latest = req;
        adapter.run(req, fn);
      },
      userId: () => latest?.user?.id,
    },
    [/^requests of different users never mix/, /^a call made after await/],
  ],
  [
    'trusts what the client claims',
    { userId: ({ headers }) => headers['x-user-id'] },
    [/^without authentication there is no user/],
  ],
  [
    'names the address',
    { feature: ({ method, url }) => `${method} ${url}` },
    [/^the feature is the method and the pattern/, /^a request that matches no route/],
  ],
  [
    'names the route without its prefix',
    { feature: ({ route }) => route?.replace('/api', '') },
    [/^a prefix of everything/],
  ],
  [
    'names the route without its method',
    { feature: ({ route }) => route?.replace(/^\w+ /, '') },
    [/^routes of one pattern are told apart/, /^a route without a parameter/],
  ],
  [
    'forgets the feature of a route',
    { trackFeature: (_name, fn) => fn() },
    [
      /^the feature of a route wins over its pattern/,
      /^the feature of a route wins over the option/,
    ],
  ],
  [
    'takes the feature of a route for the last word',
    {
      feature: ({ route }) => route,
      core: { ...core, withContext: (_context, fn) => fn() } as AdapterSubject['core'],
    },
    [/^withContext wins over the feature/, /^withContext nests/, /^tags of nested contexts/],
  ],
  [
    'says for everybody what one request said',
    {
      core: {
        ...core,
        setContext: (patch: object) => void (latest = { user: { id: 'grace' }, ...patch } as never),
      } as AdapterSubject['core'],
      userId: ({ user }) => latest?.user?.id ?? user?.id,
    },
    [/^setContext in a handler/],
  ],
  [
    'binds nothing',
    { core: { ...core, bindContext: (fn: never) => fn } as AdapterSubject['core'] },
    [/^a listener that somebody else calls/],
  ],
  [
    'records twice',
    {
      core: {
        ...core,
        createMonitor(options: object) {
          const monitor = core.createMonitor(options);
          const twice: typeof monitor.on = (sink) => {
            monitor.on({ ...sink });
            return monitor.on(sink);
          };
          return { ...monitor, on: twice };
        },
      } as AdapterSubject['core'],
    },
    [/^a call made directly/, /^a call outside any request/, /^two applications share a client/],
  ],
  [
    'opens the mount to everybody',
    {
      answer: ({ monitor }, { method = 'GET', below, url, secure, native }) =>
        core.createHttp(monitor, { authorize: () => true }).handle({
          method,
          path: below.split('?')[0] ?? '',
          query: new URLSearchParams(below.split('?')[1]),
          header: () => undefined,
          url,
          secure,
          native,
          readBody: () => Promise.resolve('{}'),
        }),
    },
    [
      /^in production the mount is closed/,
      /^a bearer token opens it/,
      /^authorize decides/,
      /^a closed mount answers 404 to every POST/,
    ],
  ],
  [
    'keeps headers back',
    { answer: (adapter, request) => adapter.answer({ ...request, headers: {} }) },
    [/^a bearer token opens it/, /^a token in the address/],
  ],
  [
    'gives authorize something else than the request',
    {
      answer: (adapter, request) =>
        adapter.answer({ ...request, native: { headers: {} } as Request }),
    },
    [/^authorize decides by the framework/],
  ],
  [
    'redirects to an absolute path',
    {
      async answer(adapter, request) {
        const answer = await adapter.answer(request);
        const { location } = answer.headers;
        if (location === undefined) return answer;
        return { ...answer, headers: { ...answer.headers, location: `/${location}` } };
      },
    },
    [
      /^the mount without its slash redirects/,
      /^behind a proxy that strips a path/,
      /^a form of the page silences/,
    ],
  ],
  [
    'does not say where a request came in',
    { answer: (adapter, request) => adapter.answer({ ...request, url: request.below }) },
    [/^the mount without its slash redirects/],
  ],
  [
    'loses the headers of an answer',
    {
      async answer(adapter, request) {
        const { status, body, headers } = await adapter.answer(request);
        const type = headers['content-type'];
        return { status, body, headers: type === undefined ? {} : { 'content-type': type } };
      },
    },
    [/^answers are not kept by any cache/, /^the mount without its slash redirects/],
  ],
  [
    'takes every method for GET',
    { answer: (adapter, request) => adapter.answer({ ...request, method: 'GET' }) },
    [/^what does not exist is 404, and only reading is allowed/, /^a POST silences an alert/],
  ],
  [
    'takes every method for POST',
    { answer: (adapter, request) => adapter.answer({ ...request, method: 'POST' }) },
    [/^reading never changes anything/],
  ],
  [
    'loses the body',
    {
      answer: (adapter, request) =>
        adapter.answer({ ...request, raw: emptyLike(request.raw), parsed: undefined }),
    },
    [/^a POST silences an alert/, /^a form of the page silences/, /^what cannot be a silence/],
  ],
  [
    'knows of no parser in front',
    { answer: (adapter, request) => adapter.answer({ ...request, parsed: undefined }) },
    [
      /^a POST silences an alert.*parser in front/,
      /^a form of the page silences.*parser in front/,
      /^too long a body.*parser in front/,
    ],
  ],
  [
    'knows of a parser only',
    {
      answer: (adapter, request) => adapter.answer({ ...request, raw: readAlready(request.raw) }),
    },
    [/^a POST silences an alert, and the answer is the alert$/],
  ],
  [
    'keeps back where a POST comes from',
    {
      answer: (adapter, request) =>
        adapter.answer({
          ...request,
          headers: { ...request.headers, 'sec-fetch-site': 'same-origin' },
        }),
    },
    [/^a POST of another site is refused/],
  ],
  [
    'keeps back where the page is',
    {
      answer: (adapter, request) =>
        adapter.answer({ ...request, headers: { ...request.headers, host: 'upstream:3000' } }),
    },
    [/^a form of the page silences/, /^behind a proxy that strips a path, a form leads back/],
  ],
  [
    'hangs up on too long a body',
    {
      async answer(adapter, request) {
        const answer = await adapter.answer(request);
        const headers = { ...answer.headers, connection: 'close' };
        return answer.status === 413 ? { ...answer, headers } : answer;
      },
    },
    [/^too long a body is 413/],
  ],
  [
    'cuts too long a body short',
    {
      answer: (adapter, request) =>
        adapter.answer({
          ...request,
          headers: { ...request.headers, 'content-length': '2' },
          raw: emptyLike(request.raw),
          parsed: undefined,
        }),
    },
    [/^too long a body is 413/],
  ],
  [
    'loses the query',
    {
      answer: (adapter, request) =>
        adapter.answer({ ...request, below: request.below.replace(/\?.*/, '') }),
    },
    [/^a bad query is told as a problem/],
  ],
  [
    'takes its neighbours’ paths',
    {
      below: (_adapter, url) =>
        url.startsWith('/claude-metrics') ? url.slice('/claude-metrics'.length) : null,
    },
    [/^other paths of the application/, /^it answers at a path of your own/, /^it is not there/],
  ],
  [
    'answers for handlers that fail',
    { fail: (res) => void res.writeHead(200).end('{}') },
    [/^what a handler throws/, /^an error of Claude that a handler passes on/],
  ],
  [
    'takes a refusal for a fault of its own',
    { fail: (res, error) => void res.writeHead(500).end(String(error)) },
    [/^a request over its user’s budget/, /^a feature that is paused/],
  ],
  [
    'does not say when to come back',
    {
      fail: (res, error) => void res.writeHead((error as { status: number }).status).end(),
      refuse: (res, error) => refuse(res, error, { headers: {} }),
    },
    [
      /^a request over its user’s budget/,
      /^the handler of budget errors/,
      /^a budget of a feature/,
    ],
  ],
  [
    'shows where it happened',
    {
      fail(res, error) {
        const { status, headers, stack } = error as core.BudgetExceededError;
        res.writeHead(status, { ...headers }).end(stack);
      },
    },
    [/^a request over its user’s budget/],
  ],
  [
    'tells what others have spent',
    { refuse: (res, error) => refuse(res, error, { body: error }) },
    [/^the handler of budget errors/],
  ],
  [
    'takes a pause for a budget',
    { refuse: (res, error) => refuse(res, error, { status: 429 }) },
    [/^a feature that is paused/],
  ],
  [
    'takes every error for a refusal',
    {
      isRefusal: (error): error is core.BudgetExceededError => error instanceof Error,
      refuse: (res, error) => refuse(res, error, { status: 429 }),
    },
    [/^errors of Claude and of the application/],
  ],
  [
    'makes the call all the same',
    {
      core: {
        ...core,
        createMonitor: (options: object) => core.createMonitor({ ...options, budgets: [] }),
      } as AdapterSubject['core'],
    },
    [
      /^a request over its user’s budget/,
      /^the handler of budget errors/,
      /^a budget of a feature/,
      /^a handler may catch it/,
    ],
  ],
  [
    'has one budget for everybody',
    { userId: () => 'everybody' },
    [/^a request over its user’s budget/, /^the handler of budget errors/],
  ],
  [
    'keeps budgets of routes, whatever their features are',
    { trackFeature: (_name, fn) => fn() },
    [/^a request over its user’s budget/, /^a budget of a feature/, /^a feature that is paused/],
  ],
];

describe('it tells an adapter that', () => {
  beforeEach(() => (latest = undefined));

  it.each(WRONG)('%s', async (_, wrong, names) => {
    const cases = adapterContract(subjectWith(wrong));
    for (const name of names) {
      const found = cases.filter((each) => name.test(each.name));
      expect(found).not.toEqual([]);
      for (const { run } of found) {
        await expect(run()).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
      }
    }
  });
});
