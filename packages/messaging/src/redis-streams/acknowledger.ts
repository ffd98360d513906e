import type { InHand } from './in-hand.ts';
import type { Link } from './link.ts';
import type { Membership } from './membership.ts';

/** Entries in one command. */
const MOST = 1_000;

/**
 * Acknowledges what was handled, as many at once as have come together while
 * the last command was on its way. What a lost connection left open is
 * acknowledged over the next, before anything is taken.
 */
export class Acknowledger {
  readonly #inHand: InHand;
  readonly #member: Membership;
  #link: Link | undefined;
  #progress: () => void = () => {};
  #atIt = false;

  constructor(inHand: InHand, member: Membership) {
    this.#inHand = inHand;
    this.#member = member;
  }

  use(link: Link | undefined, progress: () => void): void {
    this.#link = link;
    this.#progress = progress;
  }

  /** Something was handled. */
  kick(): void {
    const link = this.#link;
    if (link === undefined || link.gone.aborted || this.#atIt) return;
    this.#atIt = true;
    void this.all(link)
      .catch((error: unknown) => link.drop(error))
      .finally(() => {
        this.#atIt = false;
        if (this.#inHand.handled.length > 0) this.kick();
      });
  }

  /** Resolves when Redis knows all that was handled. */
  async all(link: Link): Promise<void> {
    for (;;) {
      const ids = this.#inHand.handled.slice(0, MOST);
      if (ids.length === 0) return;
      await this.#member.acknowledge(link, ids);
      this.#inHand.acknowledged(ids);
      this.#progress();
    }
  }
}
