import type { Timer } from '../../clock.ts';
import { scopeOf } from '../../engine/scope.ts';
import type { StageWorld } from '../../engine/stage.ts';
import type { Circuit, Rules, Transition } from '../circuit.ts';
import { halfOpen, openFor } from '../transitions.ts';
import type { NodeReport, SharedVerdict } from './circuit-store.ts';
import type { ResolvedSharedCircuitOptions } from './options.ts';

/** What the breaker's stage does for its shared circuit. */
export interface SharingStage {
  readonly policy: { readonly name: string };
  readonly rules: Rules;
  readonly circuit: Circuit;
  /** Tells of the transitions that an answer of the store has brought about. */
  tellNews(): void;
}

/**
 * A tenth of the interval is how long news wait: the others should hear of them soon, but a circuit
 * that flutters must not flood the store.
 */
const HASTE = 10;

/**
 * A circuit's ear and voice among other processes. It reports what this node
 * finds by its own calls, and moves the local circuit along with what a quorum
 * finds. All of that happens beside the calls, when one of them comes by and
 * `intervalMs` have passed; no call waits, and without calls nothing is sent.
 *
 * An open circuit never depends on an answer: what the store says only moves
 * the moment at which the circuit probes by itself. With the store gone, that
 * moment comes.
 */
export class SharedCircuit {
  #stage: SharingStage;
  readonly #world: StageWorld;
  #options: ResolvedSharedCircuitOptions;
  readonly #node: string;
  /** When the next report is due; `Infinity` while one is on its way. */
  #dueMs = 0;
  #failuresInARow = 0;
  /** What this node finds by its own calls: the only thing that it votes with. */
  #failing = false;
  #era = 0;
  /** Whether everybody's circuit is open, as far as this node has heard. */
  #open = false;
  #probing = false;
  #probed: 'well' | 'failing' | undefined = undefined;
  #heard: SharedVerdict | undefined = undefined;
  /** Whether the circuit is being changed by what the others find. */
  #hearing = false;
  /** Whether it has changed since the last report went out. */
  #urgent = false;

  constructor(stage: SharingStage, world: StageWorld, options: ResolvedSharedCircuitOptions) {
    this.#stage = stage;
    this.#world = world;
    this.#options = options;
    this.#node = options.node ?? drawName(world);
  }

  /** The last that it heard, for `inspect`. */
  get heard(): SharedVerdict | undefined {
    return this.#heard;
  }

  /** A swap has put another stage in place, with the same circuit. */
  moveTo(stage: SharingStage, options: ResolvedSharedCircuitOptions): void {
    this.#stage = stage;
    this.#options = options;
  }

  /** A call comes by. */
  touch(nowMs: number): void {
    if (nowMs >= this.#dueMs) this.#report(nowMs);
  }

  /** The local circuit has changed by its own calls or by time. */
  changed({ from, to }: Transition, nowMs: number): void {
    if (this.#hearing) return;
    const isProbed = this.#probing && from === 'half-open';
    if (to === 'closed') {
      this.#failing = false;
      if (isProbed) this.#probed = 'well';
    } else if (to === 'open') {
      this.#failing = true;
      if (isProbed) this.#probed = 'failing';
    } else {
      return;
    }
    if (isProbed) this.#probing = false;
    this.#urgent = true;
    const isResting = this.#dueMs < Infinity && this.#failuresInARow === 0;
    if (isResting) this.#dueMs = Math.min(this.#dueMs, nowMs + this.#options.intervalMs / HASTE);
  }

  #report(nowMs: number): void {
    const { store, storeTimeoutMs } = this.#options;
    const { clock } = this.#world;
    this.#dueMs = Infinity;
    this.#urgent = false;
    const sent = this.#ownReport();
    let timer: Timer | undefined;
    const ended = (verdict: SharedVerdict | undefined, error?: unknown) => {
      if (timer === undefined) return;
      timer.cancel();
      timer = undefined;
      // A store of the user's may say anything: of what is no verdict nothing follows.
      if (verdict?.era !== undefined) this.#hear(verdict, nowMs);
      else this.#failed(error ?? new Error('The circuit store did not answer.'), sent);
    };
    timer = clock.timer(storeTimeoutMs, () =>
      ended(undefined, new Error(`The circuit store did not answer within ${storeTimeoutMs} ms.`)),
    );
    try {
      store
        .exchange(this.#options.circuit ?? this.#defaultName(), sent)
        .then(ended, (error: unknown) => ended(undefined, error));
    } catch (error) {
      ended(undefined, error);
    }
  }

  #defaultName(): string {
    return `${scopeOf(this.#world)}/${this.#stage.policy.name}`;
  }

  #ownReport(): NodeReport {
    const { leaseMs, quorumNodes, quorumRatio } = this.#options;
    const { circuit, rules } = this.#stage;
    const wantsProbe = circuit.kind === 'open' || circuit.kind === 'half-open';
    const probed = this.#probed;
    this.#probed = undefined;
    return {
      node: this.#node,
      failing: this.#failing && isOwn(circuit),
      era: this.#era,
      leaseMs,
      openMs: circuit.kind === 'open' && circuit.openForMs > 0 ? circuit.openForMs : rules.openMs,
      quorum: { nodes: quorumNodes, ratio: quorumRatio },
      probeMs: wantsProbe ? leaseMs : 0,
      ...(probed === undefined ? undefined : { probed }),
    };
  }

