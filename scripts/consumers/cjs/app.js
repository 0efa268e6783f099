const { Anthropic } = require('@anthropic-ai/sdk');
const core = require('@claude-metrics/core');
const express = require('@claude-metrics/express');
const koa = require('@claude-metrics/koa');
const nestjs = require('@claude-metrics/nestjs');
const testing = require('@claude-metrics/testing');
const common = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const framework = require('express');
const Koa = require('koa');
const { expressApp, koaApp, nestApp } = require('../scenario.cjs');

void (async () => {
  const packages = { core, testing, Anthropic };
  await expressApp({ ...packages, express, framework });
  await koaApp({ ...packages, koa, Koa });
  await nestApp({ ...packages, nestjs, common, NestFactory });
})();
