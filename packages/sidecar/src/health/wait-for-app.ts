import net from 'node:net';
import type { Clock, Timer } from '@holdfast/core';

const EVERY_MS = 100;

/**
 * Calls `there` once, when the application accepts connections for the first
 * time. As in Dapr, the sidecar is not healthy before; it serves all the same.
 */
export function waitForApp(
  address: { readonly host: string; readonly port: number },
  clock: Clock,
  there: () => void,
): { close(): void } {
  let socket: net.Socket | undefined;
  let timer: Timer | undefined;
  let closed = false;

  const look = (): void => {
    if (closed) return;
    socket = net.connect(address);
    socket.once('connect', () => {
      closed = true;
      there();
      socket?.destroy();
    });
    socket.once('error', () => {
      timer = clock.timer(EVERY_MS, look);
    });
  };
  look();
  return {
    close() {
      closed = true;
      timer?.cancel();
      socket?.destroy();
    },
  };
}
