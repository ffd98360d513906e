import { BrokerRejectedError, BrokerUnavailableError, StoreUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { appendMessages, type Verdicts } from './append-messages.ts';
import { type BrokerFile, pauseMs } from './broker-file.ts';
import type { ResolvedSqliteBrokerOptions } from './options.ts';
import { sweepExpired } from './sweep.ts';

interface Call {
  readonly messages: readonly OutgoingMessage[];
  readonly giveUpAtMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: all calls of one turn of the event loop become one transaction
 * and share its flush. While another process has the file's lock they wait, and
 * those that come meanwhile join them.
 */
export class SqlitePublisher {
  readonly #file: BrokerFile;
  readonly #options: ResolvedSqliteBrokerOptions;
  readonly #published: () => void;
  readonly #closing = new AbortController();
  #waiting: Call[] = [];
  #flushing: Promise<void> | undefined;

  /** `published` is called after each commit. */
  constructor(file: BrokerFile, options: ResolvedSqliteBrokerOptions, published: () => void) {
    this.#file = file;
    this.#options = options;
    this.#published = published;
  }

  publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(new BrokerUnavailableError('The broker was closed by this process.'));
    }
    const giveUpAtMs = this.#options.clock.now() + this.#options.timeoutMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, giveUpAtMs, resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
  }

  /** What was given is tried once more; resolves when every call has its answer. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#flushing;
  }

  async #flushAll(): Promise<void> {
    let tries = 0;
    do {
      await endOfTurn();
      const failure = this.#flush();
      if (failure === undefined) {
        tries = 0;
        continue;
      }
      this.#giveUp(failure);
      // Rejects when it is closed meanwhile: then at once.
      if (this.#waiting.length > 0)
        await this.#options.clock.sleep(pauseMs(tries), this.#closing.signal).catch(() => {});
      tries += 1;
    } while (this.#waiting.length > 0);
    this.#flushing = undefined;
  }

  /** Returns why nothing was kept; the calls wait on then. */
  #flush(): StoreUnavailableError | undefined {
    const calls = this.#waiting;
    let verdicts: readonly Verdicts[];
    try {
      verdicts = this.#keep(calls);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return error;
      this.#waiting = [];
      for (const { reject } of calls) reject(error);
      return undefined;
    }
    this.#waiting = [];
    for (const [index, call] of calls.entries()) answer(call, verdicts[index]!);
    this.#published();
    return undefined;
  }

  #keep(calls: readonly Call[]): readonly Verdicts[] {
    const groups = calls.map(({ messages }) => messages);
    const nowMs = this.#options.clock.wallMs();
    return this.#file.write((sql) => {
      const wanted = groups.reduce((sum, { length }) => sum + length, 0);
      sweepExpired(sql, nowMs, wanted);
      return appendMessages(sql, groups, this.#options, nowMs);
    });
  }

  #giveUp(failure: StoreUnavailableError): void {
    const { clock } = this.#options;
    const closed = this.#closing.signal.aborted;
    const over = ({ giveUpAtMs }: Call) => closed || clock.now() >= giveUpAtMs;
    const late = this.#waiting.filter(over);
    this.#waiting = this.#waiting.filter((call) => !late.includes(call));
    for (const { reject } of late) reject(this.#file.unavailable(failure));
  }
}

function answer({ messages, resolve, reject }: Call, { postponed, rejected }: Verdicts): void {
  if (postponed.size + rejected.size === 0) {
    resolve();
    return;
  }
  const taken = messages
    .map(({ id }) => id)
    .filter((id) => !rejected.has(id) && !postponed.has(id));
  reject(new BrokerRejectedError({ rejected, postponed, taken: new Set(taken) }));
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
