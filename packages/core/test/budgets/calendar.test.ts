/** A calendar that takes its time to load, cannot be loaded, or does not know a zone. */
import type { BudgetOptions } from '../../src/budgets/options.js';
import { asked, ended, held, moneyOf, NANO, type Engine } from './engine.js';

type Module = typeof import('./engine.js');
const process = globalThis as { Temporal?: unknown };
const native = Object.getOwnPropertyDescriptor(globalThis, 'Temporal');
const POLYFILL = 'temporal-polyfill';

/** An engine in a process that has to load its calendar, and gets this one. */
async function engineWith(
  polyfill: () => unknown,
  budgets: readonly BudgetOptions[],
  meanwhile: (engine: Engine) => void = () => {},
): Promise<Engine> {
  let engine: Engine | undefined;
  await jest.isolateModulesAsync(async () => {
    jest.doMock(POLYFILL, polyfill);
    engine = jest.requireActual<Module>('./engine.js').engineOf(...budgets);
    meanwhile(engine);
    await engine.budgets.ready;
  });
  return engine!;
}

const real = () => jest.requireActual<object>(POLYFILL);

beforeEach(() => {
  delete process.Temporal;
});

afterEach(() => {
  jest.dontMock(POLYFILL);
  if (native) Object.defineProperty(globalThis, 'Temporal', native);
});

const day = { usd: 1, per: 'day' } as const;

describe('a calendar that is loaded', () => {
  it('is waited for, once', async () => {
    const { budgets } = await engineWith(real, [day], (loading) => {
      expect(loading.budgets.active).toBe(true);
      expect(loading.budgets.ready).toBeInstanceOf(Promise);
    });
    expect(budgets.ready).toBeNull();
    held(budgets.admit(asked()));
  });

  it('is not loaded for budgets that need none', async () => {
    await engineWith(real, [{ usd: 1, per: 'call' }], ({ budgets }) => {
      expect(budgets.ready).toBeNull();
      held(budgets.admit(asked()));
    });
  });

  it('loses nothing of what was spent in the meantime', async () => {
    const engine = await engineWith(real, [day], ({ budgets }) => {
      budgets.charge(ended.priced(3));
      budgets.settleResult('batch-1', ended.priced(4));
    });
    expect(moneyOf(engine, 'all-day').spent).toBe(7);
    engine.budgets.charge(ended.priced(5));
    expect(moneyOf(engine, 'all-day').spent).toBe(12);
  });
});

describe.each<[string, () => unknown]>([
  [
    'cannot be loaded',
    () => {
      throw new Error('not installed');
    },
  ],
  ['does not know a zone', () => ({ ...real(), Temporal: withoutZones() })],
])('a calendar that %s', (_, polyfill) => {
  it('refuses what is under a limit, and says so', async () => {
    const { budgets, health } = await engineWith(polyfill, [
      { ...day, action: 'warn', name: 'warn' },
      day,
    ]);
    const answer = budgets.admit(asked());
    expect(answer?.error).toMatchObject({
      ...{ reason: 'unavailable', budget: 'all-day', status: 503, retryAfterSeconds: null },
      message: 'The budget "all-day" cannot be checked at the moment.',
    });
    expect(answer?.budget).toMatchObject({ verdict: 'block', reason: 'unavailable' });
    expect(budgets.canSpend(asked())).toMatchObject({ verdict: 'block', reason: 'unavailable' });
    expect(health.report().faults['budgets.calendar']?.count).toBe(1);
    expect(budgets.reports()).toEqual([]);
    expect(() => budgets.adjust({ budget: 'all-day', usd: 1, reason: 'x' })).toThrow(TypeError);
    budgets.charge(ended.priced(NANO));
    budgets.sweep();
  });

  it('leaves no budget half open', async () => {
    const { budgets } = await engineWith(polyfill, [{ usd: 1, per: 'call' }, day]);
    expect(budgets.reports()).toEqual([]);
    expect(budgets.admit(asked())?.error).toMatchObject({ reason: 'unavailable' });
  });

  it('lets everything through where nothing can refuse', async () => {
    const { budgets } = await engineWith(polyfill, [
      { ...day, action: 'warn' },
      { ...day, name: 's', shadow: true },
    ]);
    expect(budgets.admit(asked())).toBeNull();
    expect(budgets.canSpend(asked())).toMatchObject({ verdict: 'allow' });
  });
});

function withoutZones() {
  const toZonedDateTimeISO = () => {
    throw new RangeError('unknown time zone');
  };
  return { Instant: { fromEpochMilliseconds: () => ({ toZonedDateTimeISO }) } };
}
