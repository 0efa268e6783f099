// What measuring costs, as a difference to the same work unmeasured, in fresh processes taken in
// turns. Every table has an A/A row (bare against bare): a figure within it is noise.
//
//   npm run bench            everything, about five minutes
//   npm run bench -- --quick fewer rounds, for a first look
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 4;

console.log(`Node ${process.version}, ${ROUNDS} rounds of A B B A, medians\n`);

capture('JSON call', 'json', quick ? 2_000 : 10_000);
const short = capture('stream of 50 events', 'stream-50', quick ? 400 : 2_000);
const long = capture('stream of 500 events', 'stream-500', quick ? 80 : 400);
perEvent(short, long);
ttft(0, quick ? 300 : 1_500);
ttft(20, quick ? 60 : 300);
for (const framework of ['express', 'koa']) http(framework, quick ? 8 : 24);
state();
budgets();

/** CPU and allocation of a call, in process: the SDK is real, only `fetch` is a function of ours. */
function capture(title, scenario, calls) {
  const variants = ['bare', 'bare', 'middleware', 'observed', 'auto', 'logged'];
  const runs = inTurns(variants, (variant) => child('capture.mjs', scenario, variant, calls));
  const base = medians(runs[0]);
  const rows = runs.slice(1).map((each, i) => {
    const now = medians(each);
    return {
      variant: i === 0 ? 'bare (A/A)' : variants[i + 1],
      'added CPU µs/call': round(now.cpuMicros - base.cpuMicros),
      'added heap B/call': Math.round(now.heapBytes - base.heapBytes),
      'ratio CPU': round(now.cpuMicros / base.cpuMicros, 3),
    };
  });
  console.log(`${title}: bare ${round(base.cpuMicros)} µs CPU, ${Math.round(base.heapBytes)} B`);
  console.table(rows);
  return { base, runs: runs.slice(1).map(medians) };
}

function perEvent(few, many) {
  const events = 450;
  const rows = many.runs.map((run, i) => {
    const added = (key) => run[key] - many.base[key] - (few.runs[i][key] - few.base[key]);
    return {
      variant: ['bare (A/A)', 'middleware', 'observed', 'auto', 'logged'][i],
      'added CPU µs/event': round(added('cpuMicros') / events, 3),
      'added heap B/event': Math.round(added('heapBytes') / events),
    };
  });
  console.log('one further stream event (500 against 50, one event a chunk)');
  console.table(rows);
}

/** Over real sockets, against the simulator in a process of its own. */
function ttft(thinkMs, calls) {
  const runs = Array.from({ length: ROUNDS / 2 }, () => child('ttft.mjs', calls, thinkMs));
  const found = medians(runs);
  const rows = Object.entries(found).map(([variant, micros]) => ({
    variant,
    'TTFT p50 µs': Math.round(micros),
    'against bare': round(micros / found.bare, 3),
  }));
  console.log(`time to first token, over sockets, from a server that thinks for ${thinkMs} ms`);
  console.table(rows);
}

/** What a request costs that makes no call at all. */
function http(framework, rounds) {
  const found = child('http.mjs', framework, rounds);
  const rows = Object.entries(found).map(([variant, micros]) => ({
    variant,
    'CPU µs/request': round(micros),
    'throughput against header': round(found.header / micros, 3),
  }));
  console.log(`hello world on ${framework}, CPU of the server`);
  console.table(rows);
}

function state() {
  console.log('sketch and ledger');
  console.table(child('state.mjs', quick ? 300_000 : 1_000_000));
}

function budgets() {
  console.log('budgets, in process');
  console.table(child('budgets.mjs', quick ? 50_000 : 200_000));
}

function inTurns(variants, run) {
  const results = variants.map(() => []);
  const order = variants.map((_, i) => i);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const i of round % 2 === 0 ? order : [...order].reverse()) {
      results[i].push(run(variants[i]));
    }
  }
  return results;
}

function child(script, ...args) {
  const file = join(import.meta.dirname, script);
  const flags = [
    '--expose-gc',
    '--min-semi-space-size=256',
    '--max-semi-space-size=256',
    '--no-warnings',
  ];
  const out = execFileSync(process.execPath, [...flags, file, ...args.map(String)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out.trim().split('\n').at(-1));
}

function medians(runs) {
  const keys = Object.keys(runs[0]);
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))]));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function round(value, digits = 1) {
  return Number(value.toFixed(digits));
}
