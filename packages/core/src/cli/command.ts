/**
 * What the command line is made of.
 *
 * - **command**: one word after `claude-metrics`. It answers with an exit code: 0 all is well, 1 there is
 *   something to look at (a drift, a finding), 2 it was asked wrongly or could not be done.
 * - **io**: everything a command sees of the world outside, so that tests can hand it another one.
 */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Words after the command: how many it takes at most, and how help names them. */
  readonly words?: { readonly most: number; readonly shown: string } | undefined;
  readonly options: OptionSpecs;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Paragraphs for `--help`. */
  readonly about: string;
  run(args: Arguments, io: Io): Promise<number>;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** How help names the value: `file`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The words and options after a command. */
export interface Arguments {
  readonly command: string;
  readonly words: readonly string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
}

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to stdout; with its line breaks. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly fetch: typeof fetch;
}

export const EXIT = { ok: 0, findings: 1, wrong: 2 } as const;

/** Something that whoever typed the command can put right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError always: which value, what is allowed, how to fix it. */
export function wrong(where: string, text: string, cause?: unknown): never {
  throw new UsageError(`[claude-metrics] ${where}: ${text}`, { cause });
}
