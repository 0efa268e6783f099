import { randomUUID } from 'node:crypto';
import { inTime } from '../deadline.js';
import type { Health } from '../health.js';
import type { AccountAnswer, BudgetStore, ExchangeAnswer } from '../stores/budget-store.js';
import {
  isPlenty,
  messageOf,
  nothingAsked,
  type Corrected,
  type Message,
  type ShareWant,
  type SharedAccount,
  type Taken,
} from './message.js';

/**
 * The talk of this process with the store of its budgets: one exchange at a time, and one that was
 * not answered comes again as it was, so that nothing counts twice.
 *
 * - **down**: the last exchange failed, or was not answered in time. Until one succeeds nobody waits
 *   for the store.
 */
export interface Exchanges {
  readonly down: boolean;
  /** The leases of this process are good, by its own clock. */
  readonly good: boolean;
  /** Takes all of it, or nothing. */
  take(wants: readonly ShareWant[]): Promise<Taken>;
  /**
   * Corrects what is spent, and gives what was really added. `unavailable`: nothing is corrected;
   * `unsure`: the store was told, has not answered, and will be told again.
   */
  correct(account: SharedAccount, nanoUsd: number, reason: string): Promise<Corrected>;
  /** Hears of these accounts anew. `false`: the store is down. */
  look(accounts: readonly SharedAccount[]): Promise<boolean>;
  /** Something of the account waits to be posted. */
  touch(account: SharedAccount): void;
  /** A call may take so long: leases outlive their process as long as its calls may be billed. */
  outlive(patienceMs: number): void;
  /** Speaks of these accounts no more, not even of what is held on them. `false`: it may have to, for the store is down. */
  forget(accounts: readonly SharedAccount[]): Promise<boolean>;
  /** Once a second: posts, renews, gives back what nobody uses, tries again. */
  tick(): void;
  /** Posts and gives back everything. */
  close(): Promise<void>;
}

export interface ExchangesOptions {
  readonly store: BudgetStore;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly health: Health;
  /** For how long a lease is spent from without a word from the store. */
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly onAnswer: (account: SharedAccount, answer: AccountAnswer) => void;
}

const MAX_OUTLIVE_MS = 2 * 3_600_000;
const TICK_MS = 1_000;
/** What fails so often while closing is left: its leases expire. */
const LAST_TRIES = 3;

