import type { Clock } from '@holdfast/core';
import type { Role } from '../../run-file/run-file.ts';
import { StartError } from '../start-error.ts';
import { type Child, spawnChild } from './child.ts';
import type { Launch } from './launch.ts';
import { describeExit, type Exit, type ProcessInfo, type ProcessState } from './process-info.ts';
import { countFailure, restartDelayMs } from './restart-delay.ts';

/** What a supervisor must know of a process to keep it. */
export interface ProcessPlan {
  readonly name: string;
  readonly role: Role;
  readonly appId?: string;
  /** Done before every start. */
  prepare?(): Promise<void>;
  /** Asked at every start: what a sidecar's ports are is known after its first. */
  launch(): Launch;
  ports(): Readonly<Record<string, number>>;
  /** Resolves when this incarnation is ready. */
  untilReady(child: Child, messages: AsyncMessages): Promise<void>;
  /** Whether it speaks to us over a channel, as our own sidecar does. */
  readonly channel: boolean;
  /** A program whose only task is to start another (`npm run`, `sh -c`): signals go to the group. */
  readonly wrapper: boolean;
  readonly restart: 'on-failure' | undefined;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
}

/** What a process with a channel has said: each message resolves the next `next`. */
export interface AsyncMessages {
  next(): Promise<unknown>;
}

/** Whom a process reports to. */
export interface ProcessListener {
  line(name: string, line: string): void;
  /** Something `ps` shows has changed. */
  changed(): void;
  /** It ended and nobody had asked it to. */
  exited(name: string, exit: Exit): void;
  /** A sentence of the supervisor's own about it. */
  note(line: string): void;
}

/** A process that is started, watched, killed, started again and stopped under one name. */
export class ManagedProcess {
  readonly plan: ProcessPlan;
  readonly #clock: Clock;
  readonly #listener: ProcessListener;
  #state: ProcessState = 'down';
  #child: Child | undefined;
  /** Ended incarnations whose groups may have members left. */
  readonly #ended = new Set<Child>();
  #starting: Promise<void> | undefined;
  #failures = 0;
  #startedMs = 0;
  #startedWallMs = 0;
  #restart: AbortController | undefined;
  #stopping = false;
  /** It is stopped for good. */
  #over = false;
  /** Settled while nobody halts it. */
  #halting: Promise<void> = Promise.resolve();

  /** Resolves when it was ready for the first time; what needs it waits for this. */
  readonly ready: Promise<void>;
  readonly #becameReady: () => void;

  constructor(plan: ProcessPlan, listener: ProcessListener, clock: Clock) {
    this.plan = plan;
    this.#listener = listener;
    this.#clock = clock;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#becameReady = resolve;
  }

  info(): ProcessInfo {
    const { name, role, appId } = this.plan;
    return {
      name,
      role,
      pid: this.#child?.pid ?? null,
      ports: this.plan.ports(),
      ...(appId === undefined ? {} : { app_id: appId }),
      state: this.#state,
    };
  }

  /** When the running incarnation began, to know its pid by later. */
  get identity(): string | undefined {
    return this.#child?.identity;
  }

  /** Its wall clock's moment; undefined while it does not run. */
  get startedWallMs(): number | undefined {
    return this.#child === undefined ? undefined : this.#startedWallMs;
  }

