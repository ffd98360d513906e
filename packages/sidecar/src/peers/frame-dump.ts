import { closeSync, openSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { FrameLines } from './frame-lines.ts';
import type { PeerSecurity } from './peer-security.ts';

/** A file of this size is enough to look at; it does not fill the disk of who forgot it. */
const MAX_DUMP_BYTES = 256 * 1024 * 1024;

/** Where the frames of all connections are written down, for who looks for a fault. */
export interface FrameDump {
  /** The same security, whose connections are looked at. Without a dump nothing is in their way. */
  watch(security: PeerSecurity): PeerSecurity;
  close(): void;
}

/**
 * Appends a line for each frame to `file`, which only its owner may read. Each
 * line is written at once, so that the last ones are there after a crash: it
 * costs what it costs, and is for debugging.
 *
 * @throws Error for a file that cannot be written
 */
export function openFrameDump(
  file: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): FrameDump {
  const fd = appending(file);
  let bytes = 0;
  let open = true;
  log.warn(
    `The frames between sidecars are written to ${file}, with what applications say to each other.`,
  );
  const end = (why: string): void => {
    open = false;
    log.warn(`No more frames are written to ${file}: ${why}.`);
  };
  const write = (line: string): void => {
    if (!open) return;
    try {
      bytes += writeSync(fd, `${new Date(clock.wallMs()).toISOString()} ${line}\n`);
      if (bytes > MAX_DUMP_BYTES) end(`it has ${MAX_DUMP_BYTES} bytes`);
    } catch (error) {
      // A full disk ends the dump, not the calls.
      end((error as Error).message);
    }
  };
  return {
    watch: (security) => watched(security, write),
    close() {
      open = false;
      closeSync(fd);
    },
  };
}

function appending(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    throw new Error(
      `Frames cannot be written to ${file} (HOLDFAST_FRAME_DUMP): ${(error as Error).message}; name a file that this user may write, in a folder that is there.`,
      { cause: error },
    );
  }
}

function watched(security: PeerSecurity, write: (line: string) => void): PeerSecurity {
  return {
    ...security,
    dial(to, expected) {
      const dialed = security.dial(to, expected);
      tap(dialed.socket, `to ${to.host}:${to.port}`, write);
      return dialed;
    },
    admit(socket) {
      tap(socket, `from ${socket.remoteAddress}:${socket.remotePort}`, write);
      return security.admit(socket);
    },
  };
}

/** `>` is sent, `<` is received. */
function tap(socket: Socket, peer: string, write: (line: string) => void): void {
  const incoming = new FrameLines();
  const outgoing = new FrameLines();
  socket.on('data', (bytes: Buffer) => {
    for (const line of incoming.read(bytes)) write(`${peer} < ${line}`);
  });
  const send = socket.write;
  socket.write = ((bytes: Buffer, ...rest: never[]) => {
    for (const line of outgoing.read(bytes)) write(`${peer} > ${line}`);
    return send.call(socket, bytes, ...rest);
  }) as Socket['write'];
  socket.on('close', () => write(`${peer} closed`));
}
