const { Anthropic } = require('@anthropic-ai/sdk');
const core = require('@claude-metrics/core');
const express = require('@claude-metrics/express');
const koa = require('@claude-metrics/koa');
const testing = require('@claude-metrics/testing');
const framework = require('express');
const Koa = require('koa');
const { assertNames, expressApp, koaApp, observedCall } = require('../scenario.cjs');

test('the packages export their names', () => {
  expect(() => assertNames({ core, express, koa, testing })).not.toThrow();
});

test('one observed call gives one record', async () => {
  await expect(observedCall({ core, testing, Anthropic })).resolves.toBeUndefined();
});

test('an Express app needs one line', async () => {
  const run = expressApp({ core, express, testing, Anthropic, framework });
  await expect(run).resolves.toBeUndefined();
});

test('a Koa app needs one line', async () => {
  await expect(koaApp({ core, koa, testing, Anthropic, Koa })).resolves.toBeUndefined();
});

test('a budget finds the calendar that is built in', async () => {
  const monitor = core.createMonitor({
    log: false,
    budgets: [{ usd: 1, per: 'day', timeZone: 'Africa/Casablanca' }],
  });
  await monitor.adjust({ budget: 'all-day', usd: 0.1, reason: 'a test' });
  const { budgets, health } = await monitor.snapshot();
  expect(health.faults).toEqual({});
  expect(Date.parse(budgets[0].to) - Date.parse(budgets[0].from)).toBeGreaterThan(22 * 3_600_000);
  await monitor.close();
});
