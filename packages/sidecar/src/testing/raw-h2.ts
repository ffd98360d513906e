import net, { type Socket } from 'node:net';

/** Kinds of frames (RFC 9113 §6). */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const GOAWAY = 7;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const END_HEADERS = 4;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const HEAD_BYTES = 9;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Names and values of up to 16,000 bytes, as HPACK writes what it does not keep. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const text = (given: string): Buffer => {
    const bytes = Buffer.from(given, 'latin1');
    const left = bytes.length - 127;
    const length = left < 0 ? [bytes.length] : [127, (left & 127) | 128, left >> 7];
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** Splits what comes into frames. */
export function frameReader(take: (frame: Frame) => void): (bytes: Buffer) => void {
  let left: Buffer = Buffer.alloc(0);
  return (bytes) => {
    left = Buffer.concat([left, bytes]);
    for (;;) {
      const length = left.length < HEAD_BYTES ? 0 : left.readUIntBE(0, 3);
      if (left.length < HEAD_BYTES + length) return;
      const payload = left.subarray(HEAD_BYTES, HEAD_BYTES + length);
      take({ type: left[3]!, flags: left[4]!, stream: left.readUInt32BE(5), payload });
      left = left.subarray(HEAD_BYTES + length);
    }
  };
}

export interface RawH2 {
  readonly socket: Socket;
  readonly frames: readonly Frame[];
  send(...frames: readonly Buffer[]): void;
  /** The next frame for which `is` says so, of those before as well. */
  saw(is: (frame: Frame) => boolean): Promise<Frame>;
  readonly closed: Promise<void>;
}

/** A client of HTTP/2 that says exactly what it is told to, after preface and empty settings. */
export function rawH2(port: number): RawH2 {
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  const socket = net.connect(port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket
    .on('error', () => {})
    .on(
      'data',
      frameReader((one) => {
        frames.push(one);
        for (const look of waiting) look();
      }),
    );
  socket.setNoDelay(true).write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
  return {
    socket,
    frames,
    closed,
    send: (...all) => void socket.write(Buffer.concat(all)),
    saw: (is) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = frames.find(is);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        void closed.then(() => reject(new Error('the connection ended before')));
        look();
      }),
  };
}
