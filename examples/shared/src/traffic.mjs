// People using the application: questions, summaries, labels, and somebody who closes the tab.

const QUESTIONS = [
  'Which of our plans includes single sign-on?',
  'My invoice of October shows two seats too many. Why?',
  'How do I move a workspace to another region without downtime?',
  'Draft a reply to a customer whose export failed twice.',
];
const REPORT = 'The quarter began slowly and ended well. '.repeat(120);

export function createTraffic({ url, tokens }) {
  let turn = 0;
  const token = () => tokens[turn % tokens.length];

  async function post(path, body, signal) {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token()}`,
      },
      body: JSON.stringify(body),
      signal,
    });
    return response.text();
  }

  const steps = [
    () => post('/chat/support', { text: QUESTIONS[turn % QUESTIONS.length] }),
    () => post('/labels', { texts: QUESTIONS }),
    () => post('/summaries', { text: REPORT }),
    () => post('/chat/sales', { text: QUESTIONS[turn % QUESTIONS.length] }),
    closeTheTab,
    () => post('/summaries', { text: REPORT.repeat(40) }),
    () => post('/summaries', { text: 'How do I leave a network without anybody noticing?' }),
  ];

  /** Reads the beginning of an answer and leaves. */
  async function closeTheTab() {
    const left = new AbortController();
    const response = await fetch(`${url}/chat/support`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token()}`,
      },
      body: JSON.stringify({ text: 'Tell me everything.' }),
      signal: left.signal,
    });
    await response.body.getReader().read();
    left.abort();
  }

  return {
    async step() {
      await steps[turn % steps.length]();
      turn += 1;
    },
    async steps(count) {
      for (let i = 0; i < count; i += 1) await this.step();
    },
  };
}
