import assert from 'node:assert/strict';
import { startStrippingProxy } from './proxy.js';
import type { Cases, Running, Stage } from './stage.js';
import type { ContractApplication, ContractResponse } from './subject.js';

/** What is served below the mount, and that the rest of the application does not notice. */

const TOKEN = 'a-token-of-more-than-32-characters';
const MOUNT = '/claude-metrics';
const PREFIXES = ['', '/api'];

export const mountCases: Cases = {
  ...forEachPrefix(
    'the dashboard, its data and their description are served',
    async (at, agent) => {
      const page = await agent.get(`${at}/`);
      assert.deepEqual(look(page), [200, 'text/html']);
      assert.match(page.text, /^<!doctype html>/i);
      assert.match(page.text, /canary-model/);

      const snapshot = await agent.get(`${at}/snapshot?range=1h`);
      assert.deepEqual(look(snapshot), [200, 'application/json']);
      const { totals, byUser } = snapshot.body as SnapshotBody;
      assert.deepEqual([totals.calls, byUser.map(({ key }) => key)], [1, ['canary-user']]);

      const calls = await agent.get(`${at}/calls`);
      assert.deepEqual(look(calls), [200, 'application/json']);
      const { calls: recent } = calls.body as { calls: { model: string }[] };
      assert.deepEqual(
        recent.map(({ model }) => model),
        ['canary-model'],
      );

      const description = await agent.get(`${at}/openapi.json`);
      assert.deepEqual(look(description), [200, 'application/json']);
      assert.match((description.body as { openapi: string }).openapi, /^3\.1/);
    },
  ),

  ...forEachPrefix('HEAD is GET without its body', async (at, agent) => {
    for (const below of ['/', '/snapshot']) {
      const got = await agent.get(at + below);
      const head = await agent.head(at + below);
      assert.deepEqual([below, look(head)], [below, look(got)]);
      assert.equal(head.text ?? '', '');
    }
  }),

  ...forEachPrefix('what does not exist is 404, and only reading is allowed', async (at, agent) => {
    for (const below of ['/nothing', '/snapshot/more', '/__proto__', '/snapshot/']) {
      const { status, text } = await agent.get(at + below);
      assert.deepEqual([below, status], [below, 404]);
      assert.doesNotMatch(text, /canary-/);
    }
    for (const below of ['/', '/snapshot']) {
      const { status, headers } = await agent.post(at + below).send({ any: 'thing' });
      assert.deepEqual([below, status, headers['allow']], [below, 405, 'GET, HEAD']);
    }
  }),

  ...forEachPrefix('a bad query is told as a problem', async (at, agent) => {
    for (const query of ['rnage=1h', 'range=soon', 'range=1h&range=2h']) {
      const problem = await agent.get(`${at}/snapshot?${query}`);
      assert.deepEqual([query, ...look(problem)], [query, 400, 'application/problem+json']);
      assert.equal((problem.body as { status: number }).status, 400);
    }
  }),

  ...forEachPrefix('the mount without its slash redirects, relatively', async (at, agent) => {
    const { status, headers } = await agent.get(`${at}?range=1h`);
    assert.deepEqual([status, headers['location']], [307, 'claude-metrics/?range=1h']);
  }),

  ...forEachPrefix('answers are not kept by any cache', async (at, agent) => {
    for (const below of ['/', '/snapshot', '/calls']) {
      const { headers } = await agent.get(at + below);
      assert.match(headers['cache-control'] ?? '', /no-store/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  }),

  async 'other paths of the application are not disturbed'(stage) {
    const { agent } = await open(stage, {
      routes: ['/', '/claude-metricsx', '/x/claude-metrics/', '/claude'].map((path) => ({
        method: 'GET',
        path,
        handle: async () => ({ mine: path }),
      })),
    });
    for (const path of ['/', '/claude-metricsx', '/x/claude-metrics/', '/claude']) {
      const { status, body } = await agent.get(path);
      assert.deepEqual([status, body], [200, { mine: path }]);
    }
    assert.equal((await agent.get('/claude-metrics-nothing')).status, 404);
  },

  async 'it answers at a path of your own, and only there'(stage) {
    const { agent } = await open(stage, {}, { path: '/admin/claude' });
    assert.deepEqual(look(await agent.get('/admin/claude/snapshot')), [200, 'application/json']);
    assert.equal((await agent.get('/admin/claude')).headers['location'], 'claude/');
    assert.equal((await agent.get(`${MOUNT}/snapshot`)).status, 404);
  },

  async 'it is not there at all if the path is false'(stage) {
    const { agent } = await open(stage, {}, { path: false });
    for (const below of ['', '/', '/snapshot']) {
      const { status, text } = await agent.get(MOUNT + below);
      assert.equal(status, 404);
      assert.doesNotMatch(text, /canary-/);
    }
  },

  ...Object.fromEntries(
    PREFIXES.map((prefix) => [
      `behind a proxy that strips a path, every step and link stays below it${titleOf(prefix)}`,
      (stage: Stage) => visitThroughProxy(stage, prefix),
    ]),
  ),
};

interface SnapshotBody {
  readonly totals: { readonly calls: number };
  readonly byUser: readonly { readonly key: string }[];
}

/** An application with an open mount, and with one call in its figures. */
async function open(
  stage: Stage,
  application: Partial<ContractApplication> = {},
  options: object = {},
): Promise<Running> {
  const { monitor } = stage.createMonitor();
  monitor.record({
    model: 'canary-model',
    userId: 'canary-user',
    feature: 'canary-feature',
    usage: { input_tokens: 5 },
  } as never);
  return stage.start({
    adapters: [{ monitor, authorize: () => true, ...options }],
    ...application,
  });
}

function forEachPrefix(
  name: string,
  play: (at: string, agent: Running['agent']) => Promise<void>,
): Cases {
  return Object.fromEntries(
    PREFIXES.map((prefix) => [
      name + titleOf(prefix),
      async (stage: Stage) => {
        const running = await open(stage, { prefix: prefix === '' ? undefined : prefix });
        await play(prefix + MOUNT, running.agent);
      },
    ]),
  );
}

function titleOf(prefix: string): string {
  return prefix === '' ? '' : `, below ${prefix} too`;
}

function look({ status, type }: ContractResponse): [number, string] {
  return [status, type];
}

/** As a browser does: address with token, slash, cookie, page, and every link of the page. */
async function visitThroughProxy(stage: Stage, prefix: string): Promise<void> {
  const { port } = await open(
    stage,
    { prefix: prefix === '' ? undefined : prefix },
    { authorize: undefined, authToken: TOKEN },
  );
  const proxy = await startStrippingProxy('/apps/shop', port);
  try {
    const base = `${proxy.origin}/apps/shop${prefix}${MOUNT}`;
    const first = await fetch(`${base}?token=${TOKEN}`, { redirect: 'manual' });
    const slashed = new URL(first.headers.get('location') ?? '', first.url);
    assert.equal(slashed.href, `${base}/?token=${TOKEN}`);
    const second = await fetch(slashed, { redirect: 'manual' });
    const setCookie = second.headers.get('set-cookie') ?? '';
    assert.doesNotMatch(setCookie, /path|domain/i);
    const [cookie = ''] = setCookie.split(';');
    const page = await fetch(new URL(second.headers.get('location') ?? '', slashed), {
      headers: { cookie },
    });
    assert.deepEqual([page.status, page.url], [200, `${base}/`]);
    const links = [...(await page.text()).matchAll(/href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );
    assert.ok(links.length > 8, `${links.length} links`);
    for (const link of links) {
      const target = await fetch(new URL(link, page.url), { headers: { cookie } });
      await target.arrayBuffer();
      assert.deepEqual([link, target.status], [link, 200]);
      assert.ok(target.url.startsWith(`${base}/`), target.url);
    }
  } finally {
    await proxy.close();
  }
}