export function createExchanges(options: ExchangesOptions): Exchanges {
  const { store, now, monotonic, health, leaseMs } = options;
  const member = randomUUID();
  /** Accounts with a lease, or with something to post. */
  const active = new Set<SharedAccount>();
  const touched = new Set<SharedAccount>();
  const forgotten = new WeakSet<SharedAccount>();
  let asked = nothingAsked();
  let message: Message | null = null;
  let sending: Promise<void> | null = null;
  let scheduled = false;
  let down = false;
  let number = 0;
  let renewedAt = -Infinity;
  let outlivesMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const start = () => (timer ??= setInterval(tick, TICK_MS).unref());

  /** After what else happens in this turn: calls that begin together ask together. */
  function soon(): void {
    if (scheduled || sending || down) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (!closed) void send();
    });
  }

  function answered({ accounts, ...waiting }: Message, answer: ExchangeAnswer): void {
    accounts.forEach((account, place) => {
      const told = answer.accounts[place]!;
      account.share.answered(told);
      if (told.leased > 0 && !forgotten.has(account)) active.add(account);
      health.guard('budgets.answer', options.onAnswer, account, told);
    });
    waiting.takings.forEach(({ resolve }, i) => {
      resolve(answer.refused[i] === -1 ? 'taken' : 'refused');
    });
    waiting.correcting.forEach(({ resolve }, i) => resolve(answer.adjusted[i] ?? 0));
    for (const { resolve } of waiting.looking) resolve(true);
  }

  function failed(error: unknown): void {
    down = true;
    health.fault('budgets.store', error);
    const waiting = [message ?? nothingAsked(), asked] as const;
    for (const { resolve } of waiting[0].correcting) resolve('unsure');
    for (const { resolve } of waiting[1].correcting) resolve('unavailable');
    for (const { takings, looking } of waiting) {
      for (const { resolve } of takings) resolve('unavailable');
      for (const { resolve } of looking) resolve(false);
    }
    asked = nothingAsked();
    // What was sent comes again as it was; nobody waits for it any more.
    if (message) message = { ...message, ...nothingAsked() };
  }

  function send(): Promise<void> {
    return (sending ??= sendNow().finally(() => {
      sending = null;
      if (!down && hasWork()) soon();
    }));
  }

  async function sendNow(): Promise<void> {
    if (message === null) {
      const ttlMs = leaseMs + outlivesMs;
      message = messageOf({ member, number: (number += 1), ttlMs }, asked, touched);
      asked = nothingAsked();
    }
    const { exchange } = message;
    const startedAt = monotonic();
    try {
      const { timeoutMs } = options;
      const late = `the store of budgets (${store.name}) did not answer within ${timeoutMs} ms`;
      const answer = await inTime(store.exchange(exchange), timeoutMs, late);
      const done = message;
      message = null;
      down = false;
      renewedAt = startedAt;
      answered(done, answer);
    } catch (error) {
      failed(error);
    }
  }

  /** What cannot wait for the next tick. */
  function hasWork(): boolean {
    const { takings, correcting, looking } = asked;
    return takings.length > 0 || correcting.length > 0 || looking.length > 0 || urgent();
  }

  function urgent(): boolean {
    for (const { share } of touched) if (!share.lends) return true;
    return false;
  }

  function tick(): void {
    if (closed) return;
    const at = now();
    for (const account of active) {
      const { share } = account;
      const over = share.address.to <= at;
      const idle = !share.used;
      share.used = false;
      if (share.slack() > 0 && (over || (idle && !isPlenty(account, 0)))) {
        share.returning = true;
        touched.add(account);
      } else if (share.slack() === 0 && account.held === 0 && !share.waits()) {
        active.delete(account);
      }
    }
    const renew = active.size > 0 && monotonic() >= renewedAt + leaseMs / 3;
    // Every lease is renewed by any exchange; those that go with it hear how much is left.
    if (renew) for (const account of active) touched.add(account);
    if (!sending && (message !== null || touched.size > 0 || renew)) void send();
  }

  return {
    get down() {
      return down;
    },
    get good() {
      return monotonic() < renewedAt + leaseMs;
    },
    take(wants) {
      start();
      if (down || closed) return Promise.resolve('unavailable');
      return new Promise((resolve) => {
        asked.takings.push({ wants, resolve });
        soon();
      });
    },
    correct(account, nanoUsd, reason) {
      start();
      if (down || closed) return Promise.resolve('unavailable');
      return new Promise((resolve) => {
        asked.correcting.push({ account, correction: { nanoUsd, reason, at: now() }, resolve });
        soon();
      });
    },
    look(accounts) {
      if (down || closed) return Promise.resolve(false);
      return new Promise((resolve) => {
        asked.looking.push({ accounts, resolve });
        soon();
      });
    },
    touch(account) {
      if (forgotten.has(account)) return;
      start();
      touched.add(account);
      active.add(account);
      if (!account.share.lends) soon();
    },
    outlive(patienceMs) {
      if (patienceMs > outlivesMs) outlivesMs = Math.min(patienceMs, MAX_OUTLIVE_MS);
    },
    async forget(accounts) {
      for (const account of accounts) {
        forgotten.add(account);
        active.delete(account);
        touched.delete(account);
      }
      // What was sent may be sent again, as it was.
      await sending;
      for (let tries = LAST_TRIES; tries > 0 && message !== null; tries -= 1) await send();
      return message === null;
    },
    tick,
    async close() {
      clearInterval(timer);
      await sending;
      for (const account of active) {
        account.share.returning = true;
        touched.add(account);
      }
      for (let tries = LAST_TRIES; tries > 0 && (message !== null || touched.size > 0);) {
        await send();
        if (down) tries -= 1;
      }
      closed = true;
    },
  };
}
