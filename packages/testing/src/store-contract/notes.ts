import { expectGiven, expectThat, failureOf } from './expectation.js';
import { HOSTILE_NAMES, LOOKALIKES } from './hostile-names.js';
import { HOUR, SHORT, viewsOf } from './member.js';
import { MINUTE, type Cases } from './stage.js';
import type { ContractStore } from './subject.js';

/** What processes tell each other: who has a name, and small texts. */

const NAMES = [...new Set([...HOSTILE_NAMES, ...LOOKALIKES, 'n'.repeat(200)])];

export const noteCases: Cases = {
  async 'a name is claimed by one holder, who can renew it and let it go'(stage) {
    const opened = await stage.open();
    const [first, second] = await viewsOf(stage, opened, 2);
    expectGiven(await claim(first!, 'alerts', 'ada'), true, 'the first claim');
    expectGiven(await claim(second!, 'alerts', 'bob'), false, 'a claim of another');
    expectGiven(await claim(second!, 'alerts', 'ada'), true, 'a claim of the holder, again');
    expectGiven(await claim(second!, 'prices', 'bob'), true, 'a claim of another name');
    await claim(second!, 'alerts', 'bob', 0);
    expectGiven(await claim(second!, 'alerts', 'bob'), false, 'a claim, after letting go another');
    await claim(first!, 'alerts', 'ada', 0);
    expectGiven(await claim(second!, 'alerts', 'bob'), true, 'a claim, after it was let go');
    expectGiven(await claim(first!, 'alerts', 'ada'), false, 'a claim of who had it before');
  },

  async 'a claim ends with its time, and not before'(stage) {
    const opened = await stage.open();
    const [first, second] = await viewsOf(stage, opened, 2);
    await claim(first!, 'alerts', 'ada');
    for (let i = 0; i < 3; i += 1) {
      await opened.pass(50 * MINUTE);
      expectGiven(await claim(second!, 'alerts', 'bob'), false, 'a claim, 50 minutes later');
      expectGiven(await claim(first!, 'alerts', 'ada'), true, 'to renew it, 50 minutes later');
    }
    expectGiven(await claim(first!, 'alerts', 'ada', SHORT), true, 'to renew it for a moment');
    await opened.lapse(SHORT, () => claim(second!, 'alerts', 'bob'), 'a claim of another');
    expectGiven(await claim(first!, 'alerts', 'ada'), false, 'a claim of who had it before');
  },

  async 'of many who claim a name at once, one has it'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 4);
    for (let round = 0; round < 5; round += 1) {
      const claims = 'abcdefgh'.split('').map((holder, i) => {
        return claim(views[i % 4]!, `round ${round}`, holder);
      });
      const given = (await Promise.all(claims)).filter(Boolean).length;
      expectGiven(given, 1, 'holders, of 8 that have claimed a name at once');
    }
  },

  async 'a note is what was put last, and null removes it'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 2);
    const { note, putNote } = notesOf(views[0]!);
    const other = notesOf(views[1]!);
    expectGiven(await note('state'), null, 'a note that was never put');
    for (const text of ['{"a":1}', '', 'null', '{"a":1}', 'é'.repeat(100_000)]) {
      await putNote('state', text);
      expectGiven(await other.note('state'), text, 'a note that was put');
    }
    expectGiven(await note('State'), null, 'a note of another name');
    await other.putNote('state', null);
    await other.putNote('state', null);
    expectGiven(await note('state'), null, 'a note that was removed');
  },

  async 'any text is a note, the name of one, and of a claim and its holder'(stage) {
    const { store } = await stage.open();
    const { note, putNote } = notesOf(store);
    for (const name of NAMES) {
      await putNote(name, `${name}${name}`);
      expectGiven(await claim(store, name, name), true, 'the claim of a name by its own');
    }
    for (const [i, name] of NAMES.entries()) {
      expectGiven(await note(name), `${name}${name}`, 'a note of two times its name');
      expectGiven(await claim(store, name, name), true, 'a claim of the holder, again');
      const other = NAMES[(i + 1) % NAMES.length]!;
      expectGiven(await claim(store, name, other), false, 'a claim of another');
    }
  },
};

export const closedNoteCases: Cases = {
  async 'after closing, notes are neither given nor taken'(stage) {
    const { store } = await stage.open();
    const { note, putNote } = notesOf(store);
    await putNote('state', 'on');
    await store.close?.();
    const attempts = {
      note: () => note('state'),
      putNote: () => putNote('state', 'off'),
      claim: () => claim(store, 'alerts', 'ada'),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const failure = await failureOf(attempt);
      expectThat(failure !== null, `${name}() after close(): expected a rejection, it succeeded`);
    }
  },
};

export const durableNoteCases: Cases = {
  async 'notes and claims are there after closing and opening again'(stage) {
    const opened = await stage.open();
    const { putNote } = notesOf(opened.store);
    await putNote('state', 'on');
    await putNote('gone', 'on');
    await putNote('gone', null);
    await claim(opened.store, 'alerts', 'ada');
    await opened.store.close?.();
    const view = await opened.reopen();
    const { note } = notesOf(view);
    expectGiven([await note('state'), await note('gone')], ['on', null], 'notes');
    expectGiven(await claim(view, 'alerts', 'bob'), false, 'a claim of another');
    expectGiven(await claim(view, 'alerts', 'ada'), true, 'a claim of the holder');
  },
};

function notesOf({ notes }: ContractStore) {
  expectThat(notes !== undefined, 'expected that the store has notes');
  return {
    claim: async (...given: Parameters<typeof notes.claim>) => notes.claim(...given),
    note: async (name: string) => notes.note(name),
    putNote: async (name: string, text: string | null) => notes.putNote(name, text),
  };
}

async function claim(store: ContractStore, name: string, holder: string, forMs = HOUR) {
  return notesOf(store).claim(name, holder, forMs);
}
