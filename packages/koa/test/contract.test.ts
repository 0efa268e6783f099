import Anthropic from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import { adapterContract } from '@claude-metrics/testing';
import { createNamespace } from 'cls-hooked';
import request from 'supertest';
import { starter, versions } from './koa.js';

/** What every adapter must do, on every Koa and over both carriers of context. */
const MAJORS = { koa: /^3\./, 'koa-2': /^2\.16\./, 'koa-2.15': /^2\.15\./ };
const CARRIERS = [
  { carrier: 'AsyncLocalStorage', namespace: undefined },
  { carrier: 'cls-hooked', namespace: createNamespace('koa') },
];

describe.each(versions)('the adapter contract on $name', ({ name, Koa, resolved }) => {
  it('really runs on the version that it names', () => {
    expect(resolved).toMatch(MAJORS[name as keyof typeof MAJORS]);
  });

  describe.each(CARRIERS)('over $carrier', ({ namespace }) => {
    const cases = adapterContract({ core, Anthropic, request, namespace, start: starter(Koa) });
    it.each(cases)('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});
