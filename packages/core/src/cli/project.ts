import { createRequire } from 'node:module';
import { join } from 'node:path';
import { wrong } from './command.js';

/** What is installed where the command was started: clients of databases, and the SDK. */

/** The first of these modules that is there. @throws UsageError when there is none. */
export function loadOneOf(
  command: string,
  cwd: string,
  names: readonly string[],
): { readonly name: string; readonly module: Record<string, unknown> } {
  const load = createRequire(join(cwd, 'package.json'));
  for (const name of names) {
    try {
      return { name, module: load(name) as Record<string, unknown> };
    } catch (error) {
      if (!isMissing(error, name)) throw error;
    }
  }
  const shown = names.join(' or ');
  return wrong(
    command,
    `${shown} is needed and cannot be found from ${cwd}. Run \`npm install ${names[0]}\` there, or ` +
      'start the command in the folder of your application.',
  );
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === 'MODULE_NOT_FOUND' && String(message).includes(`'${name}'`);
}
