/** Whose call it is may be known later than the call is made; budgets wait for it, but not for ever. */
import { BudgetExceededError } from '../../src/budget-error.js';
import { SDKS } from '../capture/sdk.js';
import { ASK, errorOf, onStage } from './capture-stage.js';

const BUDGETS = { budgets: [{ usd: 0.05, per: 'day', of: 'user' }] } as const;
const later = (name: string | null) =>
  new Promise<string | null>((resolve) => void setImmediate(() => resolve(name)));

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it('counts a call on the user that its context has promised', async () => {
    await onStage(Anthropic, BUDGETS, async ({ monitor, client, money, simulator, records }) => {
      const ask = () => client.messages.create(ASK);
      await monitor.withContext({ userId: () => later('ada') }, ask);
      expect(await money('user-day', 'ada')).toMatchObject({ spentUsd: 0.05 });
      const refused = await errorOf(() => monitor.withContext({ userId: () => later('ada') }, ask));
      expect(refused).toBeInstanceOf(BudgetExceededError);
      expect(refused).toMatchObject({ scope: 'ada' });
      await monitor.withContext({ userId: () => later('bob') }, ask);
      expect(simulator.requests).toHaveLength(2);
      expect(records.map(({ userId }) => userId)).toEqual(['ada', 'ada', 'bob']);
    });
  });

  it('asks for it before it says what can be spent', async () => {
    await onStage(Anthropic, BUDGETS, async ({ monitor, client }) => {
      await monitor.withContext({ userId: 'ada' }, () => client.messages.create(ASK));
      const decision = await monitor.withContext({ userId: () => later('ada') }, () =>
        monitor.canSpend(ASK),
      );
      expect(decision).toMatchObject({ verdict: 'block', budget: { scope: 'ada' } });
    });
  });

  it('makes a call nobody’s whose name does not come in a second, and says so', async () => {
    await onStage(Anthropic, BUDGETS, async ({ monitor, client, money, health }) => {
      const never = new Promise(() => {});
      await monitor.withContext({ userId: () => never }, () => client.messages.create(ASK));
      expect(await money('user-day', '(unattributed)')).toMatchObject({ spentUsd: 0.05 });
      expect(health().dropped).toMatchObject({ 'budgets.lateName': 1 });
    });
  });

  it('makes a call nobody’s whose name cannot be found out', async () => {
    const faults = { ...BUDGETS, faults: ['context.userId'] };
    await onStage(Anthropic, faults, async ({ monitor, client, money }) => {
      const fails = () => Promise.reject(new Error('no session'));
      await monitor.withContext({ userId: fails }, () => client.messages.create(ASK));
      expect(await money('user-day', '(unattributed)')).toMatchObject({ spentUsd: 0.05 });
    });
  });
});
