/** Calls that never stop, and a store that takes its time: whoever reads or closes gets done all the same. */
import { brittleStore, callsOf, read, settle } from './ledger-fixture.js';
import { callRecord, MINUTE, rigOf, type Rig } from './state-fixture.js';

/** The store answers one merge after the other, and during each of them another call ends. */
async function answerAll(rig: Rig, state: ReturnType<typeof brittleStore>['state'], most: number) {
  let answered = 0;
  for (; answered < most && state.running > 0; answered += 1) {
    rig.record(callRecord({ at: rig.clock.now }));
    state.end();
    await settle();
  }
  return answered;
}

it('a flush brings what waits when it begins, and not all that comes while it runs', async () => {
  const { state, store } = brittleStore();
  state.mode = 'waits';
  const rig = rigOf({ store });
  rig.record(callRecord());
  const flushed = rig.ledger.flush();
  expect(await answerAll(rig, state, 100)).toBe(1);
  await flushed;
  expect(state.merges).toBe(1);
});

it('a reading that comes during a flush waits for one more', async () => {
  const { state, store } = brittleStore();
  state.mode = 'waits';
  const rig = rigOf({ store });
  rig.record(callRecord());
  void rig.ledger.flush();
  rig.record(callRecord(), callRecord());
  const readings = [read(rig, 'total'), read(rig, 'total'), read(rig, 'total')];
  expect(await answerAll(rig, state, 100)).toBe(2);
  for (const cells of await Promise.all(readings)) expect(callsOf(cells)).toBe(4);
});

it('closing during a flush brings all that came before', async () => {
  const { state, store } = brittleStore();
  state.mode = 'waits';
  const rig = rigOf({ store });
  rig.record(callRecord());
  void rig.ledger.flush();
  rig.record(callRecord());
  const closed = rig.ledger.close();
  expect(await answerAll(rig, state, 100)).toBe(2);
  await closed;
});

it('a batch that is brought again is followed by what waited behind it, in the same flush', async () => {
  const { state, store } = brittleStore();
  state.mode = 'rejects';
  const rig = rigOf({ store });
  rig.record(callRecord());
  await rig.ledger.flush();
  rig.record(callRecord());
  state.mode = 'waits';
  const flushed = rig.ledger.flush();
  expect(await answerAll(rig, state, 100)).toBe(2);
  await flushed;
  expect(state.merges).toBe(3);
});

it('a minute that is entered during a flush is flushed with the first call after it', async () => {
  const { state, store } = brittleStore();
  state.mode = 'waits';
  const rig = rigOf({ store });
  rig.record(callRecord());
  void rig.ledger.flush();
  rig.clock.now += MINUTE;
  rig.record(callRecord({ at: rig.clock.now }));
  state.end();
  await settle();
  expect(state.merges).toBe(1);
  rig.record(callRecord({ at: rig.clock.now }));
  expect(state.merges).toBe(2);
  expect(state.batches[1]?.cells.find(({ family }) => family === 'total')?.sums[0]).toBe(1);
  state.end();
  await settle();
});
