import { Anthropic } from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import * as express from '@claude-metrics/express';
import * as testing from '@claude-metrics/testing';
import { assertNames, observedCall } from '../scenario.cjs';

assertNames({ core, express, testing });
await observedCall({ core, testing, Anthropic });
