import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, chmod, mkdir, open, readdir, rename } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PEERS = path.resolve(ROOT, '../shared/peers');
const CACHE = path.resolve(ROOT, 'node_modules/.cache/holdfast-peers');

/**
 * The real daprd as an executable, unpacked once; undefined where this machine has none.
 * `HOLDFAST_DAPRD` names another build of it, for a component that is not among the stable ones:
 * dapr's own `cmd/daprd/app` with that component and `nameresolution/sqlite` registered.
 */
export async function findDaprd(): Promise<string | undefined> {
  if (process.env.HOLDFAST_DAPRD !== undefined) return process.env.HOLDFAST_DAPRD;
  const names = await readdir(PEERS).catch(() => []);
  const packed = names.find((name) => /^daprd-.*\.xz$/.test(name));
  if (packed === undefined) return undefined;
  const executable = path.join(CACHE, packed.replace(/\.xz$/, ''));
  if (await exists(executable)) return executable;
  await mkdir(CACHE, { recursive: true });
  const part = `${executable}.${process.pid}.part`;
  await unpack(path.join(PEERS, packed), part);
  await chmod(part, 0o755);
  await rename(part, executable);
  return executable;
}

/** Whether a build of daprd has a component: its code is named in it, such as `pubsub/jetstream`. */
export async function hasComponent(executable: string, component: string): Promise<boolean> {
  const wanted = Buffer.from(`components-contrib/${component}.`);
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(executable, { highWaterMark: 2 ** 20 })) {
    const here = Buffer.concat([end, chunk as Buffer]);
    if (here.includes(wanted)) return true;
    end = here.subarray(-wanted.length);
  }
  return false;
}

async function unpack(from: string, to: string): Promise<void> {
  const file = await open(to, 'w');
  try {
    const xz = execFile('xz', ['-dc'], { encoding: 'buffer', maxBuffer: 2 ** 30 });
    createReadStream(from).pipe(xz.stdin!);
    for await (const chunk of xz.stdout!) await file.write(chunk as Buffer);
  } finally {
    await file.close();
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
