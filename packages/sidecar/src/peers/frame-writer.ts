import type { Socket } from 'node:net';
import {
  BYE,
  CHUNK_BYTES,
  CREDIT,
  DATA,
  FRAME_BYTES,
  HEAD,
  LAST,
  MAX_BYE_BYTES,
  PING,
  PREFACE,
  RESET,
} from './frame-format.ts';

/** Frames are laid out in slabs of this size, never used twice: the kernel may still be reading. */
const SLAB_BYTES = 64 * 1024;
/** Payloads up to this are copied into the slab; larger ones are queued as they are. */
const COPY_BYTES = 4 * 1024;

/**
 * Writes frames to a connection: all of one turn of the event loop leave in one
 * write. That is most of what makes this leg cheap. Only the last frame of a
 * call that is alone leaves at once: nothing would come to go along with it,
 * and the other side can begin while this one is still putting things away.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #alone: () => boolean;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #from = 0;
  #to = 0;
  #queue: Buffer[] = [];
  #armed = false;

  /** `alone`: whether there is no call but the one whose frame is being written. */
  constructor(socket: Socket, alone: () => boolean = () => false) {
    this.#socket = socket;
    this.#alone = alone;
    socket.write(PREFACE);
  }

  /** Whether the other side is behind with reading. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** `text` and `body` are within their limits. */
  head(id: number, text: string, body: Buffer | null, last: boolean): void {
    const bodyBytes = body === null ? 0 : body.length;
    this.#room(FRAME_BYTES + 2 + text.length + (bodyBytes <= COPY_BYTES ? bodyBytes : 0));
    this.#frame(2 + text.length + bodyBytes, last ? HEAD | LAST : HEAD, id);
    this.#slab[this.#to++] = text.length >>> 8;
    this.#slab[this.#to++] = text.length;
    this.#to += this.#slab.write(text, this.#to, text.length, 'latin1');
    if (body !== null && bodyBytes > 0) this.#payload(body);
    this.#depart(last);
  }

  data(id: number, bytes: Buffer, last: boolean): void {
    for (let at = 0, more = true; more; ) {
      const size = Math.min(bytes.length - at, CHUNK_BYTES);
      more = at + size < bytes.length;
      this.#room(FRAME_BYTES + (size <= COPY_BYTES ? size : 0));
      this.#frame(size, last && !more ? DATA | LAST : DATA, id);
      if (size > 0) this.#payload(bytes.subarray(at, at + size));
      at += size;
    }
    this.#depart(last);
  }

  reset(id: number): void {
    this.#room(FRAME_BYTES);
    this.#frame(0, RESET, id);
    this.#depart(false);
  }

  credit(id: number, bytes: number): void {
    this.#room(FRAME_BYTES + 4);
    this.#frame(4, CREDIT, id);
    this.#to = this.#slab.writeUInt32BE(bytes, this.#to);
    this.#depart(false);
  }

  /**
   * Asks whether the other side is there, or answers that this one is. Who does not take what was sent
   * before gets no answer beside it, or one that only asks would have us keep them all.
   */
  ping(answer: boolean): void {
    if (answer && this.#socket.writableLength > 0) return;
    this.#room(FRAME_BYTES);
    this.#frame(0, answer ? PING | LAST : PING, 0);
    this.#depart(false);
  }

  /** The last frame: why the other side is not let in. */
  bye(why: string): void {
    const text = Buffer.from(why).subarray(0, MAX_BYE_BYTES);
    this.#room(FRAME_BYTES + text.length);
    this.#frame(text.length, BYE, 0);
    this.#payload(text);
    this.flush();
  }

  /** Sends what has gathered. */
  flush(): void {
    this.#armed = false;
    this.#cut();
    const queue = this.#queue;
    this.#queue = [];
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (queue.length === 1) {
      socket.write(queue[0]!);
      return;
    }
    socket.cork();
    for (const bytes of queue) socket.write(bytes);
    socket.uncork();
  }

  #room(bytes: number): void {
    if (this.#to + bytes <= SLAB_BYTES) return;
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#from = 0;
    this.#to = 0;
  }

  #depart(last: boolean): void {
    if (this.#armed) return;
    if (last && this.#alone()) {
      this.flush();
      return;
    }
    this.#armed = true;
    // After all sockets of this turn were read: their frames go along.
    setImmediate(flush, this);
  }

  #frame(bytes: number, kind: number, id: number): void {
    const slab = this.#slab;
    let to = slab.writeUInt32BE(bytes, this.#to);
    slab[to++] = kind;
    to = slab.writeUInt32BE(id, to);
    this.#to = to;
  }

  #payload(bytes: Buffer): void {
    if (bytes.length <= COPY_BYTES) {
      this.#slab.set(bytes, this.#to);
      this.#to += bytes.length;
    } else {
      this.#cut();
      this.#queue.push(bytes);
    }
  }

  #cut(): void {
    if (this.#to === this.#from) return;
    this.#queue.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

function flush(writer: FrameWriter): void {
  writer.flush();
}
