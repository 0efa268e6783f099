import assert from 'node:assert/strict';
import { finds, visit } from './scene.js';
import { assertCalls, turn, type Cases } from './stage.js';

/**
 * What a call is for: the matched route as the application wrote it, unless somebody says otherwise.
 * Never what the client sent, which is a secret sometimes and always without bound.
 */
export const featureCases: Cases = {
  async 'the feature is the method and the pattern of the route, never the address'(stage) {
    const { watched } = await visit(stage, {
      path: '/users/:user/notes/:note',
      target: '/users/ada%40example.com/notes/secret?token=secret',
    });
    await assertCalls(stage, [watched, ['call: null | POST /users/:user/notes/:note']]);
  },

  async 'a prefix of everything is part of it'(stage) {
    const { watched } = await visit(stage, { prefix: '/api' });
    await assertCalls(stage, [watched, ['call: null | POST /api/chat/:room']]);
  },

  async 'routes of one pattern are told apart by their method'(stage) {
    const watched = stage.createMonitor();
    const handle = async () => {
      await stage.ask('call');
      return {};
    };
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      routes: [
        { method: 'GET', path: '/notes/:note', handle },
        { method: 'POST', path: '/notes/:note', handle },
      ],
    });
    await agent.get('/notes/1');
    await agent.post('/notes/1').send({});
    await assertCalls(stage, [
      watched,
      ['call: null | GET /notes/:note', 'call: null | POST /notes/:note'],
    ]);
  },

  async 'a route without a parameter is its own text'(stage) {
    const watched = stage.createMonitor();
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      routes: ['/', '/hello'].map((path) => ({
        method: 'GET',
        path,
        async handle() {
          await stage.ask(path);
          return {};
        },
      })),
    });
    await agent.get('/');
    await agent.get('/hello?x=1');
    await assertCalls(stage, [watched, ['/: null | GET /', '/hello: null | GET /hello']]);
  },

  async 'a request that matches no route has no feature'(stage) {
    const watched = stage.createMonitor();
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      async authenticate() {
        await stage.ask('call');
        return undefined;
      },
      routes: [{ method: 'GET', path: '/chat/:room', handle: async () => ({}) }],
    });
    const { status } = await agent.get('/elsewhere/secret');
    assert.equal(status, 404);
    await assertCalls(stage, [watched, ['call: null | null']]);
  },

  async 'the feature of a route wins over its pattern, also later'(stage) {
    const { watched } = await visit(stage, {
      feature: 'summarise',
      authenticate: finds({ id: 'ada' }),
      async handle() {
        await stage.ask('first');
        await turn();
        await Promise.all([stage.ask('second'), stage.stream('third')]);
      },
    });
    await assertCalls(stage, [
      watched,
      ['first: ada | summarise', 'second: ada | summarise', 'third: ada | summarise'],
    ]);
  },

  async 'the feature of a route wins over the option, and is of that route alone'(stage) {
    const watched = stage.createMonitor();
    const handle = async () => {
      await stage.ask('call');
      return {};
    };
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor, feature: () => 'option' }],
      routes: [
        { method: 'GET', path: '/named', feature: 'summarise', handle },
        { method: 'GET', path: '/other', handle },
      ],
    });
    await agent.get('/named');
    await agent.get('/other');
    await assertCalls(stage, [watched, ['call: null | option', 'call: null | summarise']]);
  },

  async 'withContext wins over the feature of a route'(stage) {
    const { core } = stage.subject;
    const { watched } = await visit(stage, {
      feature: 'summarise',
      handle: () => core.withContext({ feature: 'classify' }, () => stage.ask('call')),
    });
    await assertCalls(stage, [watched, ['call: null | classify']]);
  },
};
