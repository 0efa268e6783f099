/**
 * What the store uses of the application's `pg` pool. The pool stays the application's: the store
 * takes a client for one transaction and gives it back, and never ends the pool.
 */
export interface PostgresPool {
  connect(callback: (error: Error | undefined, client?: PostgresClient) => void): unknown;
}

export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<unknown>;
  /** With an error the connection is closed rather than used again. */
  release(error?: Error | boolean): void;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  removeListener?(event: 'error', listener: (error: Error) => void): unknown;
}
