import { openCalls, numbers } from './calls.js';
import { expectGiven, expectThat } from './expectation.js';
import { HOSTILE_NAMES } from './hostile-names.js';
import { recordOf } from './records.js';
import { calling, type Cases } from './stage.js';
import type { ContractRecord, ContractStore } from './subject.js';

/** Finding the call of an answer by the id of its message, for feedback that comes days later. */

export const findingCases: Cases = {
  async 'finds the call of a message, equal to what was added and frozen, and no other'(stage) {
    const opened = await openCalls(stage, 100);
    expectGiven(await find(opened.store, 'msg_1'), null, 'a call of a store without calls');
    const records = numbers(0, 40);
    await opened.add(records);
    for (const i of [0, 7, 39]) {
      const found = await find(opened.store, `msg_${i}`);
      expectGiven(found, records[i], `the call of msg_${i}`);
      expectThat(Object.isFrozen(found), `the call of msg_${i}: expected it to be frozen`);
    }
    for (const id of [
      'msg_40',
      'msg_',
      '',
      'call-7',
      'req_7',
      'MSG_7',
      'msg_7 ',
      '%',
      'msg__',
      '*',
    ]) {
      expectGiven(await find(opened.store, id), null, `the call of ${JSON.stringify(id)}`);
    }
  },

  async 'finds calls by hostile ids, each by its own'(stage) {
    const opened = await openCalls(stage, 1_000);
    const records = HOSTILE_NAMES.map((messageId, i) => recordOf(i, { messageId }));
    for (const record of records) await opened.add([record]);
    for (const [i, messageId] of HOSTILE_NAMES.entries()) {
      const what = `the call of ${JSON.stringify(messageId)}`;
      expectGiven((await find(opened.store, messageId))?.id, records[i]!.id, what);
    }
  },

  async 'finds the last call of a message that several have, and none without one'(stage) {
    const opened = await openCalls(stage, 100);
    const nothing = numbers(0, 3, () => ({ messageId: null }));
    await opened.add([...nothing, recordOf(3, { messageId: 'twice' }), recordOf(4)]);
    await opened.add([recordOf(5, { messageId: 'twice' }), recordOf(6)]);
    expectGiven((await find(opened.store, 'twice'))?.id, 'call-5', 'the call of a message of two');
    expectGiven(await find(opened.store, 'null'), null, 'the call of "null"');
  },
};

export const boundedFindingCases: Cases = {
  async 'finds only calls that are kept'(stage) {
    const opened = await openCalls(stage, 20);
    const twice = recordOf(0, { messageId: 'msg_90' });
    await opened.add([twice, ...numbers(1, 50)]);
    await opened.add(numbers(50, 97));
    for (const i of [0, 1, 50, 76]) {
      expectGiven(await find(opened.store, `msg_${i}`), null, `call ${i}, which had to make room`);
    }
    for (const i of [77, 90, 96]) {
      const found = await find(opened.store, `msg_${i}`);
      expectGiven(found?.id, `call-${i}`, `call ${i}, which is among the last 20`);
    }
  },
};

export const durableFindingCases: Cases = {
  async 'after opening again the call of a message is found'(stage) {
    const opened = await stage.open({ maxCalls: 100 });
    await calling(opened.store).addCalls(numbers(0, 14));
    await opened.store.close?.();
    const view = await opened.reopen();
    expectGiven((await find(view, 'msg_9'))?.id, 'call-9', 'the call of msg_9 after opening again');
  },
};

export const sharedFindingCases: Cases = {
  async 'a call that one view added is found by the others'(stage) {
    const opened = await stage.open({ maxCalls: 100 });
    const other = calling(await opened.reopen());
    await other.addCalls(numbers(0, 5));
    // What waits in a view is there once it is asked.
    await other.calls({});
    expectGiven((await find(opened.store, 'msg_3'))?.id, 'call-3', 'a call of another view');
  },
};

export const forgettingFindingCases: Cases = {
  async 'the call of a forgotten user is found without the user'(stage) {
    const opened = await openCalls(stage, 100);
    await opened.add([recordOf(0, { userId: 'canary-77' }), recordOf(1)]);
    await opened.store.forgetUser?.('canary-77');
    const found = await find(opened.store, 'msg_0');
    expectGiven(found?.id, 'call-0', 'the call of a user who was forgotten');
    const hasName = JSON.stringify(found).includes('canary-77');
    expectThat(!hasName, 'the call of a user who was forgotten: expected no trace of the user');
  },
};

async function find(store: ContractStore, messageId: string): Promise<ContractRecord | null> {
  expectThat(store.findCall !== undefined, 'expected a method findCall');
  return (await store.findCall?.(messageId)) ?? null;
}
