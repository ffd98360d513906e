import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import createSocket, { type MulticastDNS } from 'multicast-dns';
import { Recent } from '../policies/recent.ts';
import { HeardAddresses } from './heard-addresses.ts';
import { addressesIn, mdnsRecords } from './mdns-records.ts';
import type { NameResolver, Registration } from './name-resolver.ts';

/** How long a lookup waits for the first answer; daprd's browsers wait as long. */
const LOOKUP_MS = 1_000;
/** An answer is used for this long, and asked for anew after the half of it. */
const FRESH_MS = 60_000;
const REFRESH_MS = 30_000;
/** A question is repeated within a lookup: datagrams get lost. */
const REPEAT_MS = 250;
const MAX_APPS = 1_000;

interface Known {
  readonly addresses: HeardAddresses;
  askedMs: number;
}

/**
 * Name resolution by multicast DNS, with daprd's records: the service type is
 * the app id in `local.`, the port that of the internal server. Nothing is
 * configured; it reaches as far as multicast does, usually one network.
 */
export async function mdnsNames({
  clock,
  log,
}: {
  clock: Clock;
  log: Logger;
}): Promise<NameResolver> {
  const mdns = createSocket({ loopback: true, reuseAddr: true });
  // A machine without multicast still serves its own application: lookups fail, not the sidecar.
  mdns.on('error', (error: Error) => log.warn('mDNS failed.', { error: error.message }));
  mdns.on('warning', (error: Error) =>
    log.debug('mDNS: unreadable datagram.', { error: error.message }),
  );
  return new MdnsNames(mdns, clock);
}

class MdnsNames implements NameResolver {
  readonly #mdns: MulticastDNS;
  readonly #clock: Clock;
  readonly #known = new Recent<Known>(MAX_APPS);
  readonly #lookups = new Map<string, Set<() => void>>();
  readonly #timers = new Set<Timer>();
  readonly #instance = randomUUID();
  #mine: Registration | undefined;

  constructor(mdns: MulticastDNS, clock: Clock) {
    this.#mdns = mdns;
    this.#clock = clock;
    mdns.on('query', (query) => this.#answer(query.questions ?? []));
    mdns.on('response', (response) =>
      this.#hear([...(response.answers ?? []), ...(response.additionals ?? [])]),
    );
  }

  async register(registration: Registration): Promise<void> {
    this.#mine = registration;
    this.#mdns.respond(mdnsRecords(registration, this.#instance, 'announce'));
  }

  resolve(appId: string): Promise<readonly string[]> | readonly string[] {
    const nowMs = this.#clock.now();
    const known = this.#known.get(appId);
    const fresh = known?.addresses.fresh(nowMs) ?? [];
    if (known === undefined || fresh.length === 0) return this.#lookUp(appId);
    if (nowMs - known.askedMs > REFRESH_MS) this.#ask(appId);
    return fresh;
  }

  unreachable(appId: string, address: string): void {
    this.#known.get(appId)?.addresses.forget(address);
  }

  notFound(appId: string): string {
    return `couldn't find service: ${appId}`;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    for (const lookups of this.#lookups.values()) for (const end of lookups) end();
    const mine = this.#mine;
    if (mine !== undefined) {
      // A goodbye: caches elsewhere forget us now, not in a minute.
      const goodbye = mdnsRecords(mine, this.#instance, 'goodbye');
      await new Promise<void>((resolve) => this.#mdns.respond(goodbye, () => resolve()));
    }
    await new Promise<void>((resolve) => this.#mdns.destroy(() => resolve()));
  }

  #answer(questions: readonly { readonly name: string }[]): void {
    const mine = this.#mine;
    if (mine === undefined) return;
    const type = `${mine.appId}.local`.toLowerCase();
    const asked = questions.some(({ name }) => {
      const lower = name.toLowerCase();
      return lower === type || lower.endsWith(`.${type}`);
    });
    if (asked) this.#mdns.respond(mdnsRecords(mine, this.#instance, 'answer'));
  }

  #hear(records: Parameters<typeof addressesIn>[0]): void {
    const nowMs = this.#clock.now();
    for (const { appId, address, gone } of addressesIn(records)) {
      const known = this.#known.get(appId);
      // Only what was asked for is kept: the network may be full of others.
      if (known === undefined) continue;
      if (gone) known.addresses.forget(address);
      else known.addresses.hear(address, nowMs + FRESH_MS, nowMs);
      if (known.addresses.fresh(nowMs).length === 0) continue;
      for (const end of this.#lookups.get(appId) ?? []) end();
    }
  }

  #lookUp(appId: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const ended = new Set<Timer>();
      const end = (): void => {
        for (const timer of ended) this.#cancel(timer);
        this.#lookups.get(appId)?.delete(end);
        if (this.#lookups.get(appId)?.size === 0) this.#lookups.delete(appId);
        resolve(this.#known.get(appId)?.addresses.fresh(this.#clock.now()) ?? []);
      };
      const lookups = this.#lookups.get(appId) ?? new Set();
      this.#lookups.set(appId, lookups.add(end));
      this.#ask(appId);
      ended.add(this.#timer(REPEAT_MS, () => this.#ask(appId)));
      ended.add(this.#timer(LOOKUP_MS, end));
    });
  }

  #ask(appId: string): void {
    const askedMs = this.#clock.now();
    const known = this.#known.get(appId);
    if (known === undefined) this.#known.set(appId, { addresses: new HeardAddresses(), askedMs });
    else known.askedMs = askedMs;
    this.#mdns.query({ questions: [{ name: `${appId}.local`, type: 'PTR' }] });
  }

  #timer(ms: number, fire: () => void): Timer {
    const timer = this.#clock.timer(ms, () => {
      this.#timers.delete(timer);
      fire();
    });
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: Timer): void {
    timer.cancel();
    this.#timers.delete(timer);
  }
}
