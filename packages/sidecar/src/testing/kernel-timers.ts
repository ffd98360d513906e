import { readFile } from 'node:fs/promises';

/** As the kernel numbers it. */
export const KEEP_ALIVE = 2;

/** What the kernel of Linux waits for on established connections of this machine, by the port at their own end or at the other. */
export async function kernelTimers(
  end: 'local' | 'remote',
  port: number,
): Promise<readonly { readonly kind: number; readonly leftS: number }[]> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', remote = '', state]) =>
        (end === 'local' ? local : remote).endsWith(`:${hex}`) && state === '01',
    )
    .map((fields) => {
      const [kind = '', when = ''] = (fields[5] ?? '').split(':');
      // In clock ticks of a hundredth of a second.
      return { kind: Number.parseInt(kind, 16), leftS: Number.parseInt(when, 16) / 100 };
    });
}
