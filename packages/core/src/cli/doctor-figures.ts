import { modelFactsOf } from '../models.js';
import { DAY_MS } from './arguments.js';
import { cellsBetween, countedOf } from './ledger-reading.js';
import type { Diagnosis } from './diagnosis.js';
import type { Snapshot } from '../snapshot.js';
import type { Store } from '../stores/store.js';

/** What figures say of the application that counted them. */
const SOON_DAYS = 60;
const MAX_SKEW_MS = 60_000;
const UNATTRIBUTED = 0.2;

export function lookAtSnapshot(snapshot: Snapshot, now: number, zone: string): Diagnosis[] {
  const { coverage, source, health, usage } = snapshot;
  const found: Diagnosis[] = [];
  if (coverage.unobserved > 0) {
    found.push({
      check: 'unobserved clients',
      level: 'problem',
      text: `${coverage.unobserved} requests to Claude were sent that no monitor recorded.`,
      fix: 'Set instrument: true, or hand the client to observe().',
    });
  }
  if (source.text !== null) {
    found.push({ check: 'workers', level: 'problem', text: source.text, fix: 'docs/cluster.md' });
  }
  const missed = health.notices.filter((notice) =>
    /No copy of|no middleware|not known here/.test(notice),
  );
  for (const text of missed) {
    found.push({
      check: 'unobserved clients',
      level: 'problem',
      text,
      fix: 'Use observe(client).',
    });
  }
  const dropped = Object.entries(health.dropped).map(([name, count]) => `${name} (${count})`);
  const faults = Object.entries(health.faults).map(([step, { count }]) => `${step} (${count})`);
  if (dropped.length + faults.length > 0) {
    found.push({
      check: 'health',
      level: 'warning',
      text: `the monitor counts ${[...faults, ...dropped].slice(0, 8).join(', ')}.`,
      fix: 'See health in the snapshot: what failed is tried again, what was dropped is not counted.',
    });
  }
  const unattributed = Math.max(coverage.unattributedUser, coverage.unattributedFeature);
  if (coverage.calls > 0 && unattributed / coverage.calls > UNATTRIBUTED) {
    found.push({
      check: 'middleware order',
      level: 'warning',
      text: `${unattributed} of ${coverage.calls} calls have no user or no feature.`,
      fix: 'Mount claudeMonitor() before routes, and say who a user is: docs/context.md.',
    });
  }
  found.push(...lookAtPrices(coverage.unpricedModels, coverage.unpriced));
  found.push(
    ...lookAtModels(
      snapshot.byModel.map(({ key }) => key),
      now,
    ),
  );
  if (usage.timeZone !== zone && usage.timeZone === 'UTC') {
    found.push({
      check: 'time zone',
      level: 'warning',
      text: `days of usage are days of UTC, and this machine is in ${zone}.`,
      fix: `Set usage: { timeZone: '${zone}' }, if its people are there, too.`,
    });
  }
  return found;
}

/** `clock`: what the other machine says the time is. */
export function lookAtClock(clock: number | null, now: number): Diagnosis[] {
  const off = clock === null ? 0 : clock - now;
  if (Math.abs(off) <= MAX_SKEW_MS) return [];
  const seconds = Math.round(Math.abs(off) / 1_000);
  return [
    {
      check: 'clock',
      level: 'problem',
      text: `the clock of the mount is ${seconds} s ${off > 0 ? 'ahead of' : 'behind'} this one.`,
      fix: 'Let both machines set their clocks by NTP: periods of budgets begin and end by them.',
    },
  ];
}

export async function lookAtStore(store: Store, now: number): Promise<Diagnosis[]> {
  const models = new Set<string>();
  const unpricedModels = new Set<string>();
  const unpriced: Partial<Record<string, number>> = {};
  let ahead = 0;
  const span = { from: now - 7 * DAY_MS, to: now + DAY_MS };
  for await (const cell of cellsBetween(store, span, ['feature-model'])) {
    const counted = countedOf(cell);
    models.add(cell.key[1]);
    for (const [reason, calls] of Object.entries(counted.unpriced)) {
      unpriced[reason] = (unpriced[reason] ?? 0) + calls;
      if (reason === 'unknown_model') unpricedModels.add(cell.key[1]);
    }
    if (cell.at > now + MAX_SKEW_MS) ahead += counted.calls;
  }
  const found = [...lookAtPrices([...unpricedModels], unpriced), ...lookAtModels([...models], now)];
  if (ahead === 0) return found;
  return [
    ...found,
    {
      check: 'clock',
      level: 'problem',
      text: `${ahead} calls of the store are in the future of this machine.`,
      fix: 'Compare the clocks of the machines that count into it; set them by NTP.',
    },
  ];
}

/** The zone of this machine, as far as Node knows it. */
export function lookAtMachine(zone: string, tz: string | undefined): Diagnosis[] {
  const given = tz?.replace(/^:/, '');
  if (given === undefined || given === '' || isKnown(given)) return [];
  return [
    {
      check: 'time zone',
      level: 'problem',
      text: `TZ is set to a zone that Node does not know; it uses ${zone} instead.`,
      fix: 'Set TZ to an IANA name such as Europe/Paris, or leave it out.',
    },
  ];
}

function isKnown(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function lookAtPrices(
  models: readonly string[],
  unpriced: Readonly<Partial<Record<string, number>>>,
): Diagnosis[] {
  const calls = Object.values(unpriced).reduce<number>((sum, each) => sum + (each ?? 0), 0);
  if (models.length === 0 && calls === 0) return [];
  const named =
    models.length === 0 ? '' : ` Models without a price: ${models.slice(0, 8).join(', ')}.`;
  return [
    {
      check: 'prices',
      level: 'problem',
      text: `${calls} calls have no price, so every sum is "at least".${named}`,
      fix: 'Update the package, or registerPrices(); then `claude-metrics reprice`.',
    },
  ];
}

function lookAtModels(models: readonly string[], now: number): Diagnosis[] {
  return models.flatMap((model): Diagnosis[] => {
    const { retirement } = modelFactsOf(model);
    if (retirement === null || !retirement.announced) return [];
    const days = Math.ceil((Date.parse(retirement.day) - now) / DAY_MS);
    if (days > SOON_DAYS) return [];
    const when =
      days > 0
        ? `retires on ${retirement.day}, in ${days} days`
        : `was retired on ${retirement.day}`;
    return [
      {
        check: 'models',
        level: days > 14 ? 'warning' : 'problem',
        text: `${model} is in use and ${when}.`,
        fix: `See what another costs: claude-metrics whatif --of ${model} --model …`,
      },
    ];
  });
}
