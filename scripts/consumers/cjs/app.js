const { Anthropic } = require('@anthropic-ai/sdk');
const core = require('@claude-metrics/core');
const express = require('@claude-metrics/express');
const testing = require('@claude-metrics/testing');
const framework = require('express');
const { expressApp } = require('../scenario.cjs');

void expressApp({ core, express, testing, Anthropic, framework });
