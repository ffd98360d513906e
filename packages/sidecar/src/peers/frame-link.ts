import type { Socket } from 'node:net';
import type { Clock } from '@holdfast/core';
import { SilenceWatch, SilentPeerError } from '../flow/silence-watch.ts';
import {
  BYE,
  CREDIT,
  DATA,
  FRAME_BYTES,
  HEAD,
  LAST,
  MAX_BYE_BYTES,
  MAX_FRAME_BYTES,
  PING,
  PREFACE,
  RESET,
  WINDOW_BYTES,
} from './frame-format.ts';
import { FrameWriter } from './frame-writer.ts';

/** One call on a link, at either end. */
export abstract class FrameStream {
  id = 0;
  /** Bytes that may still be sent. */
  credit = WINDOW_BYTES;
  /** Bytes received and not given back as credit. */
  unread = 0;
  /** Of these, the ones that were passed on: given back in halves of a window. */
  read = 0;

  abstract onHead(text: string, body: Buffer | null, last: boolean): void;
  abstract onData(bytes: Buffer, last: boolean): void;
  /** More may be sent. */
  abstract onCredit(): void;
  /** The other end gave it up, or the connection is gone. */
  abstract onReset(): void;
}

/** The other end took none of the calls, and said why. */
export class NotLetInError extends Error {
  readonly code = 'NOT_LET_IN';

  constructor(why: string) {
    super(`not let in: ${why}`);
    this.name = 'NotLetInError';
  }
}

/** The other side is a sidecar of daprd, or speaks HTTP/2 for another reason; nothing was sent to it. */
export class SpeaksHttp2Error extends Error {
  readonly code = 'SPEAKS_HTTP2';

  constructor() {
    super('the other side speaks HTTP/2');
    this.name = 'SpeaksHttp2Error';
  }
}

export interface FrameLinkEvents {
  /** Makes the stream of a call the other end begins; undefined refuses it. */
  readonly opened: (link: FrameLink, id: number) => FrameStream | undefined;
  readonly closed: (error: Error | undefined) => void;
  /** It does not answer: no more calls should begin on it. @default nobody is told */
  readonly doubted?: () => void;
  /** The other end is one of us. @default nobody is told */
  readonly greeted?: () => void;
}

/** Calls at a time on one link: what fits into the slot's part of an id. */
const SLOTS = 4096;

/**
 * One kept connection and the calls on it.
 *
 * Streams live in a table of slots with generations, not in a Map: a Map that
 * changes with every call chains dead objects of the old space to young ones,
 * and each scavenge then copies dead calls (three times the memory and pauses
 * of 10 ms where it was measured).
 */
export class FrameLink {
  readonly writer: FrameWriter;
  /** Calls in flight. */
  open = 0;
  readonly #socket: Socket;
  readonly #events: FrameLinkEvents;
  readonly #watch: SilenceWatch;
  readonly #slots: (FrameStream | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #generations: number[] = [];
  readonly #stalled = new Set<FrameStream>();
  #rest: Buffer | undefined;
  #greeted = false;