  /** Starts it unless it runs; resolves when it is ready. A start under way is joined. */
  start(): Promise<void> {
    this.#restart?.abort();
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Sends a signal; resolves when SIGKILL or SIGTERM has ended it. What does not run stays down. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) {
      this.#restart?.abort();
      this.#become('down');
      return;
    }
    child.signal(signal, this.plan.wrapper);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await child.exited;
  }

  /** Ends it for good, and what it left of its group. Resolves when nothing is left. */
  async stop(force: AbortSignal): Promise<void> {
    this.#over = true;
    await this.#endAll(force);
  }

  /** Ends it as `stop` does, until it is started again. */
  async halt(force: AbortSignal): Promise<void> {
    const halting = this.#endAll(force);
    this.#halting = halting.finally(() => {
      this.#stopping = this.#over;
    });
    await this.#halting;
  }

  async #endAll(force: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#restart?.abort();
    const child = this.#child;
    if (child !== undefined) {
      this.#become('stopping');
      await this.#end(child, force);
    } else this.#become('down');
    for (const ended of this.#ended) await ended.sweep(this.#clock);
    this.#ended.clear();
  }

  /** Ends it in this very moment; for the end of our own process. */
  killNow(): void {
    this.#over = true;
    this.#stopping = true;
    this.#child?.signal('SIGKILL');
    this.#child?.sweepNow();
    for (const ended of this.#ended) ended.sweepNow();
  }

  async #begin(): Promise<void> {
    await this.#halting;
    if (this.#child !== undefined || this.#stopping) return;
    for (const ended of this.#ended) await ended.sweep(this.#clock);
    this.#ended.clear();
    await this.plan.prepare?.();
    if (this.#stopping) return;
    this.#become('starting');

    const messages = new Messages();
    const child = this.#spawn(messages);
    if (child instanceof Promise) return child;
    this.#child = child;
    this.#startedMs = this.#clock.now();
    this.#startedWallMs = this.#clock.wallMs();
    this.#listener.changed();
    void child.exited.then((exit) => this.#afterExit(child, exit));
    const early = child.exited.then((exit) => this.#earlyExit(child, exit));
    const ready = this.plan.untilReady(child, messages).catch((error: unknown) => {
      // Its end is the better reason, and says what it said last.
      if (!child.ended.aborted) throw error;
      return early;
    });
    await Promise.race([ready, early]);
    if (this.#child === child && !this.#stopping) {
      this.#become('running');
      this.#becameReady();
    }
  }

  #spawn(messages: Messages): Child | Promise<never> {
    const { name, channel } = this.plan;
    const launch = this.plan.launch();
    const child = spawnChild(
      launch,
      this.#clock,
      (line) => this.#listener.line(name, line),
      channel ? (message) => messages.add(message) : undefined,
    );
    if (!(child instanceof Promise)) return child;
    return child.catch((error: NodeJS.ErrnoException) => {
      this.#become('down');
      throw notStarted(name, launch, error);
    });
  }

  async #earlyExit(child: Child, exit: Exit): Promise<void> {
    if (this.#stopping || this.#state === 'running') return;
    const said = (await child.lastLines()).join('\n  ');
    const message = `"${this.plan.name}" ended with ${describeExit(exit)} before it was ready`;
    throw new StartError(
      'EXITED_EARLY',
      this.plan.name,
      said === '' ? `${message} and said nothing.` : `${message}. Its last lines:\n  ${said}`,
    );
  }

  #afterExit(child: Child, exit: Exit): void {
    this.#child = undefined;
    if (child.leftGroup()) this.#ended.add(child);
    const failed = exit.code !== 0;
    this.#failures = failed ? countFailure(this.#failures, this.#clock.now() - this.#startedMs) : 0;
    this.#become('down');
    if (this.#stopping) return;
    this.#listener.exited(this.plan.name, exit);
    if (failed && this.plan.restart === 'on-failure') void this.#restartLater(exit);
  }

  async #restartLater(exit: Exit): Promise<void> {
    const delayMs = restartDelayMs(this.#failures);
    const { name } = this.plan;
    this.#listener.note(
      `"${name}" ended with ${describeExit(exit)}; it starts again in ${delayMs} ms.`,
    );
    const waiting = new AbortController();
    this.#restart = waiting;
    this.#become('waiting');
    try {
      await this.#clock.sleep(delayMs, waiting.signal);
    } catch {
      return; // started, killed or stopped by hand meanwhile
    }
    await this.start().catch((error: unknown) => this.#listener.note((error as Error).message));
  }

  async #end(child: Child, force: AbortSignal): Promise<void> {
    const { stopSignal, stopTimeoutMs, wrapper, name } = this.plan;
    const patience = new AbortController();
    const limit = AbortSignal.any([patience.signal, force]);
    if (!force.aborted) {
      child.signal(stopSignal, wrapper);
      const late = this.#clock.sleep(stopTimeoutMs, limit).then(
        () =>
          this.#listener.note(`"${name}" did not end within ${stopTimeoutMs} ms and is killed.`),
        () => {}, // ended in time, or the force says enough
      );
      await Promise.race([child.exited, late]);
      patience.abort();
    }
    child.signal('SIGKILL');
    await child.exited;
  }

  #become(state: ProcessState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listener.changed();
  }
}

/** Nobody asks any more once a sidecar has said that it is ready; it has nothing to say after that. */
const MOST_UNREAD = 100;

/** Keeps what came before anybody asked for it. */
class Messages implements AsyncMessages {
  readonly #arrived: unknown[] = [];
  #waiting: ((message: unknown) => void) | undefined;

  add(message: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting(message);
    else if (this.#arrived.length < MOST_UNREAD) this.#arrived.push(message);
  }

  next(): Promise<unknown> {
    if (this.#arrived.length > 0) return Promise.resolve(this.#arrived.shift());
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

function notStarted(name: string, launch: Launch, error: NodeJS.ErrnoException): Error {
  const { file, cwd } = launch;
  switch (error.code) {
    case 'ENOENT':
      return new StartError(
        'COMMAND_NOT_FOUND',
        name,
        `"${name}" cannot start: there is no command \`${file}\`, on the PATH or from ${cwd}.`,
        error,
      );
    case 'EACCES':
      return new StartError(
        'COMMAND_NOT_FOUND',
        name,
        `"${name}" cannot start: \`${file}\` may not be executed; give it the x permission or name its interpreter.`,
        error,
      );
    default:
      return error;
  }
}
