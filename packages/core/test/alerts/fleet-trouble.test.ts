/** When the store that a fleet shares does not answer, or says what it should not. */
import { alert } from '../../src/alerts/rules.js';
import { stateOf } from '../../src/alerts/state.js';
import { MINUTE } from '../state-fixture.js';
import { SECOND } from './alert-fixture.js';
import { CLAIM, EVERY, fail, firingFleet, fleetOf } from './fleet-fixture.js';

const errors = alert.errorRateAbove(0.05, { window: '5m' });
const spend = alert.spendAbove(0.001, { window: '5m' });
const UNSEEN = 'not looked at by this process: the store that processes share does not answer';

describe('a store that does not answer', () => {
  it('leaves the leader leading until its claim has run out, and then nobody', async () => {
    const { fleet, ada, bob } = await firingFleet([errors, spend]);
    fleet.state.down = true;
    await fleet.pass(EVERY);
    expect((await ada.page()).failing).toEqual([]);
    expect((await bob.page()).failing).toEqual([
      { rule: errors.name, message: UNSEEN },
      { rule: spend.name, message: UNSEEN },
    ]);
    expect(bob.health.report().notices).toEqual([expect.stringContaining('does not look at')]);
    expect(bob.health.report().faults).toMatchObject({ 'alerts.notes': expect.anything() });
    await fleet.pass(CLAIM);
    for (const each of fleet.members) expect((await each.page()).failing).toHaveLength(2);
    expect(fleet.told()).toEqual(['firing']);
  });

  it('has every process look by itself after three claims, and none tell anew what was told', async () => {
    const { fleet, ada, bob, cyd, id } = await firingFleet([errors]);
    fleet.state.down = true;
    await fleet.pass(3 * CLAIM - EVERY, () => fail(fleet, 5));
    expect((await cyd.page()).failing).toHaveLength(1);
    await fleet.pass(2 * EVERY, () => fail(fleet, 5));
    for (const each of fleet.members) {
      expect(await each.page()).toMatchObject({ failing: [], firing: [{ id }] });
      expect(each.health.report().notices).toContainEqual(expect.stringContaining('by itself'));
    }
    expect(fleet.told()).toEqual(['firing']);
    await fleet.pass(10 * MINUTE);
    expect([ada, bob, cyd].map((each) => each.types())).toEqual([
      ['firing', 'resolved'],
      ['resolved'],
      ['resolved'],
    ]);
  });

  it('and comes back is no reason to tell anything again', async () => {
    const { fleet, ada, bob, cyd } = await firingFleet([errors]);
    fleet.state.down = true;
    // Every process tells by itself that it is over, and that there is something new.
    await fleet.pass(3 * CLAIM + 10 * MINUTE);
    await fleet.pass(HALF_HOUR, () => fail(fleet, 5));
    await fleet.pass(HALF_HOUR, () => fail(fleet, 5));
    const before = fleet.told();
    expect(ada.types()).toEqual(['firing', 'resolved', 'firing']);
    fleet.state.down = false;
    await fleet.pass(5 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(before);
    expect(await bob.page()).toEqual(await ada.page());
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toHaveLength(before.length + 1);
    expect([ada, bob, cyd].map((each) => each.types().at(-1))).toEqual([
      'resolved',
      'firing',
      'firing',
    ]);
  });

  it('and comes back does not bring back what every process has told the end of', async () => {
    const { fleet, bob } = await firingFleet([errors]);
    fleet.state.down = true;
    await fleet.pass(3 * CLAIM + 10 * MINUTE);
    expect(bob.types()).toEqual(['resolved']);
    const before = fleet.told();
    fleet.state.down = false;
    await fleet.pass(5 * MINUTE);
    expect(fleet.told()).toEqual(before);
    for (const each of fleet.members) expect((await each.page()).firing).toEqual([]);
  });

  it('that is away for a moment changes nothing', async () => {
    const { fleet, ada } = await firingFleet([errors]);
    for (let round = 0; round < 5; round += 1) {
      fleet.state.down = true;
      await fleet.pass(2 * EVERY, () => fail(fleet, 5));
      fleet.state.down = false;
      await fleet.pass(2 * EVERY, () => fail(fleet, 5));
    }
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toEqual(['firing', 'resolved']);
    expect(ada.types()).toEqual(fleet.told());
  });

  it('and hangs holds up no evaluation and no page', async () => {
    const fleet = fleetOf([errors]);
    const hang = () => new Promise<never>(() => {});
    const notes = { claim: hang, note: hang, putNote: hang };
    const ada = fleet.join('ada', { notes, everyMs: 20, claimMs: CLAIM });
    fail(fleet);
    await ada.alerts.evaluate();
    expect((await ada.page()).failing).toEqual([{ rule: errors.name, message: UNSEEN }]);
    fleet.wait(3 * CLAIM);
    await ada.alerts.evaluate();
    expect(ada.types()).toEqual(['firing']);
    await ada.alerts.close();
  });

  it('that was not there when the first process began is waited for as long', async () => {
    const fleet = fleetOf([errors]);
    fleet.state.down = true;
    fleet.start('ada', 'bob');
    await fleet.pass(3 * CLAIM - EVERY, () => fail(fleet));
    expect(fleet.told()).toEqual([]);
    fleet.state.down = false;
    await fleet.pass(EVERY, () => fail(fleet));
    expect(fleet.told()).toEqual(['firing']);
  });
});

const HALF_HOUR = 30 * MINUTE;

describe('a state that is none', () => {
  it.each([
    ['no JSON', '{"version":1,'],
    ['null', 'null'],
    ['another thing', '{"version":1,"entries":[{"rule":{}}]}'],
    ['nothing', ''],
  ])('(%s) is ignored, counted, and written anew', async (_, text) => {
    const { fleet, ada, bob } = await firingFleet([errors]);
    const { name } = fleet.text('state');
    fleet.state.texts.set(name, text);
    expect(await bob.page()).toMatchObject({ firing: [{ rule: errors.name }] });
    expect(bob.health.report().faults['alerts.state']).toMatchObject({
      lastMessage: `Error: the note ${name} is no state`,
    });
    fleet.kill(ada);
    await fleet.pass(CLAIM + EVERY, () => fail(fleet, 5));
    // What it had heard before still counts.
    expect(fleet.told()).toEqual([]);
    expect(stateOf(fleet.text('state').text)).toMatchObject({ revision: { by: 'bob' } });
  });

  it('and was removed with all the rest is written anew by who leads', async () => {
    const { fleet, bob } = await firingFleet([errors]);
    fleet.state.texts.clear();
    fleet.state.claims.clear();
    await fleet.pass(EVERY, () => fail(fleet, 5));
    expect(await bob.page()).toMatchObject({ firing: [{ rule: errors.name }] });
    await fleet.pass(10 * MINUTE);
    expect(fleet.told()).toEqual(['firing', 'resolved']);
  });

  it('and begins anew with another process is followed, also by who led before', async () => {
    const { fleet, ada } = await firingFleet([errors]);
    fleet.state.texts.clear();
    fleet.state.claims.clear();
    const dan = fleet.join('dan');
    await dan.alerts.evaluate();
    const { at } = dan.alerts.page();
    await ada.alerts.evaluate();
    fleet.wait(SECOND);
    expect(await ada.page()).toMatchObject({ at, firing: [{ firedAt: at }] });
  });

  it('knows nothing of rules, and leaves out those that are not here', async () => {
    const { fleet } = await firingFleet([errors]);
    const { name, text } = fleet.text('state');
    fleet.state.texts.set(name, text.replaceAll(errors.name, 'another rule'));
    const dan = fleet.join('dan');
    expect(await dan.page()).toMatchObject({ firing: [], pending: [] });
  });
});

describe('a state of a later release', () => {
  const later = (i: number) => JSON.stringify({ version: 2, entries: { of: 'a new kind', i } });

  it('is left to it, as long as somebody writes it', async () => {
    const fleet = fleetOf([errors]);
    const [ada] = fleet.start('ada');
    await fleet.pass(EVERY);
    const { name } = fleet.text('state');
    await ada!.alerts.close();
    fleet.kill(ada!);
    const [bob] = fleet.start('bob');
    let i = 0;
    await fleet.pass(10 * MINUTE, () => {
      fail(fleet, 5);
      fleet.state.texts.set(name, later((i += 1)));
    });
    expect(bob!.types()).toEqual([]);
    expect(fleet.text('state').text).toBe(later(i));
    expect(bob!.health.report().notices).toEqual([expect.stringContaining('A later release')]);
    // It does not keep the claim from the later release.
    expect(await fleet.notes.claim(name.replace('/state', ''), 'later', SECOND)).toBe(true);
    fleet.wait(SECOND);
    await fleet.pass(3 * CLAIM + EVERY, () => fail(fleet, 5));
    expect(bob!.types()).toEqual(['firing']);
    expect(stateOf(fleet.text('state').text)).toMatchObject({ revision: { by: 'bob' } });
  });
});
