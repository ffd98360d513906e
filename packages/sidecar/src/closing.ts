/** What has been opened, closed again in the opposite order. */
export interface Closing {
  /** Remembers how to close what was just opened. */
  last(close: () => void | Promise<void>): void;
  /** Closes everything, once; one that fails does not keep the others open. */
  now(): Promise<void>;
}

export function createClosing(): Closing {
  const opened: (() => void | Promise<void>)[] = [];
  return {
    last: (close) => void opened.push(close),
    async now() {
      for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
        try {
          await close();
        } catch {
          // It could not be closed, most likely because it is gone already: that is what was wanted.
        }
      }
    },
  };
}
