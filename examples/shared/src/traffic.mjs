// People using the application: questions, summaries, labels, somebody who closes the tab, and Eve,
// whose trial ends before her questions do.

const QUESTIONS = [
  'Which of our plans includes single sign-on?',
  'My invoice of October shows two seats too many. Why?',
  'How do I move a workspace to another region without downtime?',
  'Draft a reply to a customer whose export failed twice.',
];
const REPORT = 'The quarter began slowly and ended well. '.repeat(120);

const TEAM = ['token-of-ada', 'token-of-grace', 'token-of-alan'];
const TRIAL = 'token-of-eve';

export function createTraffic({ url }) {
  let turn = 0;
  const teammate = () => TEAM[turn % TEAM.length];

  async function post(path, body, token = teammate()) {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify(body),
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
    askOnTrial,
  ];

  async function askOnTrial() {
    for (const text of QUESTIONS) await post('/chat/trial', { text }, TRIAL);
  }

  /** Reads the beginning of an answer and leaves. */
  async function closeTheTab() {
    const left = new AbortController();
    const response = await fetch(`${url}/chat/support`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${teammate()}`,
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
