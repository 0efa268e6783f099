import assert from 'node:assert/strict';
import type { NativeRequest } from './scene.js';
import type { Cases, Running, Stage, Watched } from './stage.js';

/** The mount is closed, until somebody who may has opened it. */

const TOKEN = 'a-token-of-more-than-32-characters';
const PATHS = ['', '/', '/snapshot', '/calls', '/openapi.json', '/nothing'].map(
  (below) => `/claude-metrics${below}`,
);
const DATA = /canary-|claude-metrics\/snapshot@1|"openapi"|Claude usage/i;

export const accessCases: Cases = {
  async 'in production the mount is closed: every path is 404'(stage) {
    const { agent } = await startIn('production', stage);
    for (const path of PATHS) {
      for (const headers of [{}, { authorization: `Bearer ${TOKEN}` }, { accept: 'text/html' }]) {
        await assertClosed(agent, path, 404, headers);
      }
      const { status } = await agent.post(path).send({});
      assert.deepEqual([path, status], [path, 404]);
    }
  },

  async 'in production the rest of the application works, and its calls are measured'(stage) {
    const { agent, watched } = await startIn('production', stage);
    const { status } = await agent.get('/hello');
    assert.equal(status, 200);
    await stage.finish(2);
    assert.deepEqual(
      watched.calls.map(({ feature }) => feature),
      ['canary-feature', 'GET /hello'],
    );
  },

  async 'a bearer token opens it, in production too; a wrong one does not'(stage) {
    const { agent } = await startIn('production', stage, { authToken: TOKEN });
    for (const authorization of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`]) {
      const { status, text } = await agent.get('/claude-metrics/').set({ authorization });
      assert.equal(status, 200);
      assert.match(text, DATA);
    }
    for (const authorization of [`Bearer ${TOKEN}x`, 'Bearer x', `Basic ${TOKEN}`, TOKEN]) {
      await assertClosed(agent, '/claude-metrics/snapshot', 404, { authorization });
    }
    await assertClosed(agent, '/claude-metrics/snapshot', 404);
  },

  async 'a token of the environment opens it as well'(stage) {
    process.env['CLAUDE_METRICS_AUTH_TOKEN'] = TOKEN;
    const { agent } = await startIn('production', stage);
    const authorization = `Bearer ${TOKEN}`;
    const { status } = await agent.get('/claude-metrics/snapshot').set({ authorization });
    assert.equal(status, 200);
    await assertClosed(agent, '/claude-metrics/snapshot', 404);
  },

  async 'outside production it says what is missing'(stage) {
    const { agent } = await startIn('development', stage, { authToken: TOKEN });
    for (const path of PATHS) await assertClosed(agent, path, 401);
    const authorization = `Bearer ${TOKEN}x`;
    await assertClosed(agent, '/claude-metrics/snapshot', 401, { authorization });
  },

  async 'a token in the address opens it in three steps, and is gone from the last'(stage) {
    const { agent } = await startIn('production', stage, { authToken: TOKEN });
    const first = await agent.get(`/claude-metrics?token=${TOKEN}&range=1h`);
    assert.deepEqual(
      [first.status, first.headers['location']],
      [307, `claude-metrics/?token=${TOKEN}&range=1h`],
    );
    const second = await agent.get(`/claude-metrics/?token=${TOKEN}&range=1h`);
    assert.deepEqual([second.status, second.headers['location']], [303, './?range=1h']);
    const setCookie = String(second.headers['set-cookie']);
    assert.match(setCookie, /; HttpOnly/);
    assert.match(setCookie, /; SameSite=Strict/);
    const [cookie = ''] = setCookie.split(';');
    const third = await agent.get('/claude-metrics/?range=1h').set({ cookie });
    assert.equal(third.status, 200);
    await assertClosed(agent, `/claude-metrics/?token=${TOKEN}x`, 404);
  },

  async 'authorize decides by the framework’s request, and alone'(stage) {
    process.env['CLAUDE_METRICS_AUTH_TOKEN'] = TOKEN;
    const { agent } = await startIn('development', stage, {
      authorize: async ({ headers }: NativeRequest) => {
        await Promise.resolve();
        return headers['x-admin'] === 'yes';
      },
    });
    const open = await agent.get('/claude-metrics/snapshot').set({ 'x-admin': 'yes' });
    assert.equal(open.status, 200);
    const headers = { 'x-admin': 'no', authorization: `Bearer ${TOKEN}` };
    for (const path of PATHS) await assertClosed(agent, path, 403, headers);
  },

  async 'in production authorize refuses as if nothing were there'(stage) {
    const { agent } = await startIn('production', stage, { authorize: () => false });
    for (const path of PATHS) await assertClosed(agent, path, 404);
  },

  async 'only true opens it'(stage) {
    const answers = [undefined, null, 1, 'yes', {}, [true], Promise.resolve('true')];
    let next = 0;
    const { agent } = await startIn('development', stage, { authorize: () => answers[next] });
    for (next = 0; next < answers.length; next += 1) {
      await assertClosed(agent, '/claude-metrics/snapshot', 403);
    }
  },

  async 'authorize that throws or rejects keeps it closed, and is counted'(stage) {
    const error = new Error('no session');
    const broken = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    let next = 0;
    const { agent, watched } = await startIn('development', stage, {
      authorize: () => broken[next]?.(),
    });
    for (next = 0; next < broken.length; next += 1) {
      await assertClosed(agent, '/claude-metrics/snapshot', 403);
    }
    assert.deepEqual(Object.keys(watched.monitor.health().faults), ['authorize']);
  },

  async 'options that cannot be right are a TypeError at start'(stage) {
    const { monitor } = stage.createMonitor();
    for (const [options, message] of [
      [{ paht: '/x' }, /there is no option "paht"/],
      [{ path: 'claude' }, /options\.path must be .*, got "claude"/],
      [{ userId: 'ada' }, /options\.userId must be a function, got "ada"/],
      [{ authToken: 'short' }, /authToken: must be at least 32/],
      [{ authorize: () => true, authToken: TOKEN }, /Pass one of the two/],
      [{ log: false }, /options\.log would be ignored, because options\.monitor is given/],
    ] as const) {
      const started = stage.start({ adapters: [{ monitor, ...options }] });
      const error: unknown = await started.then(() => new Error('it started'), nothingLost);
      const { name, message: text } = error as Error;
      assert.equal(name, 'TypeError', `${text} of ${JSON.stringify(options)}`);
      assert.match(text, message);
    }
  },
};

const nothingLost = (error: unknown) => error;

interface Open extends Running {
  readonly watched: Watched;
}

/** An application with a call in its figures, started with this `NODE_ENV`. */
async function startIn(nodeEnv: string, stage: Stage, options: object = {}): Promise<Open> {
  process.env['NODE_ENV'] = nodeEnv;
  const watched = stage.createMonitor();
  watched.monitor.record({ model: 'canary-model', feature: 'canary-feature' } as never);
  const running = await stage.start({
    adapters: [{ monitor: watched.monitor, ...options }],
    routes: [
      {
        method: 'GET',
        path: '/hello',
        async handle() {
          await stage.ask('hello');
          return {};
        },
      },
    ],
  });
  return { ...running, watched };
}

async function assertClosed(
  agent: Running['agent'],
  path: string,
  status: number,
  headers: object = {},
): Promise<void> {
  const answer = await agent.get(path).set(headers);
  assert.deepEqual([path, answer.status], [path, status]);
  assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), DATA);
}
