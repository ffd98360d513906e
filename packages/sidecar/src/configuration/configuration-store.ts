/** Keeps what applications are configured with, and says when it changes. */
export interface ConfigurationStore {
  /** Those of the keys that are there; all, where none is named. */
  get(keys: readonly string[]): Promise<ConfigurationItems>;
  /**
   * Tells of changes until the signal aborts: one at a time, the latest where
   * there were several of a key. Of all keys, where none is named. Resolves
   * when no change can be missed any more.
   */
  subscribe(
    keys: readonly string[],
    changed: (key: string, item: ConfigurationItem | undefined) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

export interface ConfigurationItem {
  readonly value: string;
  readonly version?: string;
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>;
