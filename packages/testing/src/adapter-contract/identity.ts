import assert from 'node:assert/strict';
import { finds, visit, type NativeRequest } from './scene.js';
import { assertCalls, turn, type Cases, type Stage } from './stage.js';

/** Who a request is from: found when a call is made, by the adapter or by the application's own way. */

export const identityCases: Cases = {
  async 'the user is the id of whom authentication finds, which runs later'(stage) {
    const { watched } = await visit(stage, { authenticate: finds({ id: 42, sub: 'not-this' }) });
    await assertCalls(stage, [watched, ['call: 42 | POST /chat/:room']]);
  },

  async 'for want of an id the user is the subject'(stage) {
    const { watched } = await visit(stage, { authenticate: finds({ sub: 'auth0|7' }) });
    await assertCalls(stage, [watched, ['call: auth0|7 | POST /chat/:room']]);
  },

  async 'without authentication there is no user, whatever the client claims'(stage) {
    const headers = { 'x-user-id': 'root', 'x-forwarded-user': 'root', 'x-feature': 'free' };
    const { watched } = await visit(stage, { headers });
    await assertCalls(stage, [watched, ['call: null | POST /chat/:room']]);
  },

  async 'userId, sessionId and feature of the options get the framework’s request'(stage) {
    const { watched } = await visit(stage, {
      options: {
        userId: ({ headers }: NativeRequest) => headers['x-account'],
        sessionId: ({ headers }: NativeRequest) => headers['x-session'],
        feature: ({ headers }: NativeRequest) => `area ${headers['x-area']}`,
      },
      headers: { 'x-account': 'acme', 'x-session': 's-1', 'x-area': '51' },
      authenticate: finds({ id: 'ada' }),
    });
    await assertCalls(stage, [watched, ['call: acme | area 51 | s-1']]);
  },

  async 'they are asked at the moment of each call'(stage) {
    let user = 'before';
    const { watched } = await visit(stage, {
      options: { userId: () => user },
      async handle() {
        await stage.ask('first');
        user = 'after';
        await stage.ask('second');
      },
    });
    await assertCalls(stage, [
      watched,
      ['first: before | POST /chat/:room', 'second: after | POST /chat/:room'],
    ]);
  },

  async 'they may promise a name, which is in time while the call is under way'(stage) {
    const { watched } = await visit(stage, {
      options: {
        userId: async ({ headers }: NativeRequest) => {
          await Promise.resolve();
          return headers['x-account'];
        },
        sessionId: () => Promise.resolve('s-1'),
      },
      headers: { 'x-account': 'acme' },
    });
    await assertCalls(stage, [watched, ['call: acme | POST /chat/:room | s-1']]);
  },

  async 'a function that throws costs the name and not the call, and is counted'(stage) {
    const fail = () => {
      throw new Error('no session');
    };
    const { watched } = await visit(stage, {
      options: { userId: fail, sessionId: fail },
      authenticate: finds({ id: 'ada' }),
    });
    await assertCalls(stage, [watched, ['call: null | POST /chat/:room']]);
    assertFaults(watched.monitor, ['context.sessionId', 'context.userId']);
  },

  async 'so does a promise that rejects'(stage) {
    const { watched } = await visit(stage, {
      options: { feature: async () => Promise.reject(new Error('no table')) },
      authenticate: finds({ id: 'ada' }),
    });
    await assertCalls(stage, [watched, ['call: ada | null']]);
    assertFaults(watched.monitor, ['context.feature']);
  },

  async 'contextFrom comes before what the adapter knows, and fills in nothing else'(stage) {
    const { watched } = await visit(stage, {
      options: { sessionId: () => 'from-request' },
      monitor: { contextFrom: () => ({ userId: 'mine' }) },
      authenticate: finds({ id: 'ada' }),
    });
    await assertCalls(stage, [watched, ['call: mine | POST /chat/:room | from-request']]);
  },

  async 'contextFrom comes after what was said explicitly'(stage) {
    const { core } = stage.subject;
    const { watched } = await visit(stage, {
      monitor: {
        contextFrom: () => ({ userId: 'mine', feature: 'mine', sessionId: 'mine' }),
      },
      feature: 'of-the-route',
      async handle() {
        await stage.ask('route');
        await core.withContext({ userId: 'grace' }, () => turn().then(() => stage.ask('scope')));
      },
    });
    await assertCalls(stage, [
      watched,
      ['route: mine | of-the-route | mine', 'scope: grace | of-the-route | mine'],
    ]);
  },

  async 'contextFrom that throws costs its names, and is counted'(stage) {
    const { watched } = await visit(stage, {
      monitor: {
        contextFrom() {
          throw new Error('no container');
        },
      },
      authenticate: finds({ id: 'ada' }),
    });
    await assertCalls(stage, [watched, ['call: ada | POST /chat/:room']]);
    assertFaults(watched.monitor, ['contextFrom']);
  },
};

function assertFaults(monitor: ReturnType<Stage['createMonitor']>['monitor'], steps: string[]) {
  assert.deepEqual(Object.keys(monitor.health().faults).sort(), steps);
}
