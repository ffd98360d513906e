import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Clock } from '@holdfast/core';
import { didYouMean } from '../did-you-mean.ts';
import { thisProcess } from '../own-process.ts';
import type { AppSettings } from '../run-file/app-settings.ts';
import { type RunFile, sidecarName } from '../run-file/run-file.ts';
import { claimRunFolder, removeRunFolder } from '../run-state/run-folder.ts';
import { type RunRecord, writeRecord } from '../run-state/run-record.ts';
import { enterRun, leaveRun, type StateHome, socketOf } from '../run-state/state-home.ts';
import { type ControlServer, serveControl } from './control-server.ts';
import { openSinks, type Sinks } from './log/sinks.ts';
import { putMetadata } from './metadata.ts';
import { planRun } from './plan/plan-run.ts';
import { apiSockets } from './process/launch.ts';
import { ManagedProcess, type ProcessListener } from './process/managed-process.ts';
import { processIdentity } from './process/process-identity.ts';
import { describeExit, type Exit, type ProcessInfo } from './process/process-info.ts';
import { type Run, type RunEnd, RunStoppedError, type StartRunOptions } from './run.ts';
import { StartError } from './start-error.ts';

/** All a supervisor is made from. */
export interface SupervisorOptions {
  readonly runFile: RunFile;
  readonly apps: readonly AppSettings[];
  readonly name: string;
  /** The folder in which the run's own is made. */
  readonly runs: string;
  readonly home: StateHome;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly options: StartRunOptions;
}

/** One process and what must be ready before it starts. */
interface Unit {
  readonly process: ManagedProcess;
  readonly needs: readonly string[];
}

/** Starts the processes of a run, keeps their record, and ends them. */
export class Supervisor implements Run {
  readonly name: string;
  readonly ended: Promise<RunEnd>;
  readonly #resolveEnded: (end: RunEnd) => void;
  readonly #given: SupervisorOptions;
  readonly #sinks: Sinks;
  readonly #folder: string;
  readonly #force = new AbortController();
  /** Resolves when it is told to stop, or its apps have ended. */
  readonly #stopAsked = Promise.withResolvers<void>();
  readonly #appExits = new Map<string, Exit>();
  #units: readonly Unit[] = [];
  #unrecorded = false;
  #record: RunRecord;
  #control: Promise<ControlServer> | undefined;
  #end: RunEnd | undefined;
  #stopping: Promise<void> | undefined;

