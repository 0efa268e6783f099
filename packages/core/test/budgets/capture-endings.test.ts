import type { Answer } from '@claude-metrics/testing';
import { BudgetExceededError } from '../../src/budget-error.js';
import { SDKS, type Client } from '../capture/sdk.js';
import {
  ASK,
  collect,
  errorOf,
  HOUR,
  MINUTE,
  onStage,
  spends,
  STREAM,
  turns,
  WHOLE,
  type Stage,
} from './capture-stage.js';

/** However a call ends, nothing stays held, and what it may have cost is charged. */
const DAY = [{ usd: 1, per: 'day' }] as const;
const LONG: Answer = { content: 'word '.repeat(400), chunkText: 5, usage: { input_tokens: 10 } };
const STALLED: Answer = { ...LONG, ending: 'hang', endAfterEvents: 8 };
const HANG: Answer = { ending: 'hang', beforeHeaders: true };

interface Ending {
  readonly name: string;
  readonly script: readonly Answer[];
  run(client: Client, stage: Stage): PromiseLike<unknown>;
  readonly outcome: string;
  /** USD; `null`: some tokens, as far as they were read. */
  readonly spent: number | null;
  readonly uncertain?: number;
}

const stop = (run: (signal: AbortSignal, abort: () => void) => PromiseLike<unknown>) => {
  const controller = new AbortController();
  return run(controller.signal, () => controller.abort());
};

