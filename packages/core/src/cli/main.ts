import { show } from '../options.js';
import { readArguments } from './arguments.js';
import { EXIT, type Command, type Io } from './command.js';
import { doctor } from './doctor.js';
import { oneLine } from './output.js';
import { pricesCommand } from './prices.js';
import { reconcile } from './reconcile.js';
import { report } from './report.js';
import { reprice } from './reprice.js';
import { reasonOf } from './source.js';
import { whatif } from './whatif.js';

/** `claude-metrics`: finds the command, and turns what goes wrong into words and an exit code. */
export const COMMANDS: readonly Command[] = [
  report,
  reconcile,
  reprice,
  whatif,
  pricesCommand,
  doctor,
];

/** @returns The exit code: 0 all is well, 1 there is something to look at, 2 it could not be done. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.out(overview());
    return name === undefined ? EXIT.wrong : EXIT.ok;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) {
    const names = COMMANDS.map((each) => each.name).join(', ');
    io.err(`[claude-metrics] there is no command ${show(name)}. Commands are: ${names}.\n`);
    return EXIT.wrong;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(helpOf(command));
    return EXIT.ok;
  }
  try {
    const args = readArguments(command.name, rest, command.options, command.words?.most ?? 0);
    return await command.run(args, io);
  } catch (error) {
    io.err(`${shownError(command.name, error)}\nSee \`claude-metrics ${command.name} --help\`.\n`);
    return EXIT.wrong;
  }
}

/** Words of ours are for people; those of others may echo what they were given. */
function shownError(name: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.startsWith('[claude-metrics]')) return text;
  return `[claude-metrics] ${name}: ${oneLine(reasonOf(error))}`;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return (
    'claude-metrics <command> [options]\n\n' +
    `${lines.join('\n')}\n\n` +
    'claude-metrics <command> --help tells the options of one, with examples.\n' +
    'Exit codes: 0 all is well, 1 there is something to look at, 2 it could not be done.\n'
  );
}

export function helpOf({ name, summary, words, options, examples, about }: Command): string {
  const rows = Object.entries(options).map(([option, { type, value, help }]) => {
    return [`--${option}${type === 'string' ? ` ${value ?? 'value'}` : ''}`, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  const shown = words ? ` ${words.shown}` : '';
  return (
    `claude-metrics ${name}${shown} [options]: ${summary}\n\n${wrapped(about)}\n\n` +
    `${lines.join('\n')}\n\nExamples\n${examples.map((each) => `  npx ${each}`).join('\n')}\n`
  );
}

const WIDTH = 90;

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
