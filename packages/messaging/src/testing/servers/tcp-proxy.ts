import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How much of what a client sent gets through before its connection is reset. */
export type Cut = 'half-sent' | 'unanswered';

/** Stands between clients and a server on this machine, and does to their connections what networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Where new connections go from now on; those that are there are reset, unless they are kept. */
  target(port: number, old?: 'kept'): void;
  /** As a firewall that has forgotten them: connections that are there stay open and pass nothing on. */
  silence(): void;
  /** Whatever is sent from now on arrives so much later, in its order. */
  delay(ms: number): void;
  /**
   * Resets the connection over which the next piece comes from a client that `is` what is looked
   * for: when half of it has been passed on, or all of it and nothing that is answered. Resolves then.
   */
  cutOnce(is: (piece: Buffer) => boolean, cut: Cut): Promise<void>;
  close(): Promise<void>;
}

interface Watch {
  readonly is: (piece: Buffer) => boolean;
  readonly cut: Cut;
  readonly done: () => void;
}

/** To `target`; listens on `port`, by default any that is free. */
export async function tcpProxy(target: number, port = 0): Promise<TcpProxy> {
  const pairs = new Set<() => void>();
  let silences = 0;
  let upstream = target;
  let delayMs = 0;
  let watch: Watch | undefined;

  const server = createServer((client) => {
    const behind = connect(upstream, '127.0.0.1');
    client.setNoDelay(true);
    behind.setNoDelay(true);
    const begunAt = silences;
    let cut = false;
    const deaf = () => cut || begunAt !== silences;
    const reset = () => {
      if (!pairs.delete(reset)) return;
      cutOff(client);
      cutOff(behind);
    };
    pairs.add(reset);
    for (const socket of [client, behind]) {
      socket.on('error', reset);
      socket.on('close', reset);
    }
    const toServer = pipeTo(behind);
    const toClient = pipeTo(client);
    client.on('data', (piece) => {
      // Cut off already: what it goes on to send gets nowhere.
      if (deaf()) return;
      const seen = watch;
      if (seen === undefined || !seen.is(piece)) {
        void toServer(piece, delayMs);
        return;
      }
      watch = undefined;
      cut = true;
      const half = seen.cut === 'half-sent' ? piece.subarray(0, piece.length >> 1) : piece;
      // Time enough for that much to be read and done; a reset may overtake what is unread.
      void toServer(half, delayMs)
        .then(() => sleep(20))
        .then(reset)
        .then(seen.done);
    });
    behind.on('data', (piece) => {
      if (!deaf()) void toClient(piece, delayMs);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const resetAll = () => {
    for (const reset of [...pairs]) reset();
  };
  return {
    port: (server.address() as AddressInfo).port,
    target(port, old) {
      upstream = port;
      if (old === undefined) resetAll();
    },
    silence() {
      silences += 1;
    },
    delay(ms) {
      delayMs = ms;
    },
    cutOnce: (is, cut) =>
      new Promise((done) => {
        watch = { is, cut, done };
      }),
    async close() {
      const closed = once(server, 'close');
      server.close();
      resetAll();
      await closed;
    },
  };
}

/**
 * Resets a connection. A reset begins with an end of ours; while that is under way libuv refuses to
 * reset, and the socket would never be closed: so one that has ended is let go, and nothing is read
 * any more whose failure could come in between.
 */
function cutOff(socket: Socket): void {
  socket.pause();
  if (socket.connecting || socket.writableEnded || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}

/** Writes piece after piece, each so much later than it came. */
function pipeTo(socket: Socket): (piece: Buffer, delayMs: number) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (piece, delayMs) => {
    const due = delayMs === 0 ? Promise.resolve() : sleep(delayMs);
    last = Promise.all([last, due]).then(() => {
      if (socket.writable) socket.write(piece);
    });
    return last;
  };
}
