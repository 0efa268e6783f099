// What every consumer does, whatever module system it loaded the packages with.
const assert = require('node:assert/strict');

const NAMES = {
  core: [
    'createMonitor',
    'defaultMonitor',
    'observe',
    'withContext',
    'getContext',
    'setContext',
    'bindContext',
    'costOf',
    'registerPrices',
    'classifyError',
    'memoryStore',
    'jsonLines',
  ],
  express: ['claudeMonitor', 'trackFeature'],
  testing: ['createSimulator'],
};

const QUESTION = {
  model: 'claude-sonnet-4-5',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Say hello.' }],
};

function assertNames(loaded) {
  for (const [name, exported] of Object.entries(loaded)) {
    for (const key of NAMES[name]) {
      assert.equal(typeof exported[key], 'function', `${name} exports the function ${key}`);
    }
  }
  assert.equal(typeof loaded.core.prices, 'object', 'core exports the price table');
}

/** One call of an observed client gives one record, priced and attributed. */
async function observedCall({ core, testing, Anthropic }) {
  const sim = await testing.createSimulator();
  const monitor = core.createMonitor({ log: false, instrument: false });
  const records = [];
  monitor.on({ name: 'consumer', record: (call) => void records.push(call) });
  const client = monitor.observe(new Anthropic({ apiKey: 'sk-test', baseURL: sim.url }));
  const answer = await core.withContext({ userId: 'ada', feature: 'greet' }, () =>
    client.messages.create(QUESTION),
  );
  await monitor.close();
  await sim.close();

  assert.equal(answer.type, 'message');
  assert.equal(records.length, 1, 'one call, one record');
  const [call] = records;
  assert.equal(call.outcome, 'ok');
  assert.equal(call.userId, 'ada');
  assert.equal(call.feature, 'greet');
  assert.ok(call.cost.nanoUsd > 0, 'the call has a price');
}

/** One line in an Express app is enough: a plain client is observed, and the mount answers. */
async function expressApp({ core, express, testing, Anthropic, framework }) {
  const sim = await testing.createSimulator();
  const measure = express.claudeMonitor({ log: false, authorize: () => true });
  const records = [];
  measure.monitor.on({ name: 'consumer', record: (call) => void records.push(call) });
  const client = new Anthropic({ apiKey: 'sk-test', baseURL: sim.url });
  const app = framework();
  app.use(measure);
  app.get('/greet', express.trackFeature('greet'), async (request, response) => {
    core.setContext({ userId: 'ada' });
    const answer = await client.messages.create(QUESTION);
    response.json(answer.type);
  });
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const answer = await (await fetch(`${url}/greet`)).json();
  const snapshot = await (await fetch(`${url}/claude-metrics/snapshot`)).json();
  await new Promise((resolve) => server.close(resolve));
  await measure.monitor.close();
  await sim.close();

  assert.equal(answer, 'message');
  assert.equal(records.length, 1, 'auto-observation gives one record');
  assert.equal(records[0].userId, 'ada');
  assert.equal(records[0].feature, 'greet');
  assert.equal(snapshot.totals.calls, 1);
  assert.equal(snapshot.totals.cost.nanoUsd, records[0].cost.nanoUsd);
}

module.exports = { assertNames, observedCall, expressApp };
