/** Where an example keeps its figures: in a file if it can, in memory if it cannot, and never by mistake. */
import { openStore, placeOfFigures } from 'example-shared';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { cwd, getBuiltinModule, env } = process;
const home = cwd();
const named = env['DB_FILE'];
let folder: string;
let warn: jest.SpyInstance;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-metrics-example-'));
  warn = jest.spyOn(console, 'warn').mockReturnValue();
  delete env['DB_FILE'];
});
afterEach(() => {
  process.chdir(home);
  process.getBuiltinModule = getBuiltinModule;
  if (named === undefined) delete env['DB_FILE'];
  else env['DB_FILE'] = named;
  warn.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

it('is the file that DB_FILE names', async () => {
  env['DB_FILE'] = join(folder, 'mine.db');
  const store = openStore();
  expect(store).toMatchObject({ name: 'sqlite', shared: true });
  expect(placeOfFigures()).toContain(env['DB_FILE']);
  await store.close?.();
  expect(existsSync(join(folder, 'mine.db'))).toBe(true);
  expect(warn).not.toHaveBeenCalled();
});

it('is memory where there is no driver, with a word on how to get one', () => {
  // An application without libsql, on a Node without SQLite.
  process.chdir(folder);
  process.getBuiltinModule = (() => undefined) as unknown as typeof getBuiltinModule;
  expect(openStore().name).toBe('memory');
  expect(placeOfFigures()).toContain('memory');
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/no driver.*npm install libsql/)]]);
  expect(existsSync(join(folder, 'claude-metrics.db'))).toBe(false);
});

it('is not memory where the file is somebody else’s: that is an error', () => {
  env['DB_FILE'] = join(folder, 'letter.db');
  writeFileSync(env['DB_FILE'], 'Dear reader, this is no database at all.'.repeat(200));
  expect(() => openStore()).toThrow(/letter\.db/);
  expect(warn).not.toHaveBeenCalled();
});
