import { isPolicyError, type Pipeline, pipeline, type Timer } from '@holdfast/core';
import type { Broker } from '../broker.ts';
import { sealedWith } from '../encrypted/sealed-mark.ts';
import { endOfTurn } from '../end-of-turn.ts';
import { errorLine } from '../error-text.ts';
import { type BrokerRejectedError, EXPIRED, StoreUnavailableError } from '../errors.ts';
import type { Lease, MessageStore } from '../store.ts';
import { tellListener } from '../tell-listener.ts';
import { PublishSpans } from '../trace/publish-spans.ts';
import { Doorbell } from './doorbell.ts';
import type { RelayEvent } from './events.ts';
import {
  isRejection,
  type RelayOptions,
  type ResolvedRelayOptions,
  relayPolicies,
  resolveRelayOptions,
} from './options.ts';
import { SetAside } from './set-aside.ts';
import { Suspects } from './suspects.ts';

export type { RelayEvent } from './events.ts';
export { RELAY_DEFAULTS, type RelayOptions, relayPolicies } from './options.ts';

/** Hands what waits in a store to a broker, until it is stopped. */
export interface Relay {
  /** Looks for messages now instead of at its next poll. */
  wake(): void;
  inspect(): RelaySnapshot;
  /** Finishes the batch in flight, or gives it back after `graceMs`. */
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}

export interface RelaySnapshot {
  /** `paused`: the broker or the store could not be used, and the relay waits before it tries again. */
  readonly state: 'idle' | 'publishing' | 'paused' | 'stopped';
  readonly pipeline: Pipeline;
  /** The last failure; undefined when the last batch went through. */
  readonly problem: unknown;
}

export function startRelay(store: MessageStore, broker: Broker, given: RelayOptions): Relay {
  return new StoreRelay(store, broker, resolveRelayOptions(given));
}

/** It works on for so long at most before whatever else waits in this process has a turn. */
const BUSY_MS = 10;

class StoreRelay implements Relay {
  readonly ended: Promise<void>;
  readonly #store: MessageStore;
  readonly #broker: Broker;
  readonly #options: ResolvedRelayOptions;
  readonly #pipeline: Pipeline;
  readonly #bell: Doorbell;
  readonly #suspects = new Suspects();
  readonly #aside: SetAside;
  /** Acknowledged but not marked, because the store failed: never to be sent by us again. */
  readonly #unmarked = new Set<string>();
  readonly #abort = new AbortController();
  #stopping = false;
  #state: RelaySnapshot['state'] = 'idle';
  #problem: unknown;
  #failures = 0;
  #delivered = 0;
  /** When other work of this process had its turn last. */
  #letOthersMs: number;

  constructor(store: MessageStore, broker: Broker, options: ResolvedRelayOptions) {
    this.#store = store;
    this.#broker = broker;
    this.#options = options;
    const { name, clock, random, report } = options;
    this.#pipeline =
      options.pipeline ??
      pipeline(name, relayPolicies(), { clock, random, ...(report && { report }) });
    this.#bell = new Doorbell(clock);
    this.#letOthersMs = clock.now();
    this.#aside = new SetAside(store, options.batchSize, options.leaseMs);
    this.ended = this.#run();
  }

  wake(): void {
    // A new message is no reason to try a broken broker sooner.
    if (this.#state !== 'paused') this.#bell.ring();
  }

  inspect(): RelaySnapshot {
    return { state: this.#state, pipeline: this.#pipeline, problem: this.#problem };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#bell.ring();
    const { clock, graceMs } = this.#options;
    const limit = clock.timer(graceMs, () =>
      this.#abort.abort(new Error('The relay was stopped.')),
    );
    await this.ended;
    limit.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#step();
      } catch (error) {
        await this.#pause(error);
      }
    }
    // A store that fails now frees them when their leases lapse.
    await this.#aside.free().catch(() => {});
    this.#state = 'stopped';
    if (this.#options.pipeline === undefined) this.#pipeline[Symbol.dispose]();
  }

  /** Publishes one batch, or waits for one. Throws what stands in the way. */
  async #step(): Promise<void> {
    const { batchSize, leaseMs, pollMs } = this.#options;
    // After a failure one message is enough to find out whether the broker is back.
    const found =
      this.#failures === 0 ? await this.#store.lease(batchSize, leaseMs) : await this.#aside.next();
    await this.#refuseSealed(found);
    const unsent = await this.#markLate(found);
    if (unsent === undefined) return;
    const leases = await this.#buryExpired(unsent);
    if (leases.length < unsent.length) await this.#letOthers();
    if (leases.length === 0) {
      if (unsent.length > 0) return;
      this.#state = 'idle';
      await this.#wait(pollMs);
      return;
    }
    this.#state = 'publishing';
    await this.#publish(leases);
    await this.#aside.free();
    this.#failures = 0;
    this.#problem = undefined;
    await this.#letOthers();
  }

