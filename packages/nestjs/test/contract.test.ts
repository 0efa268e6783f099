import Anthropic from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import { adapterContract, type ContractApplication } from '@claude-metrics/testing';
import { Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import { createNamespace, destroyNamespace } from 'cls-hooked';
import request from 'supertest';
import { BudgetExceededFilter, ClaudeMetricsModule, TrackFeature } from '../src/index.js';
import { headerOf, listen, platforms, type Platform, type TestRequest } from './nest.js';

/** What every adapter must do, on both platforms and over both carriers. */
const namespace = createNamespace('contract');
afterAll(() => destroyNamespace('contract'));

const carriers = [
  { carrier: 'AsyncLocalStorage', namespace: undefined },
  { carrier: 'cls-hooked', namespace },
];

describe.each(platforms)('ClaudeMetricsModule on $name', (platform) => {
  describe.each(carriers)('over $carrier', ({ namespace }) => {
    const start = async (application: ContractApplication) => {
      // Nest has its parsers in front of every controller, or none.
      const parsers = application.bodyParser !== 'after';
      const app = await platform.create(moduleOf(platform, application), parsers);
      if (application.prefix !== undefined) app.setGlobalPrefix(application.prefix);
      if (application.handlesBudgetErrors) app.useGlobalFilters(new BudgetExceededFilter());
      if (application.authenticate) platform.authenticate(app, application.authenticate);
      return listen(app);
    };
    const cases = adapterContract({ core, Anthropic, request, namespace, start });
    it.each(cases)('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});

function moduleOf(platform: Platform, { adapters, routes }: ContractApplication) {
  const controllers = routes.map(({ method, path, feature, handle }) => {
    @Controller()
    class RouteController {
      @(method === 'GET' ? Get(path) : Post(path))
      @HttpCode(200)
      @(feature === undefined ? () => {} : TrackFeature(feature))
      async answer(@Req() request: TestRequest, @Res() response: unknown) {
        const answer = await handle({
          params: request.params,
          body: request.body,
          header: headerOf(request),
          stream: (chunks) => platform.stream(response, chunks),
        });
        if (!platform.sent(response)) platform.json(response, answer);
      }
    }
    return RouteController;
  });
  @Module({ imports: adapters.map((options) => ClaudeMetricsModule.forRoot(options)), controllers })
  class AppModule {}
  return AppModule;
}
