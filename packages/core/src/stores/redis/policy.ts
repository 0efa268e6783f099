import type { Server } from './server.js';

/**
 * What the server does when it is full. One that evicts keys takes cells and money without a word, which
 * is worth one.
 *
 * @returns the notice, or `null` when there is nothing to say, or the server does not tell.
 */
export async function evictionNotice(server: Server): Promise<string | null> {
  const info = await server
    .send('read INFO memory', undefined, ['INFO', 'memory'])
    .then(String, () => '');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return null;
  return (
    `[claude-metrics] redisStore: maxmemory-policy is ${policy}: money and cells can vanish; ` +
    'use noeviction (CONFIG SET maxmemory-policy noeviction), or a server of its own.'
  );
}
