import type { Timer } from '../clock.ts';
import { scopeOf } from '../engine/scope.ts';
import type { StageWorld } from '../engine/stage.ts';
import type { CacheStore, StoredAnswer } from './cache-store.ts';

export interface StoreLimits {
  readonly storeTimeoutMs: number;
  readonly storePauseMs: number;
}

/** Asks a store that may fail, hang or throw: after `storeTimeoutMs` at the latest it has an answer, be it none. */
export class StoreAccess {
  readonly #store: CacheStore;
  readonly #world: StageWorld;
  readonly #policy: string;
  readonly #limits: StoreLimits;
  #pausedUntilMs = -Infinity;

  constructor(store: CacheStore, world: StageWorld, policy: string, limits: StoreLimits) {
    this.#store = store;
    this.#world = world;
    this.#policy = policy;
    this.#limits = limits;
  }

  /** Whether it is worth asking. */
  get isUp(): boolean {
    return this.#world.clock.now() >= this.#pausedUntilMs;
  }

  /** Calls back once, and never at once; with nothing where the store has nothing, or has failed. */
  get(key: string, call: number, found: (answer: StoredAnswer | undefined) => void): void {
    this.#limited(() => this.#store.get(this.#name(key)), call, found);
  }

  /** Keeps an answer; nobody waits for that. */
  set(key: string, value: unknown, keepMs: number, call: number): void {
    if (this.isUp)
      this.#limited(() => this.#store.set(this.#name(key), value, keepMs), call, ignore);
  }

  /**
   * Forgets one answer, or all of this cache's. Asked also of a store that is left alone just now,
   * for somebody waits for it; rejects as it does.
   */
  forget(key: string | undefined): Promise<void> {
    const { storeTimeoutMs } = this.#limits;
    return new Promise((resolve, reject) => {
      const timer = this.#world.clock.timer(storeTimeoutMs, () =>
        reject(new Error(`The cache store did not answer within ${storeTimeoutMs} ms.`)),
      );
      const asked = async () => {
        if (key !== undefined) return this.#store.delete(this.#name(key));
        if (this.#store.clear !== undefined) return this.#store.clear(this.#name(''));
        throw new TypeError(`The store of the cache "${this.#policy}" has no method clear.`);
      };
      asked()
        .finally(() => timer.cancel())
        .then(resolve, reject);
    });
  }

  #name(key: string): string {
    return `${scopeOf(this.#world)}/${this.#policy}:${key}`;
  }

  #limited<T>(
    ask: () => Promise<T | undefined>,
    call: number,
    done: (answer: T | undefined) => void,
  ): void {
    const { storeTimeoutMs } = this.#limits;
    let timer: Timer | undefined;
    const end = (failed: boolean, answer: T | undefined, error?: unknown) => {
      if (timer === undefined) return;
      timer.cancel();
      timer = undefined;
      if (failed) this.#failed(call, error);
      done(answer);
    };
    timer = this.#world.clock.timer(storeTimeoutMs, () => {
      const error = new Error(`The cache store did not answer within ${storeTimeoutMs} ms.`);
      end(true, undefined, error);
    });
    // In a promise of its own: a store that throws at once is a store that fails.
    void (async () => ask())().then(
      // Redis' own clients say null for what is not there.
      (answer) => end(false, answer ?? undefined),
      (error: unknown) => end(true, undefined, error),
    );
  }

  #failed(call: number, error: unknown): void {
    const { clock, reporter } = this.#world;
    this.#pausedUntilMs = clock.now() + this.#limits.storePauseMs;
    if (reporter.listening) {
      reporter.report(call, { type: 'store-failed', policy: this.#policy, error });
    }
  }
}

function ignore(): void {}
