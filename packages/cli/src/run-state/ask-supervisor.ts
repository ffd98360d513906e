import { request } from 'node:http';
import type { ControlCommand } from '../supervisor/control-server.ts';
import type { ProcessInfo } from '../supervisor/process/process-info.ts';
import type { RunRecord } from './run-record.ts';

/** Asks the supervisor of a run. Rejects with its own sentence when it says no. */
export function askSupervisor(
  record: RunRecord,
  command: ControlCommand,
  body: Readonly<Record<string, unknown>> = {},
): Promise<readonly ProcessInfo[]> {
  const { socket, token } = record.control;
  return new Promise((resolve, reject) => {
    const ask = request(
      {
        socketPath: socket,
        path: `/${command}`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const answer = JSON.parse(text) as readonly ProcessInfo[] & { readonly error?: string };
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(answer.error));
        });
      },
    );
    ask.on('error', reject);
    ask.end(JSON.stringify(body));
  });
}
