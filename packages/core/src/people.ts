import { createHmac } from 'node:crypto';
import { label } from './context.js';
import { show, type OptionRule } from './options.js';

/**
 * Under which names people are kept. Every user id passes here before anything else sees it.
 *
 * - **id**: what the application calls a user.
 * - **name**: what calls, cells, budgets, alerts, logs and sinks have instead: the id itself, a pseudonym
 *   of it, or nothing.
 * - **pseudonym**: `u_` and the first 24 characters, in base64url, of HMAC-SHA-256 of the id under a
 *   secret key: 144 bits. Without a key it would be guessed: ids are few, and hashes are fast.
 *
 * A pseudonym that is given as an id stays what it is, so that a context may be handed on to another
 * process. The key is the person: another key makes other people. Docs: `docs/privacy.md`.
 */
export type UserIds = 'raw' | 'drop' | Pseudonyms;

export interface Pseudonyms {
  /** The secret: at least 32 characters, or bytes. Every process has the same. */
  readonly hmac: HmacKey;
  /** Keys of before, so that `forgetUser()` still finds whom they named. */
  readonly former?: readonly HmacKey[] | undefined;
}

export type HmacKey = string | Uint8Array;

export interface People {
  /** The name of a user; `null` for what is no id, and when names are dropped. */
  readonly nameOf: (id: unknown) => string | null;
  /** The same, for a context; `null` when names are dropped: then nobody is asked for an id. */
  readonly asked: ((id: unknown) => string | null) | null;
  /** Every name a user may have been kept under: now, under former keys, and as the id itself. */
  namesOf(id: unknown): readonly string[];
  /** Forgets that there was such an id. */
  forget(id: unknown): void;
}

const LEAST_KEY = 32;
const PREFIX = 'u_';
const LENGTH = 24;
const PSEUDONYM = /^u_[\w-]{24}$/;
/** Names of the last users, so that a burst of calls by one of them costs one hash. */
const MAX_KNOWN = 1_000;
const FIX =
  "Give 'raw', 'drop' or { hmac: key }, with a key of at least 32 characters or bytes from your " +
  'secret store: crypto.randomBytes(32).';

/** What is wrong is told by `peopleOf()`: a key that was given in a wrong place must not be shown. */
export const userIdsRule: OptionRule = {
  allowed: "'raw', 'drop' or { hmac: key }",
  ok: () => true,
};

/**
 * @param lookers What would see nobody if ids were dropped.
 * @throws TypeError for what says nothing, and for a key that is too short. No message has a key in it.
 * @throws TypeError for a budget or an alert about users where there are none.
 *
 * @example
 * const people = peopleOf('createMonitor', { hmac: process.env.USER_ID_KEY });
 * people.nameOf('ada'); // 'u_…'
 */
export function peopleOf(
  where: string,
  userIds: UserIds = 'raw',
  lookers: Lookers = { budgets: [], rules: [] },
): People {
  if (userIds === 'raw') return asTheyAre;
  if (userIds === 'drop') {
    checkLookers(where, lookers);
    return unnamed;
  }
  const { hmac, former = [] } = checked(where, userIds);
  const known = new Map<string, string>();

  function pseudonymOf(id: string): string {
    const name = known.get(id) ?? pseudonym(hmac, id);
    // The last one to be asked for is the last one to go.
    known.delete(id);
    known.set(id, name);
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value as string);
    return name;
  }

  function nameOf(given: unknown): string | null {
    const id = label(given);
    return id === null || PSEUDONYM.test(id) ? id : pseudonymOf(id);
  }

  return {
    nameOf,
    asked: nameOf,
    namesOf(given) {
      const id = label(given);
      if (id === null) return [];
      if (PSEUDONYM.test(id)) return [id];
      return [pseudonym(hmac, id), ...former.map((key) => pseudonym(key, id)), id];
    },
    forget: (given) => void known.delete(label(given) ?? ''),
  };
}

const asTheyAre: People = {
  nameOf: label,
  asked: label,
  namesOf: (given) => listOf(label(given)),
  forget: () => undefined,
};

const unnamed: People = { ...asTheyAre, nameOf: () => null, asked: null };

/** What may look at users, and sees none when their ids are dropped. */
export interface Lookers {
  readonly budgets: readonly { readonly name: string; readonly of: unknown }[];
  readonly rules: readonly {
    readonly name: string;
    readonly by?: unknown;
    readonly of?: unknown;
  }[];
}

function checkLookers(where: string, { budgets, rules }: Lookers): void {
  const budget = budgets.find(({ of }) => of === 'user');
  // What is no rule is told where rules are checked.
  const rule = rules.find((each) => each?.by === 'user' || each?.of === 'user');
  const what = budget ? `the budget ${show(budget.name)}` : rule && `the alert ${show(rule.name)}`;
  if (what === undefined) return;
  throw new TypeError(
    `[claude-metrics] ${where}: ${what} looks at users, and options.userIds is 'drop', so that there ` +
      'are none. Leave it out, or give userIds: { hmac: key }.',
  );
}

function pseudonym(key: HmacKey, id: string): string {
  const mac = createHmac('sha256', key).update(id).digest('base64url');
  return PREFIX + mac.slice(0, LENGTH);
}

function checked(where: string, userIds: unknown): Pseudonyms {
  const fail = (what: string): never => {
    throw new TypeError(`[claude-metrics] ${where}: options.userIds${what} ${FIX}`);
  };
  if (typeof userIds !== 'object' || userIds === null || userIds instanceof Uint8Array) {
    return fail(` says nothing that is known here (got ${kindOf(userIds)}).`);
  }
  const { hmac, former = [], ...others } = userIds as Partial<Pseudonyms>;
  if (Object.keys(others).length > 0) fail(' has more in it than hmac and former.');
  if (!isKey(hmac)) fail(`.hmac must be a secret key, got ${kindOf(hmac)}.`);
  if (!Array.isArray(former) || !former.every(isKey)) {
    fail('.former must be an array of secret keys of before.');
  }
  return { hmac: copied(hmac as HmacKey), former: (former as HmacKey[]).map(copied) };
}

function isKey(value: unknown): value is HmacKey {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length >= LEAST_KEY;
}

/** The application may clear its own copy. */
function copied(key: HmacKey): HmacKey {
  return typeof key === 'string' ? key : Uint8Array.from(key);
}

/** In words, and without what it is. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value === null || value === undefined ? String(value) : `a value of type ${typeof value}`;
}

function listOf(name: string | null): readonly string[] {
  return name === null ? [] : [name];
}
