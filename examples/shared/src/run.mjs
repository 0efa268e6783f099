// Starts an example with people using it, and prints the address of its dashboard.
//
//   --live    against the real API, with ANTHROPIC_API_KEY set (costs money)
//   --quiet   a few calls, then only those that you make
//
// Figures and budgets are in the file DB_FILE, default claude-metrics.db (claude-metrics-live.db for --live).
import Anthropic from '@anthropic-ai/sdk';
import { randomBytes } from 'node:crypto';
import { startSimulator } from './claude.mjs';
import { placeOfFigures } from './store.mjs';
import { createTraffic } from './traffic.mjs';

/** Who may sign in, by bearer token. */
export const users = new Map(
  ['ada', 'grace', 'alan', 'eve'].map((id) => [`token-of-${id}`, { id }]),
);

/**
 * @param {(parts: { client: Anthropic, port: number }) =>
 *   Promise<{ url: string, close(): Promise<void> }>} start
 */
export async function runExample(start) {
  const live = process.argv.includes('--live');
  const quiet = live || process.argv.includes('--quiet');
  if (live && !process.env.ANTHROPIC_API_KEY) {
    console.error('--live talks to the real API: set ANTHROPIC_API_KEY first.');
    process.exit(1);
  }
  // Without it, the adapter makes a token itself and prints it.
  process.env.CLAUDE_METRICS_AUTH_TOKEN ||= randomBytes(24).toString('hex');
  // What was really paid is kept apart from what was not.
  if (live) process.env.DB_FILE ||= 'claude-metrics-live.db';

  const simulator = live ? null : await startSimulator();
  const client = simulator
    ? new Anthropic({ apiKey: 'sk-ant-simulated', baseURL: simulator.url })
    : new Anthropic();
  const port = Number(process.env.PORT ?? 3000);
  const application = await start({ client, port }).catch((error) => {
    console.error(`${error.message}. Choose another port: PORT=3001 npm run example`);
    process.exit(1);
  });
  const { url } = application;

  const traffic = createTraffic({ url });
  await traffic.steps(live ? 3 : 16);
  const token = process.env.CLAUDE_METRICS_AUTH_TOKEN;
  const people = quiet ? null : setInterval(() => void traffic.step().catch(report), 1_500);

  console.log(`
Each line above is one call of Claude, as your log would have it. ${live ? 'They were real.' : ''}

  Dashboard   ${url}/claude-metrics/?token=${token}
  Snapshot    curl -H 'Authorization: Bearer ${token}' ${url}/claude-metrics/snapshot
  Figures     in ${placeOfFigures()}

Press Ctrl+C to stop.
`);

  const stop = async () => {
    clearInterval(people);
    await application.close();
    await simulator?.close();
  };
  process.once('SIGINT', () => void stop());
  process.once('SIGTERM', () => void stop());
}

/** Listens with an application that has `listen()`, and says where and how to stop it. */
export async function serve({ app, monitor }, port) {
  const server = app.listen(port, '127.0.0.1');
  await new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await monitor.close();
    },
  };
}

function report(error) {
  console.error('A step of the traffic failed:', error.message);
}
