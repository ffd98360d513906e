import { connect } from 'node:net';

export interface RawConnection {
  write(text: string | Uint8Array): void;
  /** Everything that came, once it holds `part`, or the connection has ended. */
  heard(part: string): Promise<string>;
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** A connection whose every byte is the test's: what no client library would send. */
export function rawConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let listeners: (() => void)[] = [];
  const tell = () => {
    const all = listeners;
    listeners = [];
    for (const listener of all) listener();
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    tell();
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      resolve();
      tell();
    });
  });
  return {
    write: (bytes) => void socket.write(bytes),
    async heard(part) {
      while (!text.includes(part) && !socket.destroyed) {
        await new Promise<void>((resolve) => listeners.push(resolve));
      }
      return text;
    },
    closed,
    destroy: () => void socket.destroy(),
  };
}
