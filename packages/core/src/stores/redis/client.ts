/**
 * The application's client, whichever library it is of, as the few things that the store asks of it.
 * The libraries are told apart by their methods and never imported.
 *
 * - **commands**: sends a command to the server, in a cluster to the node that has the key.
 */
export interface Commands {
  readonly library: Library;
  send(key: string | undefined, args: readonly string[]): Promise<unknown>;
  /** Opens a connection of its own for `channel`. Returns what closes it again. */
  subscribe(channel: string, told: () => void): Promise<() => Promise<void>>;
  /** What the client says about its connection, to be shown; `null` when it says nothing. */
  state(): string | null;
}

export type Library = 'ioredis' | 'ioredis cluster' | 'node-redis' | 'node-redis cluster';

/** `Redis` or `Cluster` of ioredis. */
export interface IoredisClient {
  call(command: string, args: string[]): Promise<unknown>;
  duplicate(): unknown;
}

/** What `createClient()` or `createCluster()` of node-redis gives. */
export interface NodeRedisClient {
  sendCommand(...args: never[]): Promise<unknown>;
  duplicate(): unknown;
}

export type RedisClient = IoredisClient | NodeRedisClient;

interface Ioredis extends IoredisClient {
  readonly isCluster?: boolean;
  readonly status?: string;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

interface NodeRedis {
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
  sendCommand(args: readonly string[]): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

interface NodeRedisCluster {
  readonly isOpen?: boolean;
  sendCommand(
    key: string | undefined,
    isReadonly: boolean,
    args: readonly string[],
  ): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

interface NodeRedisSubscriber {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: () => void): Promise<unknown>;
  destroy(): void;
}

/** @returns `null` for what is no client of these libraries. */
export function commandsOf(client: unknown): Commands | null {
  if (has(client, 'call', 'duplicate', 'subscribe', 'disconnect')) {
    return ofIoredis(client as Ioredis);
  }
  if (!has(client, 'sendCommand', 'duplicate')) return null;
  if (has(client, 'nodeClient')) return ofNodeRedisCluster(client as NodeRedisCluster);
  return ofNodeRedis(client as NodeRedis);
}

function has(client: unknown, ...names: readonly string[]): boolean {
  if (typeof client !== 'object' || client === null) return false;
  return names.every((name) => typeof (client as Record<string, unknown>)[name] === 'function');
}

function ofIoredis(client: Ioredis): Commands {
  return {
    library: client.isCluster === true ? 'ioredis cluster' : 'ioredis',
    // In lower case: that is how ioredis finds out which arguments are keys.
    send: (_, args) => client.call(args[0]!.toLowerCase(), args.slice(1)),
    async subscribe(channel, told) {
      const copy = client.duplicate() as Ioredis;
      // It comes back by itself; what was missed costs delay, and nothing else.
      copy.on('error', () => undefined);
      copy.on('message', told);
      try {
        await copy.subscribe(channel);
      } catch (error) {
        copy.disconnect();
        throw error;
      }
      return async () => copy.disconnect();
    },
    state: () => client.status ?? null,
  };
}

function ofNodeRedis(client: NodeRedis): Commands {
  return {
    library: 'node-redis',
    send: (_, args) => client.sendCommand(args),
    subscribe: (channel, told) => subscribeNodeRedis(client.duplicate(), channel, told),
    state() {
      if (client.isOpen === false) return 'closed';
      if (client.isReady === undefined) return null;
      return client.isReady ? 'ready' : 'connecting';
    },
  };
}

function ofNodeRedisCluster(client: NodeRedisCluster): Commands {
  return {
    library: 'node-redis cluster',
    send: (key, args) => client.sendCommand(key, false, args),
    subscribe: (channel, told) => subscribeNodeRedis(client.duplicate(), channel, told),
    state: () => (client.isOpen === false ? 'closed' : null),
  };
}

async function subscribeNodeRedis(
  copy: NodeRedisSubscriber,
  channel: string,
  told: () => void,
): Promise<() => Promise<void>> {
  copy.on('error', () => undefined);
  try {
    await copy.connect();
    await copy.subscribe(channel, () => told());
  } catch (error) {
    destroy(copy);
    throw error;
  }
  return async () => destroy(copy);
}

/** It throws when there is nothing open. */
function destroy(copy: NodeRedisSubscriber): void {
  try {
    copy.destroy();
  } catch {
    // Closed already.
  }
}
