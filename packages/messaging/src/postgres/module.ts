/** What of `pg` is called: hand in a `Pool` of `pg` 8, or anything with these methods. */
export interface PostgresPool {
  connect(callback: (error: Error | undefined, client: PooledClient | undefined) => void): void;
  /** Errors of idle connections, which would end the process where nobody listens. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly options?: { readonly max?: number };
}

/** A client in a transaction of yours, or one out of the pool. */
export interface PostgresClient {
  query(sql: string, values?: unknown[]): Promise<PostgresRows>;
}

export interface PostgresRows {
  // biome-ignore lint/suspicious/noExplicitAny: what `pg` says of its rows.
  readonly rows: any[];
}

export interface PooledClient extends PostgresClient {
  /** `true`: the connection is not to be used again. */
  release(broken?: boolean): void;
  on(event: 'notification' | 'error' | 'end', listener: (about?: unknown) => void): unknown;
  removeListener(event: string, listener: (about?: unknown) => void): unknown;
}
