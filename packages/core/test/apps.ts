import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';

/**
 * Applications of their own: real processes, with the SDK in their `node_modules` and our packages
 * bundled from the sources as `../core.mjs`, `../core.cjs`, `../testing.mjs` and `../testing.cjs`.
 */
export interface Apps {
  /** Makes an application with this SDK in its `node_modules`, or without any; gives its folder. */
  create(name: string, sdk: string | null): string;
  /** Runs a source there, and gives the JSON that it printed. */
  run(app: string, entry: string, source: string, flags?: readonly string[]): Promise<unknown>;
  bundle(entry: string, to: string, ...flags: string[]): void;
  remove(): void;
}

const root = join(__dirname, '../../..');
const esbuild = join(root, 'node_modules', '.bin', 'esbuild');
const installed = (name: string) => dirname(require.resolve(name));

/** Version and folder. */
export const INSTALLED_SDKS = [
  ['1.12.0', installed('@anthropic-ai/sdk')],
  ['0.103.0', installed('anthropic-sdk-0.103')],
] as const;

/** @param shared Files that every application can load from the folder above it. */
export function createApps(...shared: string[]): Apps {
  const folder = emptyFolder();
  const bundle: Apps['bundle'] = (entry, to, ...flags) => {
    const common = ['--bundle', '--platform=node', '--target=node20', '--log-level=error'];
    execFileSync(esbuild, [entry, `--outfile=${to}`, ...common, ...flags]);
  };
  for (const file of shared) cpSync(file, join(folder, file.slice(file.lastIndexOf('/') + 1)));
  for (const name of ['core', 'testing']) {
    const entry = join(root, 'packages', name, 'src', 'index.ts');
    bundle(entry, join(folder, `${name}.cjs`), '--format=cjs');
    bundle(entry, join(folder, `${name}.mjs`), '--format=esm');
  }
  return {
    create(name, sdk) {
      const app = join(folder, name);
      mkdirSync(join(app, 'node_modules', '@anthropic-ai'), { recursive: true });
      if (sdk !== null) symlinkSync(sdk, join(app, 'node_modules', '@anthropic-ai', 'sdk'));
      return app;
    },
    async run(app, entry, source, flags = []) {
      writeFileSync(join(app, entry), source);
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, entry], {
        cwd: app,
      });
      return JSON.parse(stdout) as unknown;
    },
    bundle,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
