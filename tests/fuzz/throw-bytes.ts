import net from 'node:net';

/** Sends bytes to a port over a connection of their own, and waits until the other side has had enough, or a moment. */
export function throwBytes(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.setTimeout(100, () => socket.destroy());
    socket.on('close', () => resolve());
  });
}

/** So many at a time, each made only when its turn comes. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
