/** One alert of several processes: told once, and taken over from whoever is gone. */
import { alert } from '../../src/alerts/rules.js';
import type { Rule } from '../../src/alerts/rule.js';
import { failed, MINUTE, rigOf } from '../state-fixture.js';
import { budgetOf, HOUR, SECOND, times } from './alert-fixture.js';
import { CLAIM, EVERY, fail, firingFleet, fleetOf } from './fleet-fixture.js';

const errors = alert.errorRateAbove(0.05, { window: '5m' });
const firing = (rules: readonly Rule[] = [errors]) => firingFleet(rules);

describe('a fleet', () => {
  it('tells once that something is wrong, reminds once, and tells once that it is over', async () => {
    const { fleet, ada } = await firing();
    await fleet.pass(HOUR, () => fail(fleet, 5));
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toEqual(['firing', 'reminder', 'resolved']);
    expect(ada.types()).toEqual(fleet.told());
    for (const { health } of fleet.members) {
      expect(health.report()).toEqual({ ok: true, faults: {}, dropped: {}, notices: [] });
    }
  });

  it('shows the same in every process', async () => {
    const { fleet, ada, bob, cyd, id } = await firing();
    const page = await ada.page();
    expect(page).toMatchObject({ firing: [{ id }] });
    expect(await bob.page()).toEqual(page);
    expect(await cyd.page()).toEqual(page);
    await fleet.pass(10 * MINUTE);
    expect(await bob.page()).toMatchObject({ firing: [], recent: [{ id, state: 'resolved' }] });
  });

  it('shows of a process that follows when the leader has looked, and what failed there', async () => {
    const fails = alert.condition('fails', () => {
      throw new Error('a bug');
    });
    const { fleet, bob } = await firing([errors, fails]);
    const looked = new Date(fleet.now()).toISOString();
    fleet.wait(5 * SECOND);
    expect(await bob.page()).toMatchObject({
      at: looked,
      failing: [{ rule: 'fails', message: 'Error: a bug' }],
    });
  });

  it('has a name by what its rules say: others over the same store tell of theirs', async () => {
    const { fleet } = await firing();
    const spend = alert.spendAbove(100);
    const other = fleet.join('dan', { rules: [errors, spend] });
    const same = fleet.join('eve', { rules: [spend, errors] });
    await other.alerts.evaluate();
    await same.alerts.evaluate();
    expect(other.types()).toEqual(['firing']);
    expect(same.types()).toEqual([]);
  });

  it('sees what a process that follows has recorded, also when it records no more', async () => {
    const fleet = fleetOf([errors]);
    const [ada] = fleet.start('ada');
    const others = rigOf({ store: fleet.store });
    fleet.members.push(fleet.join('bob', { source: others.ledger }));
    await fleet.pass(EVERY);
    const error = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;
    others.record(...times(30, () => failed(error, { at: fleet.now() })));
    await fleet.pass(2 * EVERY);
    expect(ada!.types()).toEqual(['firing']);
  });

  it('of processes without rules asks nobody', async () => {
    const fleet = fleetOf([]);
    const [none] = fleet.start('ada');
    await fleet.pass(MINUTE);
    await none!.page();
    expect(fleet.state.asked).toBe(0);
  });
});

