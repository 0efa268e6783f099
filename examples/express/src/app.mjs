// The application, as a team would have it: three features, users who sign in, one line of ours.
import { budgetErrors, claudeMonitor, trackFeature } from '@claude-metrics/express';
import {
  alerts,
  budgets,
  HOUSE_STYLE,
  MODELS,
  openStore,
  question,
  textOf,
  users,
} from 'example-shared';
import express from 'express';
import { logger } from './logger.mjs';

/** @param {import('@anthropic-ai/sdk').Anthropic} client */
export function createApp(client) {
  const app = express();

  // Calls, alerts and what budgets have to say go where everything else goes.
  const monitoring = claudeMonitor({ store: openStore(), budgets, alerts, log: logger });
  app.use(monitoring);

  app.use(express.json({ limit: '1mb' }));
  app.use((req, res, next) => {
    req.user = users.get(req.get('authorization')?.replace(/^Bearer /, '') ?? '');
    next();
  });

  // The feature is the route, `POST /chat/:room`: no name was given.
  app.post('/chat/:room', async (req, res) => {
    const left = new AbortController();
    res.on('close', () => left.abort());
    res.type('text/plain');
    const stream = client.messages.stream(
      { model: MODELS.chat, max_tokens: 1024, messages: [question(req.body.text)] },
      { signal: left.signal },
    );
    try {
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
          res.write(event.delta.text);
        }
      }
    } catch (error) {
      if (!left.signal.aborted) throw error;
    }
    res.end();
  });

  app.post('/summaries', trackFeature('summarise'), async (req, res) => {
    const message = await client.messages.create({
      model: MODELS.summarise,
      max_tokens: 2048,
      system: [{ type: 'text', text: HOUSE_STYLE, cache_control: { type: 'ephemeral' } }],
      messages: [question(req.body.text)],
    });
    res.json({ summary: textOf(message), refused: message.stop_reason === 'refusal' });
  });

  app.post('/labels', trackFeature('classify'), async (req, res) => {
    const labels = await Promise.all(
      req.body.texts.map(async (text) => {
        const message = await client.messages.create({
          model: MODELS.classify,
          max_tokens: 16,
          messages: [question(text)],
        });
        return textOf(message);
      }),
    );
    res.json({ labels });
  });

  // Refused by a budget: 429, with what programs need to know.
  app.use(budgetErrors());
  app.use((error, req, res, _next) => {
    logger.error('Claude could not answer.', { path: req.path, status: error.status });
    res.status(error.status ?? 502).json({ error: 'Claude could not answer.' });
  });
  return { app, monitor: monitoring.monitor };
}
