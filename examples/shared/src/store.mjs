// Where figures and budgets live: a file, so that they are there again after a restart.
import { memoryStore, SqliteStoreError, sqliteStore } from '@claude-metrics/core';

let place = 'nowhere yet';

/**
 * The file of `DB_FILE`, default `claude-metrics.db`, where Node has SQLite (22.13 and later) or a driver
 * is installed; else memory, and a line that says how to get one.
 */
export function openStore() {
  const file = process.env.DB_FILE || 'claude-metrics.db';
  try {
    const store = sqliteStore({ file });
    place = `${file}, to be there when it starts again`;
    return store;
  } catch (error) {
    // There is a driver, and the file cannot be used: nobody should go on without noticing.
    if (error instanceof SqliteStoreError) throw error;
    console.warn(`${error.message} Until then figures are in memory, and end with the process.`);
    place = 'memory, until it stops';
    return memoryStore();
  }
}

/** For people: where the figures of the store are that was opened last. */
export function placeOfFigures() {
  return place;
}
