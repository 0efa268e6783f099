const { Anthropic } = require('@anthropic-ai/sdk');
const core = require('@claude-metrics/core');
const express = require('@claude-metrics/express');
const testing = require('@claude-metrics/testing');
const { assertNames, observedCall } = require('../scenario.cjs');

assertNames({ core, express, testing });
void observedCall({ core, testing, Anthropic });
