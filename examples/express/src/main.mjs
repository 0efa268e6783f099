// Starts the application with people using it, and prints the address of the dashboard.
//
//   node src/main.mjs           against a local simulator: no key, no internet
//   node src/main.mjs --live    against the real API, with ANTHROPIC_API_KEY set (costs money)
//   node src/main.mjs --quiet   a few calls, then only those that you make
import Anthropic from '@anthropic-ai/sdk';
import { randomBytes } from 'node:crypto';
import { createApp } from './app.mjs';
import { startSimulator } from './claude.mjs';
import { createTraffic } from './traffic.mjs';

const live = process.argv.includes('--live');
const quiet = live || process.argv.includes('--quiet');
if (live && !process.env.ANTHROPIC_API_KEY) {
  console.error('--live talks to the real API: set ANTHROPIC_API_KEY first.');
  process.exit(1);
}

// Without it, claudeMonitor() makes a token itself and prints it.
process.env.CLAUDE_METRICS_AUTH_TOKEN ||= randomBytes(24).toString('hex');

const simulator = live ? null : await startSimulator();
const client = simulator
  ? new Anthropic({ apiKey: 'sk-ant-simulated', baseURL: simulator.url })
  : new Anthropic();

const users = new Map([
  ['token-of-ada', { id: 'ada' }],
  ['token-of-grace', { id: 'grace' }],
  ['token-of-alan', { id: 'alan' }],
]);
const { app, monitor } = createApp({ client, users });

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
await new Promise((resolve, reject) => {
  server.once('listening', resolve);
  server.once('error', (error) => {
    console.error(`${error.message}. Choose another port: PORT=3001 npm run example`);
    reject(error);
  });
});
const url = `http://127.0.0.1:${server.address().port}`;

const traffic = createTraffic({ url, tokens: [...users.keys()] });
await traffic.steps(live ? 3 : 14);
const token = process.env.CLAUDE_METRICS_AUTH_TOKEN;
const people = quiet ? null : setInterval(() => void traffic.step().catch(report), 1_500);

console.log(`
Each line above is one call of Claude, as your log would have it. ${live ? 'They were real.' : ''}

  Dashboard   ${url}/claude-metrics/?token=${token}
  Snapshot    curl -H 'Authorization: Bearer ${token}' ${url}/claude-metrics/snapshot

Press Ctrl+C to stop.
`);

process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());

async function stop() {
  clearInterval(people);
  server.close();
  server.closeAllConnections();
  await monitor.close();
  await simulator?.close();
}

function report(error) {
  console.error('A step of the traffic failed:', error.message);
}
