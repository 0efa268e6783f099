import cluster from 'node:cluster';

/**
 * Whether other processes run the same application beside this one, as far as a process can know it.
 *
 * - **worker**: one of several processes that `node:cluster` or PM2 has made of one application.
 * - **source**: whose figures a snapshot shows: those of all who share a store, or of one process.
 *
 * Containers, replicas and functions do not know of each other, and nothing here finds them.
 */
export interface Worker {
  readonly kind: 'cluster' | 'pm2';
  /** From 1; PM2 counts from 0. A worker that was started again is a new one to `node:cluster`. 0: the primary. */
  readonly index: number;
  /** `null`: not known here. A worker of `node:cluster` is not told; PM2 tells what it began with. */
  readonly count: number | null;
}

/** Whose figures these are. */
export interface SnapshotSource {
  /** Everybody who has the store open counts into it. */
  readonly shared: boolean;
  /** `null`: nothing says that there are others. */
  readonly worker: Worker | null;
  /** What to know before these figures are taken for all; `null` when there is nothing. */
  readonly text: string | null;
}

/** As much of `node:cluster` as is looked at. */
export interface ClusterFacts {
  /** In a worker. */
  readonly worker?: { readonly id: number } | undefined;
  /** In a primary: those that run. */
  readonly workers?: object | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which worker this process is; `null` when nothing says that there are several.
 *
 * @example
 * const worker = workerOf();
 * if (worker !== null) console.log(`worker ${worker.index} of ${worker.count ?? 'several'}`);
 */
export function workerOf(
  env: Environment = process.env,
  { worker, workers }: ClusterFacts = cluster,
): Worker | null {
  const pm2 = pm2WorkerOf(env);
  // PM2's daemon is the primary of all its applications: in its cluster mode, ids count all of them.
  if (env['exec_mode'] === 'cluster_mode' && env['pm_id'] !== undefined) return pm2;
  if (worker) return { kind: 'cluster', index: worker.id, count: null };
  const own = Object.keys(workers ?? {}).length;
  return own > 0 ? { kind: 'cluster', index: 0, count: own } : pm2;
}

/** What PM2 puts into the environment of each process, in both of its modes. */
function pm2WorkerOf(env: Environment): Worker | null {
  if (env['pm_id'] === undefined) return null;
  const instance = wholeNumber(env[env['instance_var'] || 'NODE_APP_INSTANCE']);
  const count = wholeNumber(env['instances']);
  if (instance === null) return null;
  const index = instance + 1;
  // After `pm2 scale` the number is still the one that the application began with.
  if (count === null || index > count)
    return index > 1 ? { kind: 'pm2', index, count: null } : null;
  return count > 1 ? { kind: 'pm2', index, count } : null;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

/**
 * @param shared Whether the store of cells is one that processes share.
 * @param ownBudgets There are budgets, and no store of them.
 */
export function sourceOf(
  shared: boolean,
  worker: Worker | null,
  ownBudgets = false,
): SnapshotSource {
  return { shared, worker, text: shared || worker === null ? null : warningOf(worker, ownBudgets) };
}

function warningOf({ index, count }: Worker, ownBudgets: boolean): string {
  const whose =
    index === 0
      ? `of the primary process only; its ${count === 1 ? 'worker counts' : 'workers count'} apart`
      : `of worker ${index} of ${count ?? 'several'} only`;
  return (
    `These are the figures ${whose}, and alerts go by them. ` +
    (ownBudgets ? 'Each worker has every budget for itself. ' : '') +
    'To see all workers together, give them one store: docs/cluster.md.'
  );
}
