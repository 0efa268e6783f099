/** The documentation and the code name the same things, and its examples run. */
import Anthropic from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import * as adapter from '@claude-metrics/express';
import express from 'express';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import {
  adapterContract,
  answers,
  createSimulator,
  replay,
  type Answer,
  type ContractCase,
  type Simulator,
} from '../src/index.js';
import { clientOf, QUESTION, STREAM } from './sdk.js';

const root = join(__dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8');
const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

function examplesIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code = '']) => code);
  return blocks.map((code) => code.replace(/^import .*$/gm, ''));
}

function run(code: string, names: Readonly<Record<string, unknown>>): Promise<unknown> {
  return new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
}

const [jestExample = '', ...others] = examplesIn(page);
const contractExample = others.find((code) => code.includes('adapterContract(')) ?? '';
const scripts = others.filter((code) => code !== contractExample);
const [readmeExample = ''] = examplesIn(readme);

/** Names in the first column of the table that has this heading. */
function rowsOf(heading: string): string[] {
  const table = page.split(new RegExp(`^\\| ${heading} +\\|.*$`, 'm'))[1]?.split('\n\n')[0] ?? '';
  const cells = [...table.matchAll(/^\| (`[^|]*?) +\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name));
}

it('runs the example of the README', async () => {
  const lines: unknown[] = [];
  const console = { log: (line: unknown) => lines.push(line) };
  await run(readmeExample, { Anthropic, answers, createSimulator, console });
  expect(lines).toEqual(['Paris', [529, 200]]);
});

it('runs the Jest example of the page', async () => {
  const hooks: Record<string, (() => unknown)[]> = {};
  const tests: [string, () => unknown][] = [];
  const hook = (name: string) => (fn: () => unknown) => (hooks[name] ??= []).push(fn);
  const all = async (name: string) => {
    for (const fn of hooks[name] ?? []) await fn();
  };
  const jestNames = {
    beforeAll: hook('beforeAll'),
    beforeEach: hook('beforeEach'),
    afterAll: hook('afterAll'),
    it: (name: string, fn: () => unknown) => tests.push([name, fn]),
  };
  await run(jestExample, { Anthropic, answers, createSimulator, expect, ...jestNames });
  expect(tests).toHaveLength(2);
  await all('beforeAll');
  for (const [, test] of tests) {
    await all('beforeEach');
    await test();
  }
  await all('afterAll');
  expect.assertions(4);
});

it('runs the contract as the page does', async () => {
  // Express prints what nobody handles.
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  let cases: readonly ContractCase[] = [];
  const each = (given: typeof cases) => () => (cases = given);
  const names = { core, Anthropic, adapterContract, express, once, request, ...adapter };
  await run(contractExample, { ...names, it: { each } });
  expect(cases.length).toBeGreaterThan(50);
  for (const { run: play } of cases) await play();
  printed.mockRestore();
});

it('names every part of a subject and of an application', () => {
  const given = /adapterContract\(\{ (.*) \}\)/.exec(contractExample)?.[1]?.split(', ') ?? [];
  expect(rowsOf('subject').sort()).toEqual([...given, 'namespace'].sort());
  const taken = /const \{([^]*?)\} = application;/.exec(contractExample)?.[1]?.match(/\b[a-z]\w+/g);
  expect(rowsOf('application')).toEqual(taken);
});

describe('the scripts of the page', () => {
  let simulator: Simulator;
  beforeEach(async () => (simulator = await createSimulator()));
  afterEach(() => simulator.close());
  const ask = (params: object) =>
    clientOf(simulator, Anthropic).messages.create({ ...QUESTION, ...params });
  const play = (words: string, names: object = {}) =>
    run(scripts.find((code) => code.includes(words)) ?? '', {
      ...{ simulator, answers, replay },
      ...names,
    });

  it('are these', () => {
    expect(scripts).toHaveLength(6);
  });

  it('decide by the request', async () => {
    await play('claude-opus');
    await expect(ask({ model: 'claude-opus-5-5' })).rejects.toMatchObject({ status: 529 });
    const messages = [{ role: 'user', content: 'How is the weather?' }];
    expect(await ask({ messages })).toMatchObject({ stop_reason: 'tool_use' });
    expect(await ask({})).toMatchObject({ stop_reason: 'end_turn' });
  });

  it('refuse what a budget does not allow', async () => {
    const said = jest.spyOn(console, 'warn').mockImplementation(() => {});
    await play('budgets:', { ...core, Anthropic, question: QUESTION, expect });
    expect(said).toHaveBeenCalledWith(expect.stringContaining('"all-day" has no room for a call'));
    said.mockRestore();
    expect.assertions(3);
  });

  it('replay', async () => {
    await play('replay(');
    const stream = await clientOf(simulator, Anthropic).messages.create(STREAM);
    for await (const { type } of stream) expect(type).toMatch(/^message_st/);
    await simulator.idle();
    expect(simulator.requests[0]?.eventsSent).toBe(2);
    expect.assertions(3);
  });

  it('give exact usage', async () => {
    await play('thinking_tokens');
    expect((await ask({})).usage).toMatchObject({
      input_tokens: 12,
      cache_read_input_tokens: 30_000,
      output_tokens: 400,
      output_tokens_details: { thinking_tokens: 150 },
    });
  });

  it('report a bill', async () => {
    await play('simulator.bill');
    const client = new Anthropic({ apiKey: 'sk-ant-admin01-x', baseURL: simulator.url });
    const query = { starting_at: '2026-11-20T00:00:00Z', ending_at: '2026-11-21T00:00:00Z' };
    const report = (path: string) => client.get(`/v1/organizations/${path}`, { query });
    expect(await report('usage_report/messages')).toMatchObject({
      data: [{ results: [{ uncached_input_tokens: 1_000 }] }],
    });
    expect(await report('cost_report')).toMatchObject({ data: [{ results: [{ amount: '0.4' }] }] });
  });

  it('answer a batch', async () => {
    await play('customId');
    const { batches } = clientOf(simulator, Anthropic).messages;
    const requests = ['first', 'second'].map((custom_id) => ({ custom_id, params: QUESTION }));
    const { id } = await batches.create({ requests });
    const { request_counts } = await batches.retrieve(id);
    expect(request_counts).toMatchObject({ succeeded: 1, errored: 1 });
  });
});

describe('the tables of the page', () => {
  let simulator: Simulator;
  beforeAll(async () => (simulator = await createSimulator()));
  afterAll(() => simulator.close());

  /** Of a message that names what is allowed. */
  const namesAfter = (words: RegExp, answer: object): string[] => {
    try {
      simulator.enqueue(answer as Answer);
    } catch (error) {
      return words.exec(String(error))?.[1]?.split(', ') ?? [];
    }
    return [];
  };

  it('name every field of an answer', () => {
    expect(rowsOf('field')).toEqual(namesAfter(/Fields are: (.*)\.$/, { nothing: 1 }));
  });

  it('name every ending', () => {
    expect(rowsOf('ending')).toEqual(namesAfter(/must be one of (.*), got/, { ending: 1 }));
  });

  it('name every ready-made answer, and every member of the simulator', () => {
    expect(rowsOf('answer').sort()).toEqual(Object.keys(answers).sort());
    expect(rowsOf('member').sort()).toEqual(Object.keys(simulator).sort());
  });

  it('name every field of a request', async () => {
    await clientOf(simulator, Anthropic).messages.create(QUESTION);
    const reported = Object.keys(simulator.requests[0] ?? {});
    expect(rowsOf('request').sort()).toEqual(reported.sort());
  });
});
