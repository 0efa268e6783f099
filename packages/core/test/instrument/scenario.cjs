// What the applications of instrument.test.ts do, whatever module system loaded their packages. Prints
// one line of JSON.
const QUESTION = {
  model: 'claude-sonnet-5-5',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Say hello.' }],
};

module.exports = async function run({ Anthropic, core, testing, options }) {
  const simulator = await testing.createSimulator();
  const settings = { apiKey: 'sk-ant-test', baseURL: simulator.url };
  const theirs = (request, next) => next(request);
  const before = new Anthropic({ ...settings, middleware: [theirs] });

  const records = [];
  const notices = [];
  const monitor = core.createMonitor({
    log: false,
    onNotice: (text) => notices.push(text),
    ...options,
  });
  monitor.on({ name: 'test', record: (call) => void records.push(call) });

  const after = new Anthropic(settings);
  const clone = before.withOptions({ maxRetries: 0 });
  await before.messages.create(QUESTION);
  await after.messages.create(QUESTION);
  await clone.messages.create(QUESTION);
  await after.withOptions({ timeout: 9_999 }).messages.create(QUESTION);
  await after.beta.messages.create(QUESTION);
  await after.messages.stream(QUESTION).finalMessage();
  for await (const _ of await after.messages.create({ ...QUESTION, stream: true }));
  const { data, response } = await after.messages.create(QUESTION).withResponse();
  await after.post('/v1/messages', { body: QUESTION });
  if (options.instrument) monitor.observe(monitor.observe(before));
  await before.messages.create(QUESTION);

  // A lost connection is certain to be the last attempt, for a client whose settings are known.
  simulator.enqueue({ ending: 'reset', beforeHeaders: true });
  await clone.messages.create(QUESTION).catch(() => {});
  const early = records.length;

  const { coverage } = await monitor.snapshot();
  await monitor.close();
  const second = core.createMonitor({ log: false, onNotice() {}, ...options });
  await before.messages.create(QUESTION);
  const { totals } = await second.snapshot();
  await second.close();
  await before.messages.create(QUESTION);
  await simulator.close();

  const position = before.middleware.indexOf(theirs);
  return {
    requests: simulator.requests.length,
    records: records.map(({ id, outcome }) => ({ id, outcome })),
    early,
    unobserved: coverage.unobserved,
    notices,
    theirs: position,
    middleware: before.middleware.length,
    answer: data.type,
    status: response.status,
    afterSecond: totals.calls,
    faults: monitor.health().faults,
  };
};
