import type {
  AccountAddress,
  AccountAnswer,
  AccountBalance,
  Posting,
} from '../stores/budget-store.js';
import type { Balance } from '../balance.js';

/**
 * What this process has of an account that several share. Its calls hold out of its lease, on a
 * balance of its own, by the same rules as out of a limit; what they have cost leaves that balance
 * at once and waits to be posted.
 *
 * - **cap**: what holds in this process may come to.
 * - **slack**: the part of the lease that no call holds.
 */
export interface Share {
  readonly address: AccountAddress;
  /** More is leased than a call needs, for those that come after it. */
  readonly lends: boolean;
  /** By the last answer of the store; `null` before the first one. */
  known: AccountBalance | null;
  /** A call has held out of it since it was last looked at. */
  used: boolean;
  /** Its slack goes back with the next exchange, to be taken again by whoever needs it. */
  returning: boolean;
  cap(): number;
  slack(): number;
  /** What a call can hold by what is known: out of the slack, and out of what the store may add to it. */
  room(limit: number): number;
  /** What happened here and the store has not said that it knows: money spent, and calls refused. */
  unknown(): { readonly spent: number; readonly refused: number };
  /** Moves what a balance has into what waits. `leased`: its holds were out of the lease. */
  collect(balance: Balance, leased: boolean): void;
  /** A call was refused. */
  refuse(): void;
  /** A hold has ended, and nothing was spent. */
  freed(): void;
  /** Something waits to be posted. */
  waits(): boolean;
  /** What goes into an exchange; until it is answered, it neither waits nor can be held. */
  send(): Sent;
  answered(answer: AccountAnswer): void;
}

export interface Sent {
  readonly posting: Omit<Posting, 'account'> | null;
  readonly gift: number;
}

type Charges = { -readonly [name in keyof Omit<Posting, 'account'>]: number };

export interface ShareOptions {
  readonly address: AccountAddress;
  readonly lends: boolean;
  /** The balance that calls hold on. */
  readonly balance: Balance;
  /** The leases of this process are good, by its own clock. */
  readonly isGood: () => boolean;
  /** Something waits. */
  readonly onChange: () => void;
}

const NO_MONEY = { spent: 0, held: 0 };
const NOTHING: Readonly<Charges> = {
  nanoUsd: 0,
  leased: 0,
  uncertain: 0,
  overrun: 0,
  unpriced: 0,
  refused: 0,
};

export function createShare(options: ShareOptions): Share {
  const { balance, isGood, onChange } = options;
  let leased = 0;
  let waiting: Charges = { ...NOTHING };
  let sent: Charges = NOTHING;
  let given = 0;

  const lease = () => leased - waiting.leased - sent.leased - given;

  return {
    address: options.address,
    lends: options.lends,
    known: null,
    used: false,
    returning: false,
    // What is held already may be spent to its end; the store keeps the lease for as long as that.
    cap: () => (isGood() ? lease() : balance.held),
    slack: () => Math.max(0, lease() - balance.held),
    room(limit) {
      const { spent, held } = this.known ?? NO_MONEY;
      const loose = waiting.nanoUsd - waiting.leased + sent.nanoUsd - sent.leased;
      return lease() - balance.held + Math.max(0, limit - spent - held - loose);
    },
    unknown: () => ({
      spent: waiting.nanoUsd + sent.nanoUsd,
      refused: waiting.refused + sent.refused,
    }),
    collect(from, fromLease) {
      const { spent, overrun } = from;
      waiting.nanoUsd += spent;
      if (fromLease) waiting.leased += Math.max(0, spent - overrun);
      waiting.uncertain += from.uncertain;
      waiting.overrun += overrun;
      waiting.unpriced += from.unpriced;
      from.spent = 0;
      from.overrun = 0;
      from.uncertain = 0;
      from.unpriced = 0;
      onChange();
    },
    refuse() {
      waiting.refused += 1;
      onChange();
    },
    freed: onChange,
    waits: () => waiting.nanoUsd > 0 || waiting.unpriced > 0 || waiting.refused > 0,
    send() {
      const posting = this.waits() ? waiting : null;
      if (posting) {
        sent = posting;
        waiting = { ...NOTHING };
      }
      const gift = this.returning || !this.lends ? this.slack() : 0;
      this.returning = false;
      given = gift;
      return { posting, gift };
    },
    answered(answer) {
      ({ leased } = answer);
      sent = NOTHING;
      given = 0;
      const { spent, held, uncertain, overrun, unpriced, refused } = answer;
      this.known = { spent, held, uncertain, overrun, unpriced, refused };
    },
  };
}
