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
  koa: ['claudeMonitor', 'trackFeature'],
  nestjs: ['ClaudeMetricsModule', 'TrackFeature', 'InjectMonitor', 'InjectAnthropic'],
  testing: ['createSimulator', 'adapterContract'],
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

/** One line in an app is enough: a plain client is observed, and the mount answers. */
async function oneLineApp({ core, testing, Anthropic }, start) {
  const sim = await testing.createSimulator();
  const records = [];
  const log = (_line, call) => void records.push(call);
  const client = new Anthropic({ apiKey: 'sk-test', baseURL: sim.url });
  async function greet() {
    core.setContext({ userId: 'ada' });
    return (await client.messages.create(QUESTION)).type;
  }
  const app = await start({ log, authorize: () => true }, greet);
  const answer = await (await fetch(`${app.url}/greet`)).text();
  const snapshot = await (await fetch(`${app.url}/claude-metrics/snapshot`)).json();
  await app.close();
  await core.defaultMonitor().close();
  await sim.close();

  assert.match(answer, /^"?message"?$/);
  assert.equal(records.length, 1, 'auto-observation gives one record');
  assert.equal(records[0].userId, 'ada');
  assert.equal(records[0].feature, 'greet');
  assert.equal(snapshot.totals.calls, 1);
  assert.equal(snapshot.totals.cost.nanoUsd, records[0].cost.nanoUsd);
}

async function listen(app) {
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function expressApp({ express, framework, ...rest }) {
  return oneLineApp(rest, (options, greet) => {
    const app = framework();
    app.use(express.claudeMonitor(options));
    app.get('/greet', express.trackFeature('greet'), async (_request, response) => {
      response.send(await greet());
    });
    return listen(app);
  });
}

function koaApp({ koa, Koa, ...rest }) {
  return oneLineApp(rest, (options, greet) => {
    const app = new Koa();
    app.use(koa.claudeMonitor(options));
    app.use(koa.trackFeature('greet'));
    app.use(async (ctx) => {
      ctx.body = await greet();
    });
    return listen(app);
  });
}

function nestApp({ nestjs, common, NestFactory, ...rest }) {
  return oneLineApp(rest, async (options, greet) => {
    class GreetController {
      greet() {
        return greet();
      }
    }
    class AppModule {}
    const { prototype } = GreetController;
    const decorators = [common.Get(), nestjs.TrackFeature('greet')];
    const descriptor = Object.getOwnPropertyDescriptor(prototype, 'greet');
    const decorated = Reflect.decorate(decorators, prototype, 'greet', descriptor);
    Object.defineProperty(prototype, 'greet', decorated);
    common.Controller('greet')(GreetController);
    common.Module({
      imports: [nestjs.ClaudeMetricsModule.forRoot(options)],
      controllers: [GreetController],
    })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    return { url: await app.getUrl(), close: () => app.close() };
  });
}

module.exports = { assertNames, observedCall, expressApp, koaApp, nestApp };
