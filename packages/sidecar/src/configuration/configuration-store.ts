/** Keeps what applications are configured with, and says when it changes. */
export interface ConfigurationStore {
  /** Those of the keys that are there; all, where none is named. `signal` aborts when nobody waits any more. */
  get(keys: readonly string[], signal?: AbortSignal): Promise<ConfigurationItems>;
  /**
   * Tells of changes until the signal aborts: one at a time, the latest where
   * there were several of a key. Of all keys, where none is named. Resolves
   * when no change can be missed any more.
   */
  subscribe(
    keys: readonly string[],
    changed: (key: string, item: ConfigurationItem | undefined) => Promise<void>,
    signal: AbortSignal,
    /** Of the request. @default none */
    metadata?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** What it calls a subscription that is not there. @default as in Dapr's Redis */
  readonly missing?: (id: string) => string;
  close(): Promise<void>;
}

export interface ConfigurationItem {
  /** An empty one is not shown. */
  readonly value?: string;
  readonly version?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>;
