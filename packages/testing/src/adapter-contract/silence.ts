import assert from 'node:assert/strict';
import { connectTo } from './connection.js';
import { startStrippingProxy } from './proxy.js';
import type { Cases, Running, Stage } from './stage.js';
import type { ContractApplication, ContractResponse } from './subject.js';

/**
 * What a `POST` under the mount changes, and for whom: silences of alerts.
 *
 * - **parser**: what reads bodies for the application. It may have read ours, or left it alone.
 */

const TOKEN = 'a-token-of-more-than-32-characters';
const ID = 'alert-of_contrac';
const MOUNT = '/claude-metrics';
const PATH = `${MOUNT}/alerts/${ID}/silence`;
const SECOND = 1_000;
const TOO_LONG = JSON.stringify({ minutes: 5, more: 'x'.repeat(17_000) });
const JSON_TYPE = { 'content-type': 'application/json' };
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

export const silenceCases: Cases = {
  ...forEachParser('a POST silences an alert, and the answer is the alert', async (stage, app) => {
    for (const prefix of ['', '/api']) {
      const { agent, silenced } = await open(stage, { ...app, prefix: prefix || undefined });
      const answer = await agent.post(prefix + PATH).send({ minutes: 90 });
      assert.deepEqual([answer.status, answer.type], [200, 'application/json']);
      assert.equal((answer.body as { id: string }).id, ID);
      const ended = await agent.post(prefix + PATH).send({ minutes: 0 });
      assert.equal(ended.status, 200);
      assert.deepEqual(silenced, [`${ID} ${90 * 60 * SECOND}`, `${ID} null`]);
    }
  }),

  ...forEachParser(
    'a form of the page silences, and leads back to the page',
    async (stage, app) => {
      const { agent, origin, silenced } = await open(stage, app);
      for (const headers of [OWN_PAGE, { origin }]) {
        const answer = await sendForm(agent, headers, 'minutes=30&view=range%3D1h');
        assert.deepEqual([answer.status, answer.headers['location']], [303, '../../?range=1h']);
        const page = new URL(answer.headers['location'] ?? '', origin + PATH);
        assert.equal(page.href, `${origin}${MOUNT}/?range=1h`);
        assert.equal((await agent.get(page.pathname + page.search)).status, 200);
      }
      assert.deepEqual(silenced, Array(2).fill(`${ID} ${30 * 60 * SECOND}`));
    },
  ),

  ...forEachParser('what cannot be a silence is told as a problem', async (stage, app) => {
    const { agent, silenced } = await open(stage, app);
    const answers = [
      await agent.post(PATH).send({ minutes: -1 }),
      await agent.post(PATH).send({ hours: 1 }),
      await sendForm(agent, OWN_PAGE, 'minutes=1&minutes=2'),
    ];
    for (const { status, type } of answers) {
      assert.deepEqual([status, type], [400, 'application/problem+json']);
    }
    const unknown = await agent.post(PATH.replace(ID, '0000000000000000')).send({});
    assert.deepEqual([unknown.status, unknown.type], [404, 'application/problem+json']);
    assert.deepEqual(silenced, []);
  }),

  ...forEachParser('too long a body is 413, and the connection carries on', async (stage, app) => {
    const { port, silenced } = await open(stage, app);
    const connection = connectTo(port);
    try {
      const length = { 'content-length': String(TOO_LONG.length) };
      const announced = await connection.post(PATH, { ...JSON_TYPE, ...length }, TOO_LONG);
      const chunked = await connection.post(PATH, JSON_TYPE, TOO_LONG);
      for (const { status, text } of [announced, chunked]) {
        assert.deepEqual([status, JSON.parse(text).status], [413, 413]);
      }
      const next = await connection.post(PATH, JSON_TYPE, '{"minutes":1}');
      assert.deepEqual([next.status, chunked.reused, next.reused], [200, true, true]);
      assert.deepEqual(silenced, [`${ID} ${60 * SECOND}`]);
    } finally {
      connection.close();
    }
  }),

  ...forEachParser('a POST of another site is refused, and changes nothing', async (stage, app) => {
    const { agent, origin, silenced } = await open(stage, app);
    const others = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${origin}.evil.example` },
    ];
    for (const headers of others) {
      const asJson = await agent.post(PATH).set(headers).send({ minutes: 5 });
      const asForm = await sendForm(agent, headers, 'minutes=5');
      for (const { status, type } of [asJson, asForm]) {
        assert.deepEqual([headers, status, type], [headers, 403, 'application/problem+json']);
      }
    }
    assert.equal((await sendForm(agent, {}, 'minutes=5')).status, 403);
    assert.deepEqual(silenced, []);
  }),

  ...forEachParser('a closed mount answers 404 to every POST', async (stage, app) => {
    process.env['NODE_ENV'] = 'production';
    const { agent, silenced } = await open(stage, app, { authorize: undefined });
    for (const headers of [{}, OWN_PAGE, { authorization: `Bearer ${TOKEN}` }]) {
      const answers = [
        await agent.post(PATH).set(headers).send({ minutes: 5 }),
        await sendForm(agent, headers, 'minutes=5'),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [404, 404],
      );
    }
    assert.deepEqual(silenced, []);
  }),

  async 'reading never changes anything: GET and HEAD of a silence are 405'(stage) {
    const { agent, silenced } = await open(stage);
    for (const answer of [await agent.get(PATH), await agent.head(PATH)]) {
      assert.deepEqual([answer.status, answer.headers['allow']], [405, 'POST']);
    }
    assert.deepEqual(silenced, []);
  },

  async 'behind a proxy that strips a path, a form leads back to the page'(stage) {
    const options = { authorize: undefined, authToken: TOKEN };
    const { port, silenced } = await open(stage, {}, options);
    const proxy = await startStrippingProxy('/apps/shop', port);
    try {
      const page = `${proxy.origin}/apps/shop${MOUNT}/`;
      const opened = await fetch(`${page}?token=${TOKEN}`, { redirect: 'manual' });
      const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';');
      const answer = await fetch(new URL(`alerts/${ID}/silence`, page), {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, origin: proxy.origin },
        body: new URLSearchParams({ minutes: '5' }),
      });
      const target = new URL(answer.headers.get('location') ?? '', answer.url);
      assert.deepEqual([answer.status, target.href], [303, page]);
      assert.deepEqual(silenced, [`${ID} ${5 * 60 * SECOND}`]);
    } finally {
      await proxy.close();
    }
  },
};

interface Open extends Running {
  /** `id milliseconds`, in the order they came. */
  readonly silenced: readonly string[];
}

/** An application whose monitor has one alert. */
async function open(
  stage: Stage,
  application: Partial<ContractApplication> = {},
  options: object = {},
): Promise<Open> {
  const silenced: string[] = [];
  const monitor = {
    ...stage.createMonitor().monitor,
    silence(id: string, forMs: number | null) {
      if (id !== ID) return null;
      silenced.push(`${id} ${forMs}`);
      return { id };
    },
  };
  const adapters = [{ monitor, authorize: () => true, ...options }];
  return { ...(await stage.start({ adapters, ...application })), silenced };
}

function sendForm(agent: Running['agent'], headers: object, fields: string) {
  const answer = agent.post(PATH).set(headers).type('form').send(fields);
  return answer as PromiseLike<ContractResponse>;
}

function forEachParser(
  name: string,
  play: (stage: Stage, application: Partial<ContractApplication>) => Promise<void>,
): Cases {
  const titles = { after: '', before: ', with a body parser in front too' } as const;
  return Object.fromEntries(
    (['after', 'before'] as const).map((bodyParser) => [
      name + titles[bodyParser],
      (stage: Stage) => play(stage, { bodyParser }),
    ]),
  );
}
