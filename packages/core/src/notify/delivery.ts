import type { AlertMessage, Channel, ChannelReport } from '../alert.js';
import type { Health } from '../health.js';
import { checkOptions, rule, show, type OptionRule, type OptionRules } from '../options.js';
import { createLane, type Schedule } from './lane.js';
import { channelRules } from './settings.js';

export type { Schedule } from './lane.js';

/**
 * Brings messages to people without ever waiting for them: every channel has a queue of its own, is
 * tried again with growing pauses, and is told of in `reports()` when it does not work.
 */
export interface Delivery {
  /** Never throws and never waits. */
  push(message: AlertMessage): void;
  reports(): readonly ChannelReport[];
  /** Tries to send what is queued, once each, for at most `timeoutMs`; then gives up what is left. */
  close(timeoutMs: number): Promise<void>;
}

export interface DeliveryOptions {
  readonly channels: readonly Channel[];
  readonly health: Health;
  /** Of one try, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Tries after the first, with pauses of up to 1, 2, 4 … 60 seconds between them. Default 5. */
  readonly retries?: number | undefined;
  /** Messages that wait per channel; beyond it the oldest is dropped and counted. Default 100. */
  readonly queue?: number | undefined;
  /** From 0 to 1; spreads the pauses of many processes. For tests. */
  readonly random?: (() => number) | undefined;
  /** Timers, for tests. */
  readonly schedule?: Schedule | undefined;
}

const isChannel: OptionRule = {
  allowed: 'a channel ({ name, send(message, signal) }) with a name of letters, digits, ".", "-"',
  ok: (value) =>
    rule.methods('send').ok(value) &&
    channelRules.name.ok((value as Channel).name) &&
    [undefined, 'info', 'warning', 'critical'].includes((value as Channel).minSeverity),
};

const rules: OptionRules = {
  channels: rule.listOf(isChannel),
  health: rule.methods('fault', 'drop'),
  timeoutMs: rule.integer(1, 10 * 60_000),
  retries: rule.integer(0, 100),
  queue: rule.integer(1, 10_000),
  random: rule.function,
  schedule: rule.function,
};

/**
 * @throws TypeError for options that cannot work, and for two channels of one name.
 *
 * @example
 * const delivery = createDelivery({ channels: [channel.log()], health });
 * delivery.push(message);
 * await delivery.close(5_000);
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  checkOptions('alerts', options, rules);
  const { channels, health, timeoutMs = 5_000, retries = 5, queue = 100 } = options;
  const { random = Math.random, schedule = onTimer } = options;
  checkNames(channels);
  const common = { health, timeoutMs, retries, queue, random, schedule };
  const lanes = channels.map((channel) => createLane(channel, common));
  let closing: Promise<void> | undefined;

  async function closeAll(withinMs: number): Promise<void> {
    const finished = Promise.all(lanes.map((lane) => lane.finish()));
    const cancel = schedule(() => lanes.forEach((lane) => lane.stop()), withinMs, true);
    await finished;
    cancel();
  }

  return {
    push(message) {
      for (const lane of lanes) lane.push(message);
    },
    reports: () => lanes.map((lane) => lane.report()),
    close: (withinMs) => (closing ??= closeAll(withinMs)),
  };
}

function checkNames(channels: readonly Channel[]): void {
  const names = channels.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new TypeError(
    `[claude-metrics] alerts: two channels are called ${show(twice)}. ` +
      'Give one of them another `name`, so that reports can tell them apart.',
  );
}

function onTimer(run: () => void, ms: number, hold = false): () => void {
  const timer = setTimeout(run, ms);
  if (!hold) timer.unref();
  return () => clearTimeout(timer);
}