  constructor(given: SupervisorOptions) {
    this.#given = given;
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const { runs, name, home, runFile } = given;
    const claimed = claimRunFolder(runs, name, (folder, unique) => ({
      version: 1,
      name: unique,
      file: runFile.path ?? null,
      dir: runFile.dir,
      supervisor: { pid: thisProcess.pid, identity: processIdentity(thisProcess.pid) ?? null },
      control: { socket: socketOf(home, folder), token: randomBytes(16).toString('hex') },
      processes: [],
    }));
    this.name = claimed.record.name;
    this.#record = claimed.record;
    this.#folder = claimed.folder;
    process.once('exit', this.#lastMoment);
    enterRun(home, this.#folder);
    this.#sinks = openSinks(given.apps, given.clock, given.options.onLine ?? (() => {}));
  }

  /** Starts everything; on failure, or when told to stop meanwhile, ends everything and throws. */
  async startAll(): Promise<void> {
    const { signal } = this.#given.options;
    this.#followSignals();
    try {
      signal?.throwIfAborted();
      this.#control = serveControl(this, this.#record.control);
      await this.#control;
      await this.#plan();
      this.#checkGoesOn();
      await Promise.all(this.#units.map((unit) => this.#startUnit(unit)));
      this.#checkGoesOn();
    } catch (error) {
      await this.stop();
      throw signal?.aborted ? signal.reason : error;
    }
  }

  ps(): readonly ProcessInfo[] {
    return this.#units.map((unit) => unit.process.info());
  }

  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#named(name).kill(signal);
  }

  async start(name: string): Promise<void> {
    const process = this.#named(name);
    if (this.#end !== undefined) throw new RunStoppedError(this.name);
    await process.start();
    await this.#tellSidecar(name);
  }

  async stopApp(
    appId: string,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<void> {
    const processes = this.#units.map((unit) => unit.process);
    const its = processes.filter(({ plan }) => plan.appId === appId);
    if (its.length === 0) {
      const apps = [...new Set(processes.flatMap(({ plan }) => plan.appId ?? []))];
      const hint = didYouMean(appId, apps) || '.';
      throw new RangeError(
        `Run "${this.name}" has no app "${appId}"${hint} It has ${apps.join(', ')}.`,
      );
    }
    const now = force ? AbortSignal.abort() : this.#force.signal;
    // The app first: what it still asks of its sidecar is answered.
    for (const role of ['service', 'sidecar']) {
      await Promise.all(its.filter(({ plan }) => plan.role === role).map((one) => one.halt(now)));
    }
  }

  stop({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    if (force) this.#force.abort();
    return this.#stopAs({ reason: 'stopped', status: 0 });
  }

  #followSignals(): void {
    const { signal, forceSignal } = this.#given.options;
    const stop = () => void this.stop();
    const force = () => void this.stop({ force: true });
    signal?.addEventListener('abort', stop, { once: true });
    forceSignal?.addEventListener('abort', force, { once: true });
    void this.ended.then(() => {
      signal?.removeEventListener('abort', stop);
      forceSignal?.removeEventListener('abort', force);
    });
  }

  async #plan(): Promise<void> {
    const { runFile, apps, env, clock, home } = this.#given;
    const listener = this.#listener();
    const { note } = listener;
    const planned = await planRun({
      ...{ runFile, apps, env, clock, home, note },
      folder: this.#folder,
      island: this.#given.options.stateDir !== undefined,
    });
    this.#units = planned.map(({ plan, needs }) => ({
      process: new ManagedProcess(plan, listener, clock),
      needs,
    }));
  }

  /** Throws when the run was stopped while it started; apps that ended by themselves are no failure. */
  #checkGoesOn(): void {
    if (this.#end?.reason === 'stopped') throw new RunStoppedError(this.name);
  }

  async #startUnit({ process, needs }: Unit): Promise<void> {
    const ready = Promise.all(needs.map((name) => this.#named(name).ready));
    await Promise.race([ready, this.#stopAsked.promise]);
    if (this.#end !== undefined) return;
    try {
      await process.start();
      await this.#tellSidecar(process.plan.name);
    } catch (error) {
      if (!this.#mayFail(process, error)) throw error;
    }
  }

  /** An end before it was ready is forgiven to what starts again, and to the app whose end is the run's. */
  #mayFail({ plan }: ManagedProcess, error: unknown): boolean {
    if (!(error instanceof StartError) || error.code !== 'EXITED_EARLY') return false;
    if (plan.restart === 'on-failure') return true;
    return this.#given.options.endWithApps === true && plan.role === 'service';
  }

  /** Puts into the sidecar's metadata what Dapr's tools look for there. */
  async #tellSidecar(name: string): Promise<void> {
    const { apps, runFile, env } = this.#given;
    const app = apps.find(({ appID }) => appID === name || sidecarName(appID) === name);
    if (app === undefined) return;
    const { state, ports } = this.#named(sidecarName(app.appID)).info();
    const socketPath = apiSockets(app)?.http;
    if (state !== 'running' || (socketPath === undefined && !ports.http)) return;
    const pid = this.ps().find((info) => info.name === app.appID)?.pid ?? undefined;
    const values = {
      cliPID: String(thisProcess.pid),
      ...(pid === undefined ? {} : { appPID: String(pid) }),
      ...(app.command === undefined ? {} : { appCommand: app.command.join(' ') }),
      ...(runFile.path === undefined
        ? {}
        : { runTemplatePath: runFile.path, runTemplateName: this.name }),
    };
    const at = socketPath === undefined ? { host: '127.0.0.1', port: ports.http! } : { socketPath };
    await putMetadata(at, values, app.env.DAPR_API_TOKEN ?? env.DAPR_API_TOKEN);
  }

  #named(name: string): ManagedProcess {
    const unit = this.#units.find(({ process }) => process.plan.name === name);
    if (unit !== undefined) return unit.process;
    const names = this.#units.map(({ process }) => process.plan.name);
    const hint = didYouMean(name, names) || '.';
    throw new RangeError(
      `Run "${this.name}" has no process "${name}"${hint} It has ${names.join(', ')}.`,
    );
  }

  #listener(): ProcessListener {
    const note = (line: string) => this.#note(line);
    return {
      line: (name, line) => this.#sinks.write(name, line),
      changed: () => this.#save(),
      exited: (name, exit) => {
        note(`"${name}" ended with ${describeExit(exit)}.`);
        this.#afterExit(name, exit);
      },
      note,
    };
  }

  #note(line: string): void {
    this.#given.options.onNote?.(line);
  }

