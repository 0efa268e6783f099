import Anthropic from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import { adapterContract, type ContractApplication } from '@claude-metrics/testing';
import { createNamespace, destroyNamespace } from 'cls-hooked';
import type { Request, Response } from 'express';
import request from 'supertest';
import { budgetErrors, claudeMonitor, trackFeature } from '../src/index.js';
import { listen, versions, type Version } from './express.js';

/** What every adapter must do, on every version of Express and over both carriers. */
const WANTED = { express: /^5\./, 'express-4': /^4\.22\./, 'express-4.18': /^4\.18\./ };
const namespace = createNamespace('contract');
// Express prints what nobody handles.
beforeAll(() => void jest.spyOn(console, 'error').mockImplementation(() => {}));
afterAll(() => {
  jest.restoreAllMocks();
  destroyNamespace('contract');
});

const carriers = [
  { carrier: 'AsyncLocalStorage', namespace: undefined },
  { carrier: 'cls-hooked', namespace },
];

describe.each(versions)('claudeMonitor on $name', ({ name, express, resolved }) => {
  it('runs on the version that it names', () => {
    expect(resolved).toMatch(WANTED[name as keyof typeof WANTED]);
  });

  describe.each(carriers)('over $carrier', ({ namespace }) => {
    const start = (application: ContractApplication) => listen(appOf(express, application));
    const cases = adapterContract({ core, Anthropic, request, namespace, start });
    it.each(cases)('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});

function appOf(express: Version['express'], application: ContractApplication) {
  const { adapters, prefix, authenticate, bodyParser, routes } = application;
  const router = express.Router();
  const parsers = [express.json(), express.urlencoded({ extended: true })];
  if (bodyParser === 'before') router.use(parsers);
  for (const options of adapters) router.use(claudeMonitor(options));
  if (bodyParser !== 'before') router.use(parsers);
  router.use((req: Request, _res, next) => {
    const found = Promise.resolve(authenticate?.((header) => req.get(header)));
    void found.then((user) => {
      Object.assign(req, { user });
      setImmediate(next);
    }, next);
  });
  for (const { method, path, feature, handle } of routes) {
    const named = feature === undefined ? [] : [trackFeature(feature)];
    const route = router.route(path);
    route[method === 'GET' ? 'get' : 'post'](...named, (req: Request, res: Response, next) => {
      const answered = handle({
        params: req.params as Record<string, string>,
        body: req.body as unknown,
        header: (header) => req.get(header),
        async stream(chunks) {
          res.type('text');
          for await (const chunk of chunks) res.write(chunk);
          res.end();
        },
      });
      void answered.then((answer) => void (res.headersSent || res.json(answer)), next);
    });
  }
  if (application.handlesBudgetErrors) router.use(budgetErrors());
  return express().use(prefix ?? '/', router);
}
