// Claude, or what stands for it here: a local server that speaks the Anthropic API. It answers as the
// real one does on an ordinary day: mostly well, sometimes busy, and now and then it refuses.
import { answers, createSimulator } from '@claude-metrics/testing';

const CHAT =
  'Single sign-on is part of the Business plan. An owner can switch it on under Settings, ' +
  'Security; after that, everybody signs in through your identity provider. ';
const SUMMARY = 'Revenue recovered in March. Churn fell. Hiring is paused until the autumn.';

export async function startSimulator() {
  let requests = 0;
  return createSimulator({
    respond({ body, retryCount }) {
      requests += 1;
      // Every ninth request finds the service busy; the SDK tries again, and that works.
      if (requests % 9 === 0 && retryCount === 0) {
        return { ...answers.overloaded(), headers: { 'retry-after-ms': '120' } };
      }
      const text = JSON.stringify(body?.messages ?? '');
      if (text.length > 100_000) return answers.promptTooLong();
      if (text.includes('without anybody noticing')) return answers.refusal('cyber');
      if (body?.stream === true) {
        const timing = { headersMs: 60, firstEventMs: 90, betweenMs: 8 };
        return { content: CHAT.repeat(3), chunkText: 12, timing };
      }
      if (body?.model?.includes('haiku')) {
        return { content: 'billing', timing: { headersMs: 40 + (requests % 5) * 12 } };
      }
      return { content: SUMMARY, timing: { headersMs: 350 } };
    },
  });
}