  constructor(socket: Socket, clock: Clock, events: FrameLinkEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#watch = new SilenceWatch(clock, {
      bytesRead: () => socket.bytesRead,
      busy: () => this.open > 0,
      ask: () => this.writer.ping(false),
      doubted: () => events.doubted?.(),
      silent: () => socket.destroy(new SilentPeerError()),
    });
    this.writer = new FrameWriter(socket, () => this.open <= 1);
    let failure: Error | undefined;
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      this.#watch.end();
      events.closed(failure);
      for (const stream of this.#slots) {
        if (stream === undefined) continue;
        this.close(stream);
        stream.onReset();
      }
    });
    socket.on('drain', () => {
      for (const stream of this.#stalled) this.#goOn(stream);
    });
  }

  /** Whether the other end has said that it is one of us. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Whether another call fits. */
  get hasRoom(): boolean {
    return this.open < SLOTS;
  }

  /** Begins a call from this end; its id holds the slot and its generation. */
  begin(stream: FrameStream): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    const generation = ((this.#generations[slot] ?? 0) + 1) & 0xfffff;
    this.#generations[slot] = generation;
    stream.id = ((generation << 12) | slot) >>> 0;
    this.#slots[slot] = stream;
    this.open += 1;
    this.#watch.wake();
  }

  /** The call is over, in both directions. */
  close(stream: FrameStream): void {
    const slot = stream.id & (SLOTS - 1);
    if (this.#slots[slot] !== stream) return;
    this.#slots[slot] = undefined;
    // Slots of calls that the other end began are the other end's to use again.
    if (this.#generations[slot] !== undefined) this.#free.push(slot);
    this.open -= 1;
    if (this.#stalled.size > 0) this.#stalled.delete(stream);
  }

  /** Sends a part of a body; false: wait for `onCredit` before the next. */
  send(stream: FrameStream, bytes: Buffer, last: boolean): boolean {
    this.writer.data(stream.id, bytes, last);
    stream.credit -= bytes.length;
    if (last || (stream.credit > 0 && !this.writer.full)) return true;
    this.#stalled.add(stream);
    return false;
  }

  /** `bytes` of what was received have been passed on. */
  consumed(stream: FrameStream, bytes: number): void {
    stream.read += bytes;
    if (stream.read < WINDOW_BYTES / 2) return;
    this.writer.credit(stream.id, stream.read);
    stream.unread -= stream.read;
    stream.read = 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #goOn(stream: FrameStream): void {
    if (stream.credit > 0 && this.#stalled.delete(stream)) stream.onCredit();
  }

  /** What has come; the socket hands it over by itself, but for what was read before there was a link. */
  take(bytes: Buffer): void {
    let all = bytes;
    if (this.#rest !== undefined) {
      all = Buffer.concat([this.#rest, bytes]);
      this.#rest = undefined;
    }
    let at = 0;
    if (!this.#greeted) {
      if (all.length < PREFACE.length) {
        this.#rest = all;
        return;
      }
      if (!all.subarray(0, PREFACE.length).equals(PREFACE)) {
        this.#socket.destroy(isHttp2(all) ? new SpeaksHttp2Error() : new Error(stranger(all)));
        return;
      }
      this.#greeted = true;
      at = PREFACE.length;
      this.#events.greeted?.();
    }
    while (all.length - at >= FRAME_BYTES) {
      const length = all.readUInt32BE(at);
      if (length > MAX_FRAME_BYTES) {
        this.#broken();
        return;
      }
      const from = at + FRAME_BYTES;
      if (all.length - from < length) break;
      const kind = all[at + 4]!;
      const id = all.readUInt32BE(at + 5);
      at = from + length;
      if (!this.#frame(kind & ~LAST, (kind & LAST) !== 0, id, all, from, at)) {
        this.#broken();
        return;
      }
    }
    if (at < all.length) this.#rest = all.subarray(at);
  }

  /** False: what came is no frame of ours. */
  #frame(kind: number, last: boolean, id: number, all: Buffer, from: number, to: number): boolean {
    if (kind === HEAD) {
      if (to - from < 2) return false;
      const body = from + 2 + all.readUInt16BE(from);
      if (body > to) return false;
      const text = all.toString('latin1', from + 2, body);
      const stream = this.#find(id) ?? this.#accept(id);
      if (stream === undefined) return true;
      const bytes = body < to ? all.subarray(body, to) : null;
      if (bytes !== null && !last) stream.unread += bytes.length;
      stream.onHead(text, bytes, last);
      return true;
    }
    if (kind === BYE) {
      if (to - from > MAX_BYE_BYTES) return false;
      this.#socket.destroy(new NotLetInError(all.toString('utf8', from, to)));
      return true;
    }
    if (kind === PING) {
      if (!last) this.writer.ping(true);
      return true;
    }
    const stream = this.#find(id);
    // A late frame of a call that is over.
    if (stream === undefined) return kind === DATA || kind === RESET || kind === CREDIT;
    switch (kind) {
      case DATA:
        stream.unread += to - from;
        // Twice the window: the other end does not keep to it.
        if (stream.unread > 2 * WINDOW_BYTES) return false;
        stream.onData(all.subarray(from, to), last);
        return true;
      case CREDIT:
        if (to - from !== 4) return false;
        stream.credit += all.readUInt32BE(from);
        this.#goOn(stream);
        return true;
      case RESET:
        this.close(stream);
        stream.onReset();
        return true;
      default:
        return false;
    }
  }

  #find(id: number): FrameStream | undefined {
    const stream = this.#slots[id & (SLOTS - 1)];
    return stream !== undefined && stream.id === id ? stream : undefined;
  }

  /** A call the other end begins; it gives ids, so an older call in the slot was given up there. */
  #accept(id: number): FrameStream | undefined {
    const stream = this.#events.opened(this, id);
    if (stream === undefined) return undefined;
    const slot = id & (SLOTS - 1);
    const old = this.#slots[slot];
    if (old !== undefined) {
      this.close(old);
      old.onReset();
    }
    while (this.#slots.length < slot) this.#slots.push(undefined);
    stream.id = id;
    this.#slots[slot] = stream;
    this.open += 1;
    this.#watch.wake();
    return stream;
  }

  #broken(): void {
    this.#socket.destroy(new Error('the other side sent what is no frame'));
  }
}

/** HTTP/2's servers begin with their settings: u24 length, the kind 4, no flags, the stream 0. */
const isHttp2 = (bytes: Buffer): boolean =>
  bytes[0] === 0 && bytes[3] === 4 && bytes[4] === 0 && bytes[5] === 0;

/** TLS answers what it does not understand with an alert or a handshake record. */
function stranger(bytes: Buffer): string {
  const isTls = (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
  return isTls
    ? 'the other side speaks TLS, this side does not: is one of them started without --enable-mtls?'
    : 'the other side is no holdfast sidecar';
}
