import type { SimulatedRequest } from '@claude-metrics/testing';
import type { BudgetOptions } from '../../src/budgets/options.js';
import { BudgetExceededError } from '../../src/budget-error.js';
import { SDKS, type Client } from '../capture/sdk.js';
import {
  ASK,
  CHEAP,
  collect,
  DEAR,
  errorOf,
  onStage,
  soon,
  spends,
  STREAM,
} from './capture-stage.js';

/** What goes over the wire when a budget changes a call, and what stays as the application wrote it. */
const DOWNGRADE: BudgetOptions = {
  ...{ usd: 0.02, per: 'day' },
  ...{ action: 'downgrade', models: [CHEAP] },
};
const CLAMP: BudgetOptions = { usd: 0.02, per: 'day', action: 'downgrade' };

/** With everything that JSON makes of what JavaScript allows. */
const ODD = {
  model: DEAR,
  metadata: { user_id: 'ada' },
  max_tokens: 1_000,
  2: 'an index comes first',
  system: [{ type: 'text', text: 'Line\nbreak, "quotes", \u2028, \ud83d\ude00, \ud83d alone' }],
  messages: ASK.messages,
  temperature: -0,
  top_p: 1e-7,
  stop_sequences: ['</end>', '\u0000'],
  inference_geo: undefined,
  extra: { nested: [null, true, 0.1 + 0.2, { deep: '' }], __proto__: null, at: new Date(0) },
};

interface Form {
  readonly name: string;
  call(client: Client, body: object): PromiseLike<unknown>;
}

