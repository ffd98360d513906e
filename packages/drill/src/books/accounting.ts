/** One thing the witness saw arrive. */
export interface Arrival {
  /** The id that the client was given when its request was accepted. */
  readonly id: string;

  /** How often the broker had to hand it over until it was kept; 1 = once. @default 1 */
  readonly delivery?: number;
}

/** Everything that is known about a stretch of time, from sources that do not trust each other. */
export interface Books {
  /** Promised: the service said yes (the client's ledger). */
  readonly accepted: Iterable<string>;

  /** The service certainly said no, so nothing may come of these (the client's ledger). */
  readonly refused: Iterable<string>;

  /** No answer, or one that leaves it open: may or may not have been accepted (the client's ledger). */
  readonly unknown: Iterable<string>;

  /**
   * Further requests without a clear answer whose id the client does not know,
   * because the service names things itself and the answer that says the name was lost.
   *
   * @default 0
   */
  readonly unnamedUnknown?: number;

  /** What arrived, as often as it arrived (the witness's ledger). */
  readonly delivered: Iterable<Arrival>;

  /** Still on its way, says the service. */
  readonly queued: Iterable<string>;

  /** Given up with a reason and kept for a person to look at, says the service. */
  readonly dead: Iterable<string>;
}

/**
 * The books, added up by sets of ids. Sums of counters would hide a loss behind a duplicate.
 *
 * Among what was accepted, each id is counted once, under the first that holds:
 * delivered, queued, dead, lost. So `accepted = delivered + queued + dead + lost.length`, always.
 */
export interface Account {
  readonly accepted: number;
  readonly refused: number;
  readonly unknown: number;
  /** Accepted and arrived. */
  readonly delivered: number;
  /** Accepted, not arrived, still on its way. */
  readonly queued: number;
  /** Accepted, neither arrived nor on its way, kept as a dead letter. */
  readonly dead: number;
  /** Unknown and arrived: the answer was lost, the work was not. */
  readonly recovered: number;
  /** Accepted, and nowhere. */
  readonly lost: readonly string[];
  /** Arrived, and nobody was promised it: neither accepted nor unknown. */
  readonly unexpected: readonly string[];
  /** Arrivals beyond the first of an id. At least once means that these are no loss. */
  readonly duplicates: number;
  /** Arrivals that the broker had to hand over more than once and that were kept once. */
  readonly redelivered: number;
  /** Nothing lost and nothing unexpected. */
  readonly balances: boolean;
}

/** Adds the books up. Pure: same books, same account; order and repetition of ids do not matter. */
export function balance(books: Books): Account {
  const accepted = new Set(books.accepted);
  // A request that was tried again and accepted in the end was accepted.
  const refused = minus(new Set(books.refused), accepted);
  const unknown = minus(new Set(books.unknown), accepted, refused);

  const arrivals = [...books.delivered];
  const arrived = new Set(arrivals.map(({ id }) => id));

  const missing = minus(accepted, arrived);
  const queued = both(missing, new Set(books.queued));
  const dead = both(minus(missing, queued), new Set(books.dead));
  const lost = minus(missing, queued, dead);

  const recovered = both(unknown, arrived);
  const strangers = minus(arrived, accepted, unknown);
  // What was refused was refused: its arrival can never be explained by a lost answer.
  const unnamed = books.unnamedUnknown ?? 0;
  const explained = new Set([...minus(strangers, refused)].slice(0, unnamed));
  const unexpected = minus(strangers, explained);

  return {
    accepted: accepted.size,
    refused: refused.size,
    unknown: unknown.size + unnamed,
    delivered: accepted.size - missing.size,
    queued: queued.size,
    dead: dead.size,
    recovered: recovered.size + explained.size,
    lost: [...lost],
    unexpected: [...unexpected],
    duplicates: arrivals.length - arrived.size,
    redelivered: arrivals.filter(({ delivery = 1 }) => delivery > 1).length,
    balances: lost.size === 0 && unexpected.size === 0,
  };
}

type Ids = ReadonlySet<string>;

const minus = (ids: Ids, ...others: readonly Ids[]): Ids =>
  new Set([...ids].filter((id) => !others.some((other) => other.has(id))));

const both = (ids: Ids, others: Ids): Ids => new Set([...ids].filter((id) => others.has(id)));
