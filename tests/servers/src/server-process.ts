import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to run, and how to know that it is ready. */
export interface ServerCommand {
  /** Names it in errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly options?: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>;
  /** Whether it serves, once its port takes connections. @default that is enough */
  readonly ready?: () => Promise<boolean>;
  /** @default 180_000 ms: Java on a busy machine */
  readonly patienceMs?: number;
  /** Ends it in peace. @default 'SIGTERM' */
  readonly stopSignal?: NodeJS.Signals;
  /** Runs after its last end: removes its folder. */
  readonly cleanUp?: () => Promise<void>;
}

/** A server that a test started. */
export interface ServerProcess {
  readonly port: number;
  readonly pid: () => number;
  /** In peace, and with SIGKILL where that takes longer than 10 s. What it kept stays. */
  stop(): Promise<void>;
  /** SIGKILL. What it kept stays. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Starts it again, after `stop` or `kill`: same port, same data. */
  restart(): Promise<void>;
  /** Ends it for good and removes what it kept. */
  remove(): Promise<void>;
}

/** Starts a server and waits until it serves. Rejects, with its last words, when it does not. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || hasEnded(child)) return;
    const exited = once(child, 'exit');
    // A stopped process hears nothing but SIGKILL.
    child.kill('SIGCONT');
    child.kill(signal);
    const late = new AbortController();
    const victim = child;
    const impatience = sleep(10_000, undefined, { signal: late.signal }).then(
      () => victim.kill('SIGKILL'),
      () => false,
    );
    await exited;
    late.abort();
    await impatience;
  };
  const server: ServerProcess = {
    port: command.port,
    pid: () => child?.pid ?? -1,
    stop: () => end(command.stopSignal ?? 'SIGTERM'),
    kill: () => end('SIGKILL'),
    signal: (signal) => void child?.kill(signal),
    async restart() {
      child = await launch(command);
    },
    async remove() {
      await end('SIGKILL');
      await command.cleanUp?.();
    },
  };
  await server.restart();
  return server;
}

async function launch(command: ServerCommand): Promise<ChildProcess> {
  const { name, port, patienceMs = 180_000 } = command;
  const child = spawn(command.command, command.args, {
    ...command.options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const hear = (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-4_000);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.once('error', (error) => hear(Buffer.from(String(error))));
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 50) {
    if (hasEnded(child) || child.pid === undefined) {
      throw new Error(`${name} ended while it was starting: ${output}`);
    }
    if ((await takesConnections(port)) && ((await command.ready?.()) ?? true)) return child;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not serve on port ${port} within ${patienceMs} ms: ${output}`);
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const up = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return up;
}
