import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '1.19.0';
const FOLDER = path.resolve(
  import.meta.dirname,
  `../../node_modules/.cache/holdfast-python-dapr-${VERSION}-grpc`,
);

/** A Python with Dapr's SDK in it, set up once; or why there is none. */
export async function pythonWithDapr(): Promise<{ python: string } | { why: string }> {
  const python = path.join(FOLDER, 'bin/python');
  const done = path.join(FOLDER, 'holdfast-done');
  if (await there(done)) return { python };
  try {
    await run('python3', ['-m', 'venv', '--clear', FOLDER]);
    await run(python, ['-m', 'pip', 'install', '--quiet', `dapr[grpc]==${VERSION}`]);
    await run(python, [
      '-c',
      `import dapr.clients, dapr.ext.grpc; open(${JSON.stringify(done)}, 'w').close()`,
    ]);
    return { python };
  } catch (error) {
    const words = (error as Error).message.split('\n').slice(0, 3).join(' ');
    return {
      why: `Dapr's Python SDK cannot be had (python3 with venv and pip is needed): ${words}`,
    };
  }
}

const there = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