describe('when the process that leads is gone', () => {
  it('another one takes over after its claim, tells nothing again, and tells the end', async () => {
    const { fleet, ada, bob } = await firing();
    fleet.kill(ada);
    await fleet.pass(CLAIM - EVERY, () => fail(fleet, 5));
    expect(await bob.page()).toMatchObject({ firing: [{ firedAt: ada.sent[0]!.at }] });
    await fleet.pass(HOUR - 3 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual([]);
    // An hour after the first one told it.
    await fleet.pass(3 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['reminder']);
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toEqual(['reminder', 'resolved']);
    expect(await bob.page()).toMatchObject({ recent: [{ firedAt: ada.sent[0]!.at }] });
  });

  it('and had just begun to hold a breach, the time of that counts on', async () => {
    const fleet = fleetOf([alert.errorRateAbove(0.05, { window: '5m', for: '3m' })]);
    const [ada] = fleet.start('ada', 'bob');
    fail(fleet);
    await fleet.pass(2 * MINUTE, () => fail(fleet, 5));
    fleet.kill(ada!);
    await fleet.pass(MINUTE + EVERY, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['firing']);
  });

  it('after it was closed, another one takes over at once', async () => {
    const { fleet, ada, bob } = await firing();
    await ada.alerts.close();
    fleet.kill(ada);
    await fleet.pass(EVERY);
    // It has looked, and so its page is of now.
    fleet.wait(SECOND);
    expect((await bob.page()).at).toBe(new Date(fleet.now()).toISOString());
    expect(fleet.told()).toEqual([]);
  });

  it('and all others, too, the next one to start goes on from what they knew', async () => {
    const { fleet, ada, bob, cyd } = await firing();
    for (const each of [ada, bob, cyd]) fleet.kill(each);
    fleet.wait(CLAIM);
    const [dan] = fleet.start('dan');
    await fleet.pass(EVERY);
    expect(await dan!.page()).toMatchObject({ firing: [{ firedAt: ada.sent[0]!.at }] });
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toEqual(['resolved']);
  });

  it('the rate at which budgets are spent is known to the next one', async () => {
    const fleet = fleetOf([alert.burnRate({ windows: ['10m', '1h'] })]);
    let spentUsd = 0;
    const budgets = () => [budgetOf([{ spentUsd }])];
    const [ada, bob] = ['ada', 'bob'].map((name) => fleet.join(name, { budgets }));
    fleet.members.push(ada!, bob!);
    await fleet.pass(HOUR);
    fleet.kill(ada!);
    await fleet.pass(20 * MINUTE, () => (spentUsd += 1));
    expect(bob!.types()).toEqual(['firing']);
  });
});

describe('a process that was stopped while it led', () => {
  it('in the middle of an evaluation, tells nothing of it when it wakes', async () => {
    const fleet = fleetOf([alert.condition('always', () => true)]);
    let wake!: () => void;
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    const snapshot = async () => {
      await asleep;
      return {} as never;
    };
    const figures = { totals: { calls: 0 } } as never;
    const ada = fleet.join('ada', { snapshot: () => snapshot().then(() => figures) });
    const bob = fleet.join('bob', { snapshot: () => Promise.resolve(figures) });
    const stopped = ada.alerts.evaluate();
    while (fleet.state.claims.size === 0) await Promise.resolve();
    fleet.wait(CLAIM);
    await bob.alerts.evaluate();
    expect(bob.types()).toEqual(['firing']);
    wake();
    await stopped;
    expect(ada.types()).toEqual([]);
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual([]);
    expect(await ada.page()).toMatchObject({ firing: [{ rule: 'always' }] });
    await bob.alerts.evaluate();
    expect(bob.types()).toEqual(['firing']);
  });

  it.each([
    ['for longer than its claim lasts', CLAIM, ['firing'], []],
    ['for less', CLAIM - SECOND, [], ['firing']],
  ] as const)('before it has heard of it, %s', async (_, ms, byBob, byAda) => {
    const fleet = fleetOf([errors]);
    fail(fleet);
    const { notes } = fleet;
    const slow = {
      ...notes,
      async claim(...args: Parameters<typeof notes.claim>) {
        const claimed = await notes.claim(...args);
        fleet.wait(ms);
        return claimed;
      },
    };
    const ada = fleet.join('ada', { notes: slow });
    const [bob] = fleet.start('bob');
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual(byAda);
    await bob!.alerts.evaluate();
    expect(bob!.types()).toEqual(byBob);
  });

  it('while somebody set the wall clock back, is told so by the one that never jumps', async () => {
    const fleet = fleetOf([alert.condition('always', () => true)]);
    const figures = { totals: { calls: 0 } } as never;
    const wall = fleet.now();
    const ada = fleet.join('ada', {
      now: () => wall,
      snapshot() {
        fleet.wait(CLAIM);
        return Promise.resolve(figures);
      },
    });
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual([]);
  });

  it('with the whole machine asleep, is told so by the wall clock', async () => {
    const fleet = fleetOf([alert.condition('always', () => true)]);
    const figures = { totals: { calls: 0 } } as never;
    const frozen = { passed: 0 };
    const ada = fleet.join('ada', {
      monotonic: () => frozen.passed,
      snapshot() {
        fleet.wait(CLAIM);
        return Promise.resolve(figures);
      },
    });
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual([]);
  });
});

describe('a message whose state could not be saved', () => {
  it('is sent again by the next process that leads: at least once, not at most', async () => {
    const fleet = fleetOf([errors]);
    fail(fleet);
    const ada = fleet.join('ada', {
      notes: { ...fleet.notes, putNote: () => Promise.reject(new Error('killed')) },
    });
    const [bob] = fleet.start('bob');
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual(['firing']);
    expect(ada.health.report().faults).toMatchObject({ 'alerts.notes': { count: 1 } });
    fleet.wait(CLAIM);
    await bob!.alerts.evaluate();
    expect(bob!.types()).toEqual(['firing']);
  });
});
