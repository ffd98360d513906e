import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServerProcess } from '@holdfast/test-servers';
import { eventually } from '../eventually.ts';

/**
 * A server that is several processes, as PostgreSQL is: what is done to it is done to all of them.
 * The first alone, stopped, would leave those that serve connections at work; killed, it would leave
 * them in the middle of a statement.
 */
export function forkingServer(server: ServerProcess): ServerProcess {
  return {
    ...server,
    signal(signal) {
      const first = server.pid();
      // Stopped first, it begins nobody who would be missed.
      if (signal === 'SIGSTOP') server.signal(signal);
      void childrenOf(first).then((pids) => {
        send(pids, signal);
        if (signal !== 'SIGSTOP') server.signal(signal);
      });
    },
    async kill() {
      const first = server.pid();
      server.signal('SIGSTOP');
      const pids = await childrenOf(first);
      await server.kill();
      send(pids, 'SIGKILL');
      // What they share is free when the last of them is gone.
      await eventually(
        async () => (await processes()).filter(({ pid }) => pids.includes(pid)),
        (left) => left.length === 0,
        'all its processes are gone',
      );
    },
  };
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  return (await processes()).filter((each) => each.parent === pid).map((each) => each.pid);
}

/** Those that live: what has ended and waits to be reaped does not. */
async function processes(): Promise<readonly { readonly pid: number; readonly parent: number }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = '']) => !state.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}