const ENDINGS: readonly Ending[] = [
  {
    name: 'an abort before the headers',
    script: [HANG],
    run: (client, { simulator }) =>
      stop(async (signal, abort) => {
        const call = client.messages.create(ASK, { signal });
        call.catch(() => {});
        while (simulator.requests.length === 0) await turns(1);
        abort();
        await errorOf(() => call);
      }),
    outcome: 'aborted',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'an abort in the middle of a stream',
    script: [STALLED],
    run: (client) =>
      stop(async (signal, abort) => {
        for await (const event of await client.messages.create(STREAM, { signal })) {
          if (event.type === 'content_block_delta') abort();
        }
      }),
    outcome: 'aborted',
    spent: null,
  },
  {
    name: 'a break',
    script: [STALLED],
    run: async (client) => {
      for await (const event of await client.messages.create(STREAM)) {
        if (event.type === 'content_block_delta') break;
      }
    },
    outcome: 'cancelled',
    spent: null,
  },
  {
    name: "the helper's abort()",
    script: [STALLED],
    run: (client) => {
      const stream = client.messages.stream(ASK);
      stream.on('text', () => stream.abort());
      return errorOf(() => stream.finalMessage());
    },
    outcome: 'aborted',
    spent: null,
  },
  {
    name: 'an error event in the middle',
    script: [{ ...LONG, ending: 'error', endAfterEvents: 8, error: { type: 'overloaded_error' } }],
    run: (client) => errorOf(async () => collect(await client.messages.create(STREAM))),
    outcome: 'error',
    spent: null,
  },
  {
    name: 'a stream without its last events',
    script: [{ ...LONG, ending: 'truncated', endAfterEvents: 8 }],
    run: async (client) => collect(await client.messages.create(STREAM)),
    outcome: 'truncated',
    spent: null,
  },
  {
    name: 'a connection that is reset in the middle',
    script: [{ ...LONG, ending: 'reset', endAfterEvents: 8, timing: { betweenMs: 2 } }],
    run: (client) => errorOf(async () => collect(await client.messages.create(STREAM))),
    outcome: 'error',
    spent: null,
  },
  {
    name: 'a stream that ends before its first event',
    script: [{ ...LONG, ending: 'truncated', endAfterEvents: 0 }],
    run: async (client) => collect(await client.messages.create(STREAM)),
    outcome: 'truncated',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'a body that is cut',
    script: [{ ending: 'truncated' }],
    run: (client) => errorOf(() => client.messages.create(ASK)),
    outcome: 'error',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'a body that is no JSON',
    script: [{ body: '{"id": "msg_1", "usage": ' }],
    run: (client) => errorOf(() => client.messages.create(ASK)),
    outcome: 'error',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'an answer without usage',
    script: [{ body: '{"id": "msg_1", "type": "message", "content": []}' }],
    run: (client) => client.messages.create(ASK),
    outcome: 'ok',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'a body that is cancelled unread',
    script: [STALLED],
    run: async (client) => {
      const response = await client.messages.create(STREAM).asResponse();
      await response.body!.cancel();
    },
    outcome: 'cancelled',
    spent: 0.05,
    uncertain: 0.05,
  },
  {
    name: 'a refusal before any output',
    script: [{ content: [], stopReason: 'refusal' }],
    run: (client) => client.messages.create(ASK),
    outcome: 'refused',
    spent: 0,
  },
  {
    name: 'a request that is not valid',
    script: [{ status: 400 }],
    run: (client) => errorOf(() => client.messages.create(ASK)),
    outcome: 'error',
    spent: 0,
  },
  {
    name: 'a complete answer',
    script: [WHOLE],
    run: (client) => client.messages.create(ASK),
    outcome: 'ok',
    spent: 0.05,
  },
];

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it.each(ENDINGS)('$name leaves nothing held', async ({ script, run, ...expected }) => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      stage.simulator.enqueue(...script);
      await run(stage.client, stage);
      await stage.quiet();

      expect(stage.records.map(({ outcome }) => outcome)).toEqual([expected.outcome]);
      const money = await stage.money('all-day');
      expect(money).toMatchObject({
        heldUsd: 0,
        uncertainUsd: expected.uncertain ?? 0,
        overrunUsd: 0,
        unpricedCalls: 0,
      });
      // Where it depends on how much was heard, it is what the record says, and not nothing.
      const heard = stage.records[0]?.cost?.usd ?? 0;
      expect(money.spentUsd).toBe(expected.spent ?? heard);
      expect(expected.spent !== null || (heard > 0 && heard < 0.01)).toBe(true);
    });
  });

  it('a stream that nobody reads holds until it is given up, and is charged in full', async () => {
    const options = { budgets: DAY, abandonAfterMs: 10 * MINUTE };
    await onStage(Anthropic, options, async (stage) => {
      stage.simulator.enqueue(STALLED);
      const stream = await stage.client.messages.create(STREAM);
      expect(await stage.held()).toBe(0.05);
      await stage.pass(10 * MINUTE);
      await stage.pass(10 * MINUTE);
      expect(stage.records.map(({ outcome }) => outcome)).toEqual(['abandoned']);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.05, uncertainUsd: 0.05 });
      expect(await stage.held()).toBe(0);
      stream.controller.abort();
    });
  });

  it('a call that never gets an answer lets go of its hold when no answer can come', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.06, per: 'day' }] }, async (stage) => {
      const { client, simulator } = stage;
      simulator.enqueue(HANG);
      const controller = new AbortController();
      const { signal } = controller;
      // Three attempts of 10 minutes, and a minute.
      const call = client.messages.create(ASK, { signal, timeout: 10 * MINUTE, maxRetries: 2 });
      call.catch(() => {});
      while (simulator.requests.length === 0) await turns(1);
      await stage.pass(31 * MINUTE - 1);
      expect(await stage.held()).toBe(0.05);
      expect(await errorOf(() => client.messages.create(ASK))).toBeInstanceOf(BudgetExceededError);
      await stage.pass(1);
      expect(await stage.held()).toBe(0);
      expect(stage.health().dropped).toEqual({ 'budget.expiredHolds': 1 });

      controller.abort();
      await errorOf(() => call);
      // It was spent, as far as anybody knows; so it is posted, and told.
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.05,
        heldUsd: 0,
        uncertainUsd: 0.05,
        overrunUsd: 0.05,
      });
      expect(stage.events.filter(({ type }) => type === 'overrun')).toHaveLength(1);
      expect(stage.notices.some((text) => text.includes('charged more than had been held'))).toBe(
        true,
      );
    });
  });

  it('an answer after its hold has expired is charged what it cost, and told', async () => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      stage.simulator.enqueue({ ...spends(300), timing: { headersMs: 50 } });
      const call = stage.client.messages.create(ASK, { timeout: 5_000 });
      while (stage.simulator.requests.length === 0) await turns(1);
      await stage.pass(HOUR);
      expect(await stage.held()).toBe(0);
      await call;
      expect(await stage.money('all-day')).toEqual({
        spentUsd: 0.015,
        heldUsd: 0,
        uncertainUsd: 0,
        overrunUsd: 0.015,
        unpricedCalls: 0,
      });
      expect(stage.events).toMatchObject([{ type: 'overrun', spentUsd: 0.015, budget: 'all-day' }]);
    });
  });

  it('a stream that is read slowly keeps its hold for as long as it is read', async () => {
    const options = { budgets: DAY, abandonAfterMs: 12 * HOUR };
    await onStage(Anthropic, options, async (stage) => {
      stage.simulator.enqueue(spends(900, { content: 'word '.repeat(40), chunkText: 5 }));
      const request = { timeout: 10 * MINUTE, maxRetries: 0 };
      let read = 0;
      for await (const _ of await stage.client.messages.create(STREAM, request)) {
        read += 1;
        if (read % 10 !== 0) continue;
        await stage.pass(12 * MINUTE);
        expect(await stage.held()).toBe(0.05);
      }
      expect(read).toBeGreaterThan(40);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.045, overrunUsd: 0 });
    });
  });

  it('a monitor that is closed lets go of every hold, and charges what may have been spent', async () => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      stage.simulator.enqueue(HANG, STALLED, WHOLE);
      const controller = new AbortController();
      const { signal } = controller;
      const hung = stage.client.messages.create(ASK, { signal });
      hung.catch(() => {});
      while (stage.simulator.requests.length === 0) await turns(1);
      const stream = await stage.client.messages.create(STREAM, { signal });
      expect(await stage.held()).toBe(0.1);
      await stage.monitor.close();
      expect(await stage.held()).toBe(0);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1, uncertainUsd: 0.1 });
      // Later calls pass unrecorded, and nothing is held for them.
      await stage.client.messages.create(ASK);
      expect(stage.records).toHaveLength(2);
      expect(await stage.held()).toBe(0);
      controller.abort();
      stream.controller.abort();
      await errorOf(() => hung);
    });
  });
});
