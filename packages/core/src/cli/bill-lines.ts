import type { CostClass } from '../record.js';

/**
 * The bill and the ledger in the same words.
 *
 * - **place**: what both tell apart: day of UTC, model, class, tier, speed, geography.
 * - **side**: one of the two at one place: how much of it, and for how much.
 */
export interface Place {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** An id, never an alias. */
  readonly model: string;
  readonly class: CostClass;
  readonly tier: string;
  readonly speed: string;
  readonly geo: string;
}

export interface Side {
  quantity: bigint;
  nanoUsd: bigint;
}

export interface Entry {
  readonly place: Place;
  readonly ledger: Side;
  readonly bill: Side;
  /** What rounding may have moved, in nano-dollars: of each call here, of the amount there. */
  slack: bigint;
  /** What the ledger's quantity costs at the table's prices; `null`: it cannot be told. */
  repriced: bigint | null;
  /** The bill's quantity by API key. */
  readonly keys: Map<string, bigint>;
}

/** By the key of a place. */
export type Entries = Map<string, Entry>;

export function entryAt(entries: Entries, place: Place): Entry {
  const key = keyOfPlace(place);
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = {
      place,
      ledger: { quantity: 0n, nanoUsd: 0n },
      bill: { quantity: 0n, nanoUsd: 0n },
      slack: 0n,
      repriced: 0n,
      keys: new Map(),
    };
    entries.set(key, entry);
  }
  return entry;
}

export function keyOfPlace({ day, model, class: part, tier, speed, geo }: Place): string {
  return JSON.stringify([day, model, part, tier, speed, geo]);
}

/** Web searches have one price, wherever they were made. */
export function placeOf(place: Place): Place {
  if (place.class !== 'webSearch') return place;
  return { ...place, tier: 'standard', speed: 'standard', geo: 'global' };
}

export const tierName = (tier: string | null | undefined): string => tier || 'standard';
export const speedName = (speed: string | null | undefined): string => speed || 'standard';
/** `not_available`: of models that know no such choice; they answer from anywhere. */
export const geoName = (geo: string | null | undefined): string => (geo === 'us' ? 'us' : 'global');

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
