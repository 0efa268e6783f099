// The application, as a team would have it: three features, users who sign in, one line of ours.
import Router from '@koa/router';
import { budgetErrors, claudeMonitor, trackFeature } from '@claude-metrics/koa';
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
import Koa from 'koa';
import { koaBody } from 'koa-body';
import { Readable } from 'node:stream';

/** @param {import('@anthropic-ai/sdk').Anthropic} client */
export function createApp(client) {
  const app = new Koa();

  const monitoring = claudeMonitor({ store: openStore(), budgets, alerts });
  app.use(monitoring);

  app.use(koaBody({ jsonLimit: '1mb' }));
  app.use(async (ctx, next) => {
    ctx.state.user = users.get(ctx.get('authorization').replace(/^Bearer /, ''));
    try {
      await next();
    } catch (error) {
      ctx.status = error.status ?? 502;
      ctx.body = { error: 'Claude could not answer.' };
    }
  });

  // Refused by a budget: 429, with what programs need to know.
  app.use(budgetErrors());

  const router = new Router();
  // The feature is the route, `POST /chat/:room`: no name was given.
  router.post('/chat/:room', async (ctx) => {
    const left = new AbortController();
    ctx.res.on('close', () => left.abort());
    const stream = client.messages.stream(
      { model: MODELS.chat, max_tokens: 1024, messages: [question(ctx.request.body.text)] },
      { signal: left.signal },
    );
    const deltas = deltasOf(stream, left.signal);
    // Awaited here: until the first one is there, an error can still be an answer of its own.
    const first = await deltas.next();
    ctx.type = 'text/plain';
    ctx.body = Readable.from(startingWith(first, deltas));
  });

  router.post('/summaries', trackFeature('summarise'), async (ctx) => {
    const message = await client.messages.create({
      model: MODELS.summarise,
      max_tokens: 2048,
      system: [{ type: 'text', text: HOUSE_STYLE, cache_control: { type: 'ephemeral' } }],
      messages: [question(ctx.request.body.text)],
    });
    ctx.body = { summary: textOf(message), refused: message.stop_reason === 'refusal' };
  });

  router.post('/labels', trackFeature('classify'), async (ctx) => {
    const labels = await Promise.all(
      ctx.request.body.texts.map(async (text) => {
        const message = await client.messages.create({
          model: MODELS.classify,
          max_tokens: 16,
          messages: [question(text)],
        });
        return textOf(message);
      }),
    );
    ctx.body = { labels };
  });

  app.use(router.routes());
  // Somebody who closes the tab is no error of ours.
  app.on('error', (error) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(error);
  });
  return { app, monitor: monitoring.monitor };
}

async function* startingWith(first, others) {
  if (first.done) return;
  yield first.value;
  yield* others;
}

async function* deltasOf(stream, signal) {
  try {
    for await (const event of stream) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
        yield event.delta.text;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
