import assert from 'node:assert/strict';
import { finds, type NativeRequest } from './scene.js';
import { assertCalls, turn, type Cases } from './stage.js';
import type { ContractRoute } from './subject.js';

/** Several adapters, applications and monitors, and each call recorded by one of them. */

export const monitorCases: Cases = {
  async 'of two adapters in one application the inner one records, and both mounts answer'(stage) {
    const [outer, inner] = [stage.createMonitor(), stage.createMonitor()];
    const { agent } = await stage.start({
      adapters: [
        { monitor: outer.monitor, path: '/outer', authorize: () => true },
        { monitor: inner.monitor, path: '/inner', authorize: () => true },
      ],
      authenticate: finds({ id: 'ada' }),
      routes: [
        routeThat('/work/:room', () => Promise.all([stage.ask('one'), stage.stream('two')])),
      ],
    });
    await agent.get('/work/1');
    const counts = [];
    for (const mount of ['/outer', '/inner']) {
      assert.equal((await agent.get(`${mount}/`)).status, 200);
      const { body } = await agent.get(`${mount}/snapshot`);
      counts.push((body as { totals: { calls: number } }).totals.calls);
    }
    assert.deepEqual(counts, [0, 2]);
    await assertCalls(
      stage,
      [outer, []],
      [inner, ['one: ada | GET /work/:room', 'two: ada | GET /work/:room']],
    );
  },

  async 'two adapters of one monitor record once, and the inner names win'(stage) {
    const watched = stage.createMonitor();
    const { monitor } = watched;
    const { agent } = await stage.start({
      adapters: [
        { monitor, userId: () => 'outer', feature: () => 'outer' },
        { monitor, path: '/inner', feature: () => 'inner' },
      ],
      routes: [routeThat('/work', () => stage.ask('call'))],
    });
    await agent.get('/work');
    await assertCalls(stage, [watched, ['call: outer | inner']]);
  },

  async 'two applications share a client, and each records its own calls'(stage) {
    const names = ['shop', 'blog'];
    const watched = names.map(() => stage.createMonitor());
    const running = await Promise.all(
      watched.map(({ monitor }, i) =>
        stage.start({
          adapters: [{ monitor, userId: ({ headers }: NativeRequest) => headers['x-user'] }],
          routes: [
            routeThat(`/${names[i]}/:id`, async () => {
              await turn();
              await Promise.all([stage.ask(`${names[i]}-one`), stage.stream(`${names[i]}-two`)]);
            }),
          ],
        }),
      ),
    );
    const users = ['ada', 'grace', 'alan'];
    await Promise.all(
      users.flatMap((user) =>
        running.map(({ agent }, i) => agent.get(`/${names[i]}/1`).set({ 'x-user': user })),
      ),
    );
    const linesOf = (name: string) =>
      users.flatMap((user) =>
        ['one', 'two'].map((call) => `${name}-${call}: ${user} | GET /${name}/:id`),
      );
    const [shop, blog] = watched;
    assert.ok(shop && blog);
    await assertCalls(stage, [shop, linesOf('shop')], [blog, linesOf('blog')]);
  },
};

function routeThat(path: string, work: () => Promise<unknown>): ContractRoute {
  return {
    method: 'GET',
    path,
    async handle() {
      await work();
      return {};
    },
  };
}
