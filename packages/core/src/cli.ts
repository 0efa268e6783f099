import { run } from './cli/main.js';

/** The process of `npx claude-metrics`: its streams, its environment, its exit code. */
void run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  now: () => Date.now(),
  fetch: (input, init) => fetch(input, init),
}).then((code) => {
  process.exitCode = code;
});
// `claude-metrics report | head` is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
