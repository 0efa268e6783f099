import { createHealth } from '../src/health.js';
import { createMonitor } from '../src/monitor.js';
import { createSinks, metricsOf } from '../src/sinks.js';
import type { Sink } from '../src/record.js';
import type { SinkMonitor } from '../src/status.js';

/** A sink that writes down what happens to it. */
function watched(name = 'mine') {
  const seen: string[] = [];
  let monitor: SinkMonitor | undefined;
  const sink: Sink = {
    name,
    record: () => void seen.push('record'),
    attach(given) {
      monitor = given;
      seen.push('attach');
      return () => void seen.push('detach');
    },
    close: () => void seen.push('close'),
  };
  return { sink, seen, monitor: () => monitor };
}

it('a sink is given its monitor when it is added, and let go after the monitor has closed', async () => {
  const { sink, seen, monitor: given } = watched();
  const monitor = createMonitor({ log: false, onError() {}, sinks: [sink] });
  monitor.record({ model: 'claude-sonnet-5-5' });
  given()?.fault('mine', new Error('x'));
  const status = await given()?.status();
  expect(status?.health.faults['mine']).toMatchObject({ count: 1 });
  const { budgets, alerts, health, coverage } = await monitor.snapshot();
  const { unobserved, priceVersion } = coverage;
  expect(await given()?.status()).toEqual({ budgets, alerts, health, unobserved, priceVersion });
  await monitor.close();
  expect(seen).toEqual(['attach', 'record', 'close', 'detach']);
});

it('one that is taken off is let go once, also when it was added twice', async () => {
  const { sink, seen } = watched();
  const monitor = createMonitor({ log: false });
  const takeOff = monitor.on(sink);
  monitor.on(sink);
  takeOff();
  takeOff();
  await monitor.close();
  expect(seen).toEqual(['attach', 'detach']);
});

it('one that throws when it is given its monitor, or let go, is counted and gets its calls', async () => {
  const { sink, seen } = watched();
  const health = createHealth();
  const fail = () => {
    throw new Error('no');
  };
  const sinks = createSinks(health, { status: fail, fault: fail });
  sinks.add({ ...sink, name: 'early', attach: fail });
  sinks.add({ ...sink, name: 'late', attach: () => fail });
  await sinks.close();
  expect(seen).toEqual(['close', 'close']);
  const counts = Object.entries(health.report().faults).map(([step, { count }]) => [step, count]);
  expect(counts).toEqual([
    ['sink:early', 1],
    ['sink:late', 1],
  ]);
});

it('metrics are those of the first sink that has some', async () => {
  const page = (body: string) => ({ type: 'text/plain', body });
  const { sink } = watched();
  const withMetrics = (body: string): Sink => ({
    ...sink,
    metrics: (accept) => Promise.resolve(page(`${body} ${accept}`)),
  });
  expect(metricsOf()).toEqual({});
  expect(metricsOf([sink])).toEqual({});
  const { metrics } = metricsOf([sink, withMetrics('one'), withMetrics('two')]);
  expect(await metrics?.('text/plain')).toEqual(page('one text/plain'));
});