const FORMS: readonly Form[] = [
  { name: 'create()', call: (client, body) => client.messages.create(body as never) },
  {
    name: 'a stream',
    call: async (client, body) => {
      await collect((await client.messages.create({ ...body, stream: true } as never)) as never);
    },
  },
  {
    name: 'stream()',
    call: (client, body) => client.messages.stream(body as never).finalMessage(),
  },
  { name: 'beta', call: (client, body) => client.beta.messages.create(body as never) },
  {
    name: 'withResponse()',
    call: (client, body) => client.messages.create(body as never).withResponse(),
  },
  { name: 'a raw post()', call: (client, body) => client.post('/v1/messages', { body }) },
  {
    name: 'a body that is text',
    call: (client, body) =>
      client.post('/v1/messages', {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
  },
];

function modelsOf(requests: readonly SimulatedRequest[]): unknown[] {
  return requests.map(({ body }) => (body as { model: unknown }).model);
}

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  /** What is sent without any budget. */
  async function sentBare({ call }: Form): Promise<string> {
    let sent = '';
    await onStage(Anthropic, {}, async ({ client, simulator }) => {
      await call(client, ODD);
      sent = simulator.requests[0]!.rawBody;
    });
    return sent;
  }

  describe.each(FORMS)('$name', (form) => {
    it('is sent with another model and not a byte else changed, on every attempt', async () => {
      const bare = await sentBare(form);
      const before = structuredClone(ODD);
      await onStage(Anthropic, { budgets: [DOWNGRADE] }, async (stage) => {
        const { client, simulator, records } = stage;
        simulator.enqueue(soon({ status: 529 }), soon({ status: 500 }), spends(600));
        await form.call(client, ODD);

        expect(simulator.requests).toHaveLength(3);
        for (const { rawBody, headers } of simulator.requests) {
          expect(rawBody).toBe(bare.replace(`"${DEAR}"`, `"${CHEAP}"`));
          expect(Number(headers['content-length'])).toBe(Buffer.byteLength(rawBody));
        }
        expect(ODD).toEqual(before);
        expect(records).toHaveLength(1);
        expect(records[0]).toMatchObject({
          model: DEAR,
          servedModel: CHEAP,
          attempts: [{ status: 529 }, { status: 500 }, { status: 200 }],
          cost: { usd: 0.006 },
          priceStatus: 'priced',
          budget: {
            verdict: 'downgrade',
            reason: 'limit',
            budget: 'all-day',
            heldNanoUsd: 10_000_000,
            sentModel: CHEAP,
            sentMaxTokens: null,
          },
        });
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.006, overrunUsd: 0 });
      });
    });

    it('is sent with fewer tokens and not a byte else changed, on every attempt', async () => {
      const bare = await sentBare(form);
      await onStage(Anthropic, { budgets: [CLAMP] }, async (stage) => {
        const { client, simulator, records } = stage;
        simulator.enqueue(soon({ status: 429 }), spends(400));
        await form.call(client, ODD);

        for (const { rawBody } of simulator.requests) {
          expect(rawBody).toBe(bare.replace('"max_tokens":1000', '"max_tokens":400'));
        }
        expect(simulator.requests).toHaveLength(2);
        expect(ODD.max_tokens).toBe(1_000);
        expect(records[0]).toMatchObject({
          model: DEAR,
          budget: {
            verdict: 'clamp',
            heldNanoUsd: 20_000_000,
            sentModel: null,
            sentMaxTokens: 400,
          },
        });
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.02, overrunUsd: 0 });
      });
    });
  });

  it('prices what was lost in the middle by the model that was sent', async () => {
    await onStage(Anthropic, { budgets: [DOWNGRADE] }, async (stage) => {
      const cut = { content: 'x'.repeat(400), ending: 'truncated', endAfterEvents: 8 } as const;
      stage.simulator.enqueue({ ...cut, usage: { input_tokens: 10 } });
      await collect(await stage.client.messages.create(STREAM));
      const [record] = stage.records;
      expect(record).toMatchObject({ outcome: 'truncated', priceStatus: 'estimated' });
      expect(record?.cost?.lines).toMatchObject([
        { class: 'uncachedInput', model: CHEAP },
        { class: 'output', model: CHEAP, quantity: 25 },
      ]);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.00025, heldUsd: 0 });
    });
  });

  it('charges the model that answered, if it is yet another one', async () => {
    await onStage(Anthropic, { budgets: [DOWNGRADE] }, async (stage) => {
      stage.simulator.enqueue(spends(1_000, { model: DEAR }));
      await stage.client.messages.create(ASK);
      expect(stage.records[0]).toMatchObject({ servedModel: DEAR, cost: { usd: 0.05 } });
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.05, overrunUsd: 0.04 });
      expect(stage.events.map(({ type }) => type)).toContain('overrun');
    });
  });

  it('changes each turn of a tool runner on its own, and no turn before it has to', async () => {
    const tool = {
      name: 'weather',
      description: 'The weather of a city.',
      input_schema: { type: 'object' as const, properties: {} },
      run: () => 'Rain.',
      parse: (input: unknown) => input,
    };
    const turn = {
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }],
      stopReason: 'tool_use',
    };
    const budgets: BudgetOptions[] = [{ ...DOWNGRADE, usd: 0.1 }];
    await onStage(Anthropic, { budgets }, async (stage) => {
      stage.simulator.enqueue(spends(1_000, turn), spends(900, turn), spends(500));
      const params = { ...ASK, tools: [tool as never] };
      const runner = stage.client.beta.messages.toolRunner({ ...params, thread: false } as never);
      await (runner as PromiseLike<unknown>);
      // $0.1: the first and the second hold 5 cents each; 0.5 cents are left for the third.
      expect(modelsOf(stage.simulator.requests)).toEqual([DEAR, DEAR, CHEAP]);
      expect(stage.records.map(({ budget }) => budget?.verdict)).toEqual([
        'allow',
        'warn',
        'downgrade',
      ]);
      expect(stage.records[2]?.budget?.sentMaxTokens).toBe(500);
      expect(params.model).toBe(DEAR);
      const { spentUsd, overrunUsd } = await stage.money('all-day');
      expect(spentUsd).toBeCloseTo(0.1, 9);
      expect(overrunUsd).toBe(0);
    });
  });

  it('stops a tool runner where nothing is left', async () => {
    const tool = {
      name: 'weather',
      input_schema: { type: 'object' },
      run: () => 'Rain.',
      parse: (i: unknown) => i,
    };
    const turn = {
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }],
      stopReason: 'tool_use',
    };
    await onStage(Anthropic, { budgets: [{ usd: 0.1, per: 'day' }] }, async (stage) => {
      stage.simulator.respond(spends(1_000, turn));
      const runner = stage.client.beta.messages.toolRunner({
        ...ASK,
        tools: [tool],
        thread: false,
      } as never);
      expect(await errorOf(() => runner as PromiseLike<unknown>)).toBeInstanceOf(
        BudgetExceededError,
      );
      expect(stage.simulator.requests).toHaveLength(2);
      expect(stage.records.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'blocked']);
    });
  });

  it('blocks what would be cut below the least that is of use', async () => {
    const budgets: BudgetOptions[] = [{ ...CLAMP, minTokens: 500 }];
    await onStage(Anthropic, { budgets }, async ({ client, simulator }) => {
      expect(await errorOf(() => client.messages.create(ASK))).toBeInstanceOf(BudgetExceededError);
      expect(simulator.requests).toHaveLength(0);
    });
  });

  it.each([
    ['a Blob', new Blob([JSON.stringify(ASK)])],
    ['bytes', Buffer.from(JSON.stringify(ASK))],
  ])('leaves a body that is %s as it is, and charges what it costs', async (_name, body) => {
    const budgets: BudgetOptions[] = [{ ...DOWNGRADE, usd: 2 }];
    const faults = ['budgets.rewrite'];
    await onStage(Anthropic, { budgets, faults }, async (stage) => {
      const headers = { 'content-type': 'application/json' };
      await stage.client.post('/v1/messages', { body, headers });
      expect(stage.simulator.requests[0]?.body).toEqual(ASK);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.05 });
    });
  });
});