  #failed(error: unknown, sent: NodeReport): void {
    const { clock, reporter } = this.#world;
    // It will be said again when the store is back.
    this.#probed ??= sent.probed;
    this.#failuresInARow += 1;
    const waitMs = this.#options.intervalMs * 2 ** Math.min(this.#failuresInARow - 1, 5);
    this.#dueMs = clock.now() + Math.min(waitMs, LONGEST_WAIT_MS);
    this.#heard = undefined;
    if (reporter.listening) {
      reporter.report(0, { type: 'store-failed', policy: this.#stage.policy.name, error });
    }
  }

  #hear(verdict: SharedVerdict, sentMs: number): void {
    const nowMs = this.#world.clock.now();
    this.#failuresInARow = 0;
    this.#dueMs = sentMs + this.#options.intervalMs / (this.#urgent ? HASTE : 1);
    this.#heard = verdict;
    const closedAnew = this.#open && verdict.state === 'closed';
    if (verdict.era !== this.#era) {
      // What it has learned in an era that is over is no vote in this one.
      if (this.#era !== 0 && closedAnew) this.#failing = false;
      this.#era = verdict.era;
    }
    this.#open = verdict.state === 'open';
    if (!isOwn(this.#stage.circuit)) return;
    this.#hearing = true;
    if (this.#open) this.#follow(verdict, nowMs);
    else if (closedAnew) this.#recover(nowMs);
    this.#stage.tellNews();
    this.#hearing = false;
  }

  /** Everybody's circuit is open: so is this one, until this node may probe or the store falls silent. */
  #follow({ failing, mayProbe, nodes, retryAfterMs }: SharedVerdict, nowMs: number): void {
    const { circuit } = this.#stage;
    const patienceMs = 2 * this.#options.intervalMs + this.#options.storeTimeoutMs;
    const untilMs = mayProbe ? nowMs : nowMs + retryAfterMs + patienceMs;
    this.#probing = mayProbe;
    if (circuit.kind === 'open') circuit.untilMs = untilMs;
    else if (circuit.kind === 'closed') {
      openFor(circuit, nowMs, untilMs - nowMs, `${failing} of ${nodes} nodes find it failing`);
    }
  }

  /** Another node has probed and found it well. This one sees for itself, at once. */
  #recover(nowMs: number): void {
    const { circuit, rules } = this.#stage;
    this.#probing = false;
    if (circuit.kind === 'open') {
      halfOpen(circuit, nowMs, rules, 'another node has found it well');
    }
  }
}

/** However long the store is down, it is asked again after so long. */
const LONGEST_WAIT_MS = 30_000;

/** Whether the circuit is where its own calls brought it: not forced, not only observing. */
const isOwn = ({ kind }: Circuit) => kind === 'closed' || kind === 'open' || kind === 'half-open';

function drawName({ random }: StageWorld): string {
  const part = () => Math.floor(random.next() * 2 ** 32).toString(36);
  return `${part()}-${part()}`;
}
