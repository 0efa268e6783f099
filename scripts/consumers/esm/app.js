import { Anthropic } from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import * as express from '@claude-metrics/express';
import * as testing from '@claude-metrics/testing';
import framework from 'express';
import { expressApp } from '../scenario.cjs';

await expressApp({ core, express, testing, Anthropic, framework });
