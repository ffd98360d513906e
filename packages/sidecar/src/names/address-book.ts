import type { Clock, Random } from '@holdfast/core';
import { UpstreamError } from '../flow/upstream-error.ts';
import { Recent } from '../policies/recent.ts';
import type { NameResolver } from './name-resolver.ts';

/** How long an answer of the resolver is used again. */
const FRESH_MS = 1_000;
/** How long an address that could not be reached comes last; a dead row lives for about as long. */
const SUSPECT_MS = 5_000;
const MAX_APPS = 1_000;

interface Entry {
  readonly addresses: readonly string[];
  readonly untilMs: number;
}

/**
 * Remembers what the resolver said for a moment, spreads calls over several
 * addresses, and passes over those that just failed as long as there are others.
 */
export class AddressBook {
  readonly #resolver: NameResolver;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #entries = new Recent<Entry>(MAX_APPS);
  readonly #suspects = new Recent<number>(MAX_APPS);

  constructor(resolver: NameResolver, clock: Clock, random: Random) {
    this.#resolver = resolver;
    this.#clock = clock;
    this.#random = random;
  }

  /** At once where it is known; throws or rejects with `UpstreamError` `NO_ADDRESS`. */
  find(appId: string, namespace: string): string | Promise<string> {
    const key = `${namespace}/${appId}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.untilMs > this.#clock.now())
      return this.#pick(entry.addresses);
    const found = this.#resolver.resolve(appId, namespace);
    return found instanceof Promise
      ? found.then((addresses) => this.#keep(key, appId, addresses))
      : this.#keep(key, appId, found);
  }

  /** The address could not be reached: ask again next time, and prefer others for a while. */
  suspect(appId: string, namespace: string, address: string): void {
    this.#entries.set(`${namespace}/${appId}`, { addresses: [], untilMs: 0 });
    this.#resolver.unreachable(appId, address);
    this.#suspects.set(address, this.#clock.now() + SUSPECT_MS);
  }

  #keep(key: string, appId: string, addresses: readonly string[]): string {
    if (addresses.length === 0) {
      throw new UpstreamError('NO_ADDRESS', this.#resolver.notFound(appId));
    }
    this.#entries.set(key, { addresses, untilMs: this.#clock.now() + FRESH_MS });
    return this.#pick(addresses);
  }

  #pick(addresses: readonly string[]): string {
    if (addresses.length === 1) return addresses[0]!;
    const nowMs = this.#clock.now();
    const good = addresses.filter((address) => (this.#suspects.get(address) ?? 0) <= nowMs);
    const choice = good.length > 0 ? good : addresses;
    return choice[Math.floor(this.#random.next() * choice.length)]!;
  }
}
