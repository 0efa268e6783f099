// What the application asks Claude, whatever framework it is written with.

export const MODELS = {
  chat: 'claude-sonnet-5-5',
  summarise: 'claude-opus-5-5',
  classify: 'claude-haiku-5-5',
};

// Long enough that caching it pays.
export const HOUSE_STYLE = `Summarise for a busy reader.\n${'Plain words, short sentences, figures before opinions, no adverbs. '.repeat(80)}`;

/** @param {string} content */
export function question(content) {
  return { role: /** @type {const} */ ('user'), content };
}

/** @param {{ content: readonly { type: string, text?: string }[] }} message */
export function textOf(message) {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
