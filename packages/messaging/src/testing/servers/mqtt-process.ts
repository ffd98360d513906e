import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const PROGRAM = fileURLToPath(new URL('../../mqtt-server/mqtt-broker-main.ts', import.meta.url));

/** The MQTT broker as a process that can be killed, stopped and started again on the same port. */
export interface MqttProcess {
  readonly url: string;
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end; its exit status. */
  stop(): Promise<number | null>;
}

export async function mqttProcess(dataDir: string): Promise<MqttProcess> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exit = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  };
  const start = async () => {
    const args = ['--conditions=source', PROGRAM, '--port', String(port), '--data', dataDir];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = child;
    if (stdout === null) throw new Error('unreachable: stdout is a pipe');
    await Promise.race([
      once(stdout, 'data'),
      once(child, 'exit').then(() => {
        throw new Error('The MQTT broker ended while it was starting.');
      }),
    ]);
  };
  await start();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    start,
    signal: (signal) => void child?.kill(signal),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}