  /** A store and a broker in this process may go through a million messages without a pause. */
  async #letOthers(): Promise<void> {
    const { clock } = this.#options;
    if (clock.now() - this.#letOthersMs < BUSY_MS) return;
    await endOfTurn(clock);
    this.#letOthersMs = clock.now();
  }

  /** Whoever forgot the keys must not send cipher text to people who cannot read it. */
  async #refuseSealed(leases: readonly Lease[]): Promise<void> {
    const sealed = leases.find(({ message }) => sealedWith(message) !== undefined);
    if (sealed === undefined) return;
    await this.#store.release(leases, { delayMs: 0, attempted: false });
    const { message } = sealed;
    throw new StoreUnavailableError(
      `Message "${message.id}" is encrypted with key "${sealedWith(message)}", and this relay has no keys: open its store with encryptedStore and that key.`,
      this.#options.maxPauseMs,
    );
  }

  /** What nobody wants any more is not sent. */
  async #buryExpired(leases: readonly Lease[]): Promise<readonly Lease[]> {
    const expired = leases.filter((lease) => lease.expired);
    if (expired.length === 0) return leases;
    await this.#store.bury(expired, EXPIRED);
    for (const { message } of expired) {
      this.#suspects.acquit(message.id);
      this.#tell({ type: 'died', id: message.id, reason: EXPIRED });
    }
    return leases.filter((lease) => !lease.expired);
  }

  async #publish(leases: readonly Lease[]): Promise<void> {
    const { clock, tracer } = this.#options;
    const given = leases.map(({ message }) => message);
    let spans: PublishSpans | undefined;
    const startedMs = clock.now();
    const renewal = this.#keepLeased(leases);
    let attempted = false;
    try {
      await this.#pipeline.execute(
        () => {
          attempted = true;
          // Not sooner: what an open circuit refuses was never sent.
          if (tracer) spans ??= new PublishSpans(tracer, given, this.#broker.system);
          return this.#broker.publish(spans?.messages ?? given);
        },
        { signal: this.#abort.signal },
      );
      spans?.end();
    } catch (error) {
      spans?.end(error);
      if (isRejection(error)) await this.#sort(leases, error);
      else await this.#giveBack(leases, error, attempted);
      return;
    } finally {
      renewal.cancel();
    }
    await this.#taken(leases);
    this.#tell({ type: 'published', messages: leases.length, durationMs: clock.now() - startedMs });
  }

  /** The broker has acknowledged these. */
  async #taken(leases: readonly Lease[]): Promise<void> {
    this.#delivered += leases.length;
    for (const { message } of leases) {
      this.#suspects.acquit(message.id);
      this.#unmarked.add(message.id);
    }
    await this.#mark(leases);
  }

  async #mark(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    const done = await this.#store.complete(leases);
    for (const { message } of leases) this.#unmarked.delete(message.id);
    if (done < leases.length) {
      this.#tell({ type: 'lapsed', messages: leases.length - done });
    }
  }

  /** Marks what was acknowledged while the store could not be written. Returns what is to be sent. */
  async #markLate(leases: readonly Lease[]): Promise<readonly Lease[] | undefined> {
    if (this.#unmarked.size === 0) return leases;
    const late = leases.filter(({ message }) => this.#unmarked.has(message.id));
    if (late.length === 0) return leases;
    await this.#mark(late);
    const rest = leases.filter((lease) => !late.includes(lease));
    return rest.length === 0 ? undefined : rest;
  }

  /** The broker is well and refused some: for good, which is death, or for now. */
  async #sort(leases: readonly Lease[], refusal: BrokerRejectedError): Promise<void> {
    const { rejected, postponed, taken } = refusal;
    await this.#taken(leases.filter(({ message }) => taken.has(message.id)));
    for (const lease of leases) {
      const reason = rejected.get(lease.message.id);
      if (reason === undefined) continue;
      await this.#store.bury([lease], reason);
      this.#tell({ type: 'died', id: lease.message.id, reason });
    }
    const { pauseMs, maxPauseMs } = this.#options;
    for (const lease of leases) {
      const error = postponed.get(lease.message.id);
      if (error === undefined) continue;
      const delayMs = Math.min(maxPauseMs, pauseMs * 2 ** Math.min(lease.delivery - 1, 20));
      await this.#store.release([lease], { delayMs, error });
    }
    const sorted = (id: string) => rejected.has(id) || postponed.has(id) || taken.has(id);
    const rest = leases.filter(({ message }) => !sorted(message.id));
    if (rest.length > 0) await this.#store.release(rest, { delayMs: 0, attempted: false });
  }

  /** An outage, as far as anybody can tell: nothing is dead, all of it is sent again. */
  async #giveBack(leases: readonly Lease[], error: unknown, attempted: boolean): Promise<void> {
    const { poisonAfter } = this.#options;
    const [alone] = leases;
    if (!attempted || leases.length > 1 || alone === undefined || this.#abort.signal.aborted) {
      await this.#store.release(leases, { delayMs: 0, attempted });
      throw error;
    }
    // It was sent, so that a circuit which then refused the retry is not why it failed.
    const why = errorLine((isPolicyError(error) && error.cause) || error);
    const strikes = this.#suspects.strike(alone.message.id, this.#delivered);
    if (strikes >= poisonAfter) {
      const reason = `failed ${strikes} times while other messages went through; last: ${why}`;
      await this.#store.bury([alone], reason);
      this.#suspects.acquit(alone.message.id);
      this.#tell({ type: 'died', id: alone.message.id, reason });
      return;
    }
    await this.#aside.add(alone, why);
    throw error;
  }

  async #pause(error: unknown): Promise<void> {
    this.#problem = error;
    if (this.#stopping) return;
    this.#failures += 1;
    this.#state = 'paused';
    const pauseMs = this.#pauseAfter(error);
    const why = error instanceof StoreUnavailableError ? 'store' : 'broker';
    this.#tell({ type: 'paused', why, pauseMs, error });
    await this.#wait(pauseMs);
  }

  #tell(event: RelayEvent): void {
    tellListener(this.#options.onEvent, event);
  }

  async #wait(ms: number): Promise<void> {
    await this.#bell.wait(ms);
    this.#letOthersMs = this.#options.clock.now();
  }

  /** As long as whoever refused says, else longer each time, with jitter. */
  #pauseAfter(error: unknown): number {
    const { pauseMs, maxPauseMs, random } = this.#options;
    const known = isPolicyError(error) || error instanceof StoreUnavailableError;
    const hintMs = known ? (error.retryAfterMs ?? 0) : 0;
    const ceilingMs = Math.min(maxPauseMs, pauseMs * 2 ** Math.min(this.#failures - 1, 20));
    return Math.max(hintMs, ceilingMs / 2 + (random.next() * ceilingMs) / 2);
  }

  /** Renews the leases while they are being published. What it cannot renew, another relay may take. */
  #keepLeased(leases: readonly Lease[]): Timer {
    const { clock, leaseMs } = this.#options;
    let timer = clock.timer(leaseMs / 2, renew);
    const store = this.#store;
    function renew() {
      timer = clock.timer(leaseMs / 2, renew);
      // A failure here shows at `complete`; until then the message is at worst sent twice.
      store.renew(leases, leaseMs).catch(() => {});
    }
    return { cancel: () => timer.cancel() };
  }
}
