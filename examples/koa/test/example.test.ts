import type Anthropic from '@anthropic-ai/sdk';
import { serve, type Served } from 'example-shared';
import { describeExample } from '../../shared/test/example.js';

const { createApp } = require('../src/app.mjs') as { createApp(client: Anthropic): Served };

describeExample(({ client, port }) => serve(createApp(client), port));
