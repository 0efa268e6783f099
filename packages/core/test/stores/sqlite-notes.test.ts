/** Claims and notes in the file: their bounds. What they do is in the contract of stores. */
import { handClock } from './hand-clock.js';
import { cleanUp, drivers, freshFile, inside, storeAt } from './sqlite-fixture.js';

afterAll(cleanUp);

const MB = 1024 * 1024;

describe.each(drivers)('over %s', (driver) => {
  it('a note takes a megabyte, whatever is in it, and refuses more in words', async () => {
    const { notes, file } = storeAt(freshFile(), { driver });
    const text = `"\\\0\ud800${'x'.repeat(MB - 6)}`;
    await notes.putNote('state', text);
    expect(await notes.note('state')).toBe(text);
    const error = await notes.putNote('state', 'é'.repeat(MB)).catch((each: unknown) => each);
    expect(error).toMatchObject({
      name: 'SqliteStoreError',
      message:
        `[claude-metrics] sqliteStore: ${file}: a note of 2097152 bytes; ` +
        'at most 1048576 are kept. Shorten it.',
    });
    expect(await notes.note('state')).toBe(text);
  });

  it('1,000 notes are kept; for one more the one goes that was put longest ago', async () => {
    const { notes } = storeAt(freshFile(), { driver });
    for (let i = 0; i < 1_000; i += 1) await notes.putNote(`note ${i}`, 'old');
    await notes.putNote('note 0', 'new');
    await notes.putNote('one more', 'x');
    await notes.putNote('and another', 'x');
    const names = ['one more', 'and another', 'note 0', 'note 1', 'note 2', 'note 3', 'note 999'];
    const kept = await Promise.all(names.map((name) => notes.note(name)));
    expect(kept).toEqual(['x', 'x', 'new', null, null, 'old', 'old']);
  });

  it('claims that are over leave nothing in the file', async () => {
    const clock = handClock();
    const { notes, budgets, file } = storeAt(freshFile(), { driver, clock });
    const claims = () =>
      inside(driver, file, (db) => db.all<{ name: string }>('SELECT name FROM claims')).map(
        ({ name }) => name,
      );
    await notes.claim('short', 'ada', 1_000);
    await notes.claim('let go', 'ada', 1_000);
    expect(await notes.claim('let go', 'bob', 0)).toBe(false);
    await notes.claim('let go', 'ada', 0);
    expect(claims()).toEqual(['"short"']);
    await budgets.accounts({ budget: 'team', from: 0, limit: 1 });
    clock.pass(60_000);
    await notes.claim('long', 'ada', 1_000);
    await budgets.accounts({ budget: 'team', from: 0, limit: 1 });
    expect(claims()).toEqual(['"long"']);
  });
});
