import type Anthropic from '@anthropic-ai/sdk';
import { describeExample, type Running } from '../../shared/test/example.js';

const { createApp } = require('../src/app.mjs') as { createApp(client: Anthropic): object };
const { serve } = require('example-shared') as {
  serve(application: object, port: number): Promise<Running>;
};

describeExample(({ client, port }) => serve(createApp(client), port));
