/** Silences of an alert that another process tells of. */
import { alert } from '../../src/alerts/rules.js';
import { wishesIn, wishesWith, wishOf } from '../../src/alerts/wishes.js';
import { MINUTE } from '../state-fixture.js';
import { HOUR, times } from './alert-fixture.js';
import { CLAIM, EVERY, fail, firingFleet } from './fleet-fixture.js';

const errors = alert.errorRateAbove(0.05, { window: '5m', cooldown: '5m' });

describe('a silence in a process that follows', () => {
  it('is shown there at once, by the others when they are asked, and heeded by the leader', async () => {
    const { fleet, ada, bob, cyd, id } = await firingFleet([errors]);
    const until = fleet.now() + HOUR;
    expect(bob.alerts.silence(id, until)).toMatchObject({
      id,
      silencedUntil: new Date(until).toISOString(),
    });
    expect(bob.alerts.page()).toMatchObject({ firing: [], silenced: [{ id }] });
    for (const each of [bob, cyd, ada]) {
      expect(await each.page()).toMatchObject({ firing: [], silenced: [{ id }] });
    }
    await fleet.pass(30 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['firing']);
    expect(await cyd.page()).toMatchObject({ silenced: [{ id }] });
    await fleet.pass(31 * MINUTE, () => fail(fleet, 5));
    expect(ada.types().slice(0, 2)).toEqual(['firing', 'reminder']);
  });

  it('is heeded at the next evaluation, also when nobody asks for a page', async () => {
    const { fleet, bob, id } = await firingFleet([errors]);
    await fleet.pass(4 * MINUTE - EVERY, () => fail(fleet, 5));
    bob.alerts.silence(id, fleet.now() + HOUR);
    // The first one in which a reminder would be due.
    await fleet.pass(MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['firing']);
  });

  it('is ended in another one', async () => {
    const { fleet, bob, cyd, id } = await firingFleet([errors]);
    bob.alerts.silence(id, fleet.now() + HOUR);
    await fleet.pass(10 * MINUTE, () => fail(fleet, 5));
    expect(cyd.alerts.silence(id, null)).toMatchObject({ silencedUntil: null });
    await fleet.pass(2 * EVERY, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['firing', 'reminder']);
    expect(await bob.page()).toMatchObject({ firing: [{ id, silencedUntil: null }] });
    // It is not silenced anew by what stood in the note before.
    await fleet.pass(5 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual(['firing', 'reminder', 'reminder']);
  });

  it('outlives the process that leads', async () => {
    const { fleet, ada, bob, cyd, id } = await firingFleet([errors]);
    cyd.alerts.silence(id, fleet.now() + HOUR);
    await fleet.pass(EVERY, () => fail(fleet, 5));
    fleet.kill(ada);
    fleet.kill(cyd);
    await fleet.pass(30 * MINUTE, () => fail(fleet, 5));
    expect(bob.types()).toEqual([]);
    expect(await bob.page()).toMatchObject({ silenced: [{ id }] });
  });

  it('that another one wrote over at the same moment comes again', async () => {
    const { fleet, ada, bob, id } = await firingFleet([errors]);
    bob.alerts.silence(id, fleet.now() + HOUR);
    await bob.page();
    fleet.state.texts.set(fleet.text('silences').name, '[]');
    await fleet.pass(2 * EVERY, () => fail(fleet, 5));
    expect(await ada.page()).toMatchObject({ silenced: [{ id }] });
  });

  it('while the store is down comes later, and is counted as a fault meanwhile', async () => {
    const { fleet, ada, bob, id } = await firingFleet([errors]);
    fleet.state.down = true;
    expect(bob.alerts.silence(id, fleet.now() + HOUR)).toMatchObject({ id });
    expect(await bob.page()).toMatchObject({ silenced: [{ id }] });
    expect(bob.health.report().faults).toHaveProperty(['alerts.notes']);
    fleet.state.down = false;
    await fleet.pass(2 * EVERY, () => fail(fleet, 5));
    expect(await ada.page()).toMatchObject({ silenced: [{ id }] });
  });

  it('of an alert that it has not heard of is none', async () => {
    const { fleet, id } = await firingFleet([errors]);
    const dan = fleet.join('dan');
    expect(dan.alerts.silence(id, null)).toBeNull();
    await dan.page();
    expect(dan.alerts.silence(id, fleet.now() + HOUR)).toMatchObject({ id });
    expect(dan.alerts.silence('nobody', null)).toBeNull();
  });

  it('of which there are many takes a bounded room, here and in the note, and is counted', async () => {
    const { fleet, ada, bob, id } = await firingFleet([errors]);
    fleet.state.down = true;
    for (const i of times(150, (each) => each)) bob.alerts.silence(id, fleet.now() + HOUR + i);
    fleet.state.down = false;
    await bob.page();
    await bob.page();
    expect(wishesIn(fleet.text('silences').text)).toHaveLength(100);
    expect(bob.health.report().dropped).toEqual({ 'alerts.silences': 50 });
    const last = new Date(fleet.now() + HOUR + 149).toISOString();
    expect(await ada.page()).toMatchObject({ silenced: [{ silencedUntil: last }] });
    // What is granted makes room for others.
    await fleet.pass(EVERY);
    bob.alerts.silence(id, null);
    await bob.page();
    expect(wishesIn(fleet.text('silences').text)).toHaveLength(1);
  });
});

describe('a silence in the process that leads', () => {
  it('is shown by the others before the next evaluation, and kept by the next leader', async () => {
    const { fleet, ada, bob, id } = await firingFleet([errors]);
    ada.alerts.silence(id, fleet.now() + HOUR);
    await ada.page();
    expect(await bob.page()).toMatchObject({ silenced: [{ id }] });
    fleet.kill(ada);
    await fleet.pass(CLAIM + 10 * MINUTE, () => fail(fleet, 5));
    expect(fleet.told()).toEqual([]);
  });

  it('is its last word, although the note that others read was lost', async () => {
    const { fleet, ada, bob, cyd, id } = await firingFleet([errors]);
    const lose = () => fleet.state.texts.set(fleet.text('silences').name, '[]');
    bob.alerts.silence(id, fleet.now() + HOUR);
    await fleet.pass(EVERY, () => fail(fleet, 5));
    const { text } = fleet.text('silences');
    ada.alerts.silence(id, null);
    await ada.page();
    // What was granted before stands there again, and what came after does not.
    fleet.state.texts.set(fleet.text('silences').name, text);
    await fleet.pass(EVERY, () => fail(fleet, 5));
    expect(await ada.page()).toMatchObject({ firing: [{ id }], silenced: [] });

    fleet.state.down = true;
    ada.alerts.silence(id, fleet.now() + HOUR);
    await ada.page();
    fleet.state.down = false;
    await fleet.pass(EVERY, () => fail(fleet, 5));
    lose();
    cyd.alerts.silence(id, null);
    await fleet.pass(EVERY, () => fail(fleet, 5));
    // It leads no more, and has nothing to add to what it knows.
    fleet.state.claims.clear();
    await bob.alerts.evaluate();
    await fleet.pass(4 * EVERY, () => fail(fleet, 5));
    expect(await bob.page()).toMatchObject({ firing: [{ id }], silenced: [] });
  });
});

describe('wishes', () => {
  it.each([
    ['nothing', null],
    ['no JSON', '[{'],
    ['no list', '{"length":1}'],
    ['what is no wish', '[null,1,"x",[],{},{"name":1,"alert":"a","until":0}]'],
    ['a time that is none', '[{"name":"n","alert":"a","until":1e300}]'],
    ['names without end', JSON.stringify([{ name: 'n'.repeat(65), alert: 'a', until: 0 }])],
  ])('in %s are none', (_, text) => {
    expect(wishesIn(text)).toEqual([]);
  });

  it('are taken without what else stands there', () => {
    const text = '[{"name":"n","alert":"a","until":null,"more":{"__proto__":1}}]';
    expect(wishesIn(text)).toEqual([{ name: 'n', alert: 'a', until: null }]);
  });

  it('keep their order, come once, and go when they are granted', () => {
    const [a, b, c] = [wishOf('x', 1), wishOf('x', 2), wishOf('y', null)];
    expect(wishesWith([a, b], [b, c], new Set())).toEqual([a, b, c]);
    expect(wishesWith([a, b], [b, c], new Set([a.name, c.name]))).toEqual([b]);
  });
});
