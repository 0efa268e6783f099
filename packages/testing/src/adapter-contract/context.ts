import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { finds, visit } from './scene.js';
import { assertCalls, turn, type Cases } from './stage.js';

/** What the application says about its calls, beside what the adapter knows. */

export const contextCases: Cases = {
  async 'requests of different users never mix, however their work interleaves'(stage) {
    const users = ['ada', 'grace', 'alan', 'edsger', 'barbara'];
    const watched = stage.createMonitor();
    // Nobody goes on before everybody is at the same point.
    const meet = createMeeting(users.length);
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      async authenticate(header) {
        await meet();
        return { id: header('x-user') };
      },
      routes: [
        {
          method: 'POST',
          path: '/work/:user',
          async handle({ params: { user = '' } }) {
            for (let round = 1; round <= 3; round += 1) {
              await meet();
              await stage.ask(`${user}-${round}`);
            }
            await meet();
            await stage.stream(`${user}-stream`, () => turn());
            return {};
          },
        },
      ],
    });
    await Promise.all(
      users.map((user) => agent.post(`/work/${user}`).set({ 'x-user': user }).send({})),
    );
    await assertCalls(stage, [
      watched,
      users.flatMap((user) =>
        ['1', '2', '3', 'stream'].map((call) => `${user}-${call}: ${user} | POST /work/:user`),
      ),
    ]);
  },

  async 'withContext in a handler wins over everything else'(stage) {
    const { core } = stage.subject;
    const { watched } = await visit(stage, {
      options: { userId: () => 'option', sessionId: () => 'option' },
      authenticate: finds({ id: 'ada' }),
      feature: 'route',
      monitor: { contextFrom: () => ({ userId: 'place', feature: 'place', sessionId: 'place' }) },
      handle: () =>
        core.withContext({ userId: 'mine', feature: 'mine', sessionId: 'mine' }, async () => {
          await turn();
          await stage.ask('call');
        }),
    });
    await assertCalls(stage, [watched, ['call: mine | mine | mine']]);
  },

  async 'withContext nests: inside the inner one wins, after it the outer one is back'(stage) {
    const { core } = stage.subject;
    const { watched } = await visit(stage, {
      authenticate: finds({ id: 'ada' }),
      handle: () =>
        core.withContext({ feature: 'outer' }, async () => {
          await stage.ask('before');
          await core.withContext({ userId: 'inner' }, async () => {
            await turn();
            await stage.ask('inside');
          });
          await stage.ask('after');
        }),
    });
    await assertCalls(stage, [
      watched,
      ['before: ada | outer', 'inside: inner | outer', 'after: ada | outer'],
    ]);
  },

  async 'tags of nested contexts are merged, and the inner ones win'(stage) {
    const { core } = stage.subject;
    const { watched } = await visit(stage, {
      handle: () =>
        core.withContext({ tags: { plan: 'free', team: 'search' } }, () =>
          core.withContext({ tags: { plan: 'pro' } }, () => stage.ask('call')),
        ),
    });
    await stage.finish(1);
    assert.deepEqual(
      watched.calls.map(({ tags }) => ({ ...tags })),
      [{ plan: 'pro', team: 'search' }],
    );
  },

  async 'setContext in a handler is for what follows in that request, and for no other'(stage) {
    const { core } = stage.subject;
    const watched = stage.createMonitor();
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      authenticate: finds({ id: 'ada' }),
      routes: [
        {
          method: 'POST',
          path: '/:who',
          async handle({ params: { who = '' } }) {
            await stage.ask(`${who}-first`);
            if (who === 'named') core.setContext({ userId: 'grace', sessionId: 's-1' });
            await turn();
            await stage.ask(`${who}-second`);
            return {};
          },
        },
      ],
    });
    await Promise.all(['named', 'other'].map((who) => agent.post(`/${who}`).send({})));
    await agent.post('/later').send({});
    await assertCalls(stage, [
      watched,
      [
        'named-first: ada | POST /:who',
        'named-second: grace | POST /:who | s-1',
        ...['other', 'later'].flatMap((who) => [
          `${who}-first: ada | POST /:who`,
          `${who}-second: ada | POST /:who`,
        ]),
      ],
    ]);
  },

  async 'a listener that somebody else calls has its request’s context if it is bound'(stage) {
    const { core } = stage.subject;
    const bus = new EventEmitter();
    const heard: Promise<unknown>[] = [];
    const { watched } = await visit(stage, {
      authenticate: finds({ id: 'ada' }),
      async handle() {
        const bound = core.bindContext(() => void heard.push(stage.ask('bound')));
        bus.once('go', bound).once('go', () => void heard.push(stage.ask('loose')));
      },
    });
    bus.emit('go');
    await Promise.all(heard);
    await assertCalls(stage, [watched, ['bound: ada | POST /chat/:room', 'loose: null | null']]);
  },

  async 'calls of the authentication are recorded once, and are nobody’s'(stage) {
    const { watched } = await visit(stage, {
      async authenticate() {
        await stage.ask('authentication');
        return { id: 'ada' };
      },
    });
    await stage.finish(2);
    const [first, second] = watched.calls;
    assert.deepEqual(
      [watched.calls.length, first?.messageId, first?.userId],
      [2, 'authentication', null],
    );
    // Where the framework matches routes first, the feature is known already.
    assert.ok([null, 'POST /chat/:room'].includes(first?.feature ?? null), String(first?.feature));
    assert.deepEqual([second?.messageId, second?.userId], ['call', 'ada']);
  },

  async 'a call outside any request is recorded once, without names'(stage) {
    const { watched } = await visit(stage, { authenticate: finds({ id: 'ada' }) });
    await stage.ask('outside');
    await assertCalls(stage, [watched, ['call: ada | POST /chat/:room', 'outside: null | null']]);
  },
};

/** Resolves for everyone when the last of `count` has come; then it starts anew. */
function createMeeting(count: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < count) return;
      for (const go of waiting.splice(0)) go();
      waiting = [];
    });
}