  /** With `endWithApps`, the end of the last app is the end of the run. */
  #afterExit(name: string, exit: Exit): void {
    const { apps, options } = this.#given;
    const commanded = apps.filter((app) => app.command !== undefined).map((app) => app.appID);
    if (options.endWithApps !== true || !commanded.includes(name)) return;
    this.#appExits.set(name, exit);
    const ended = this.ps().filter(
      (info) => info.state === 'down' && commanded.includes(info.name),
    );
    if (ended.length < commanded.length) return;
    const status = [...this.#appExits.values()].map(statusOf).find((code) => code !== 0) ?? 0;
    void this.#stopAs({ reason: 'apps-exited', status });
  }

  #save(): void {
    if (this.#end !== undefined) return;
    const processes = this.#units.map(({ process }) => ({
      ...process.info(),
      identity: process.identity ?? null,
      startedWallMs: process.startedWallMs ?? null,
      ...this.#commandOf(process),
    }));
    this.#record = { ...this.#record, processes };
    try {
      writeRecord(this.#folder, this.#record);
    } catch (error) {
      // Somebody removed the folder, or the disk is full: what runs must go on.
      if (!this.#unrecorded) {
        this.#note(`The record of this run cannot be written: ${(error as Error).message}.`);
      }
      this.#unrecorded = true;
    }
  }

  #commandOf({ plan }: ManagedProcess): { readonly command?: string } {
    const app = this.#given.apps.find(({ appID }) => appID === plan.appId);
    if (plan.role !== 'service' || app?.command === undefined) return {};
    return { command: app.command.join(' ') };
  }

  #stopAs(end: RunEnd): Promise<void> {
    if (this.#stopping === undefined) {
      this.#end = end;
      this.#stopAsked.resolve();
      this.#stopping = this.#stopAll(end);
    }
    return this.#stopping;
  }

  async #stopAll(end: RunEnd): Promise<void> {
    const force = this.#force.signal;
    const processes = this.#units.map((unit) => unit.process);
    const apps = processes.filter(
      ({ plan }) => plan.appId !== undefined && plan.role === 'service',
    );
    const sidecars = processes.filter(({ plan }) => plan.role === 'sidecar');
    const others = processes.filter(({ plan }) => plan.appId === undefined);

    await Promise.all(apps.map((app) => app.stop(force)));
    await Promise.all(sidecars.map((sidecar) => sidecar.stop(force)));
    for (const other of others.reverse()) await other.stop(force);

    // A control socket that could not be opened has nothing to close, and the start has said why.
    await this.#control?.then((control) => control.close()).catch(() => {});
    await this.#sinks.close();
    this.#clear();
    process.removeListener('exit', this.#lastMoment);
    this.#resolveEnded(end);
  }

  #clear(): void {
    leaveRun(this.#given.home, this.#folder);
    removeRunFolder(this.#folder);
  }

  /** Our process ends, in whatever way it still could say so: nothing may outlive it. */
  readonly #lastMoment = (): void => {
    for (const { process } of this.#units) process.killNow();
    this.#clear();
  };
}

/** As a shell has it: 128 and the signal's number when one ended it. */
function statusOf({ code, signal }: Exit): number {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
