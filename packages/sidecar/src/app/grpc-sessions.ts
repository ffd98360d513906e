import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Session,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@holdfast/core';
import { SilenceWatch, SilentPeerError } from '../flow/silence-watch.ts';

/** Calls on one connection at most, as Dapr has it; servers often allow no more either. */
const CALLS_EACH = 100;
/** Beyond so many connections calls wait in the last. */
const MAX_SESSIONS = 100;
/** What the other side may send of one answer before it is read, and of all: one that nobody takes must not hold up the others. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** All but one connection are closed when they were not needed for this long. */
const IDLE_MS = 180_000;

export interface GrpcSessionsOptions {
  /** Where connections are not as the URL says: they lead to another machine, and may come to lead nowhere. */
  readonly dial?: (() => Socket) | undefined;
  /** Told when there is no connection any more. */
  readonly gone?: (() => void) | undefined;
}

interface Session {
  readonly http2: ClientHttp2Session;
  calls: number;
  idle: Timer | undefined;
  /** Of connections to another machine. */
  watch: SilenceWatch | undefined;
}

/**
 * Connections to one HTTP/2 server: as many as its calls need, for calls that wait for each other
 * in the application must all reach it. Dialled when a call needs one, and anew after they ended.
 */
export class GrpcSessions {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #options: GrpcSessionsOptions;
  #sessions: Session[] = [];
  /** Those whose server has said its settings, and so speaks HTTP/2. */
  readonly #greeted = new WeakSet<Http2Session>();
  /** What the server allows is known once the settings of its first connection have come. */
  #room = CALLS_EACH;

  constructor(url: string, clock: Clock, options: GrpcSessionsOptions = {}) {
    this.#url = url;
    this.#clock = clock;
    this.#options = options;
  }

  /** `ended`: there is no body. @throws where a header cannot be one of HTTP/2 */
  request(headers: OutgoingHttpHeaders, ended = false): ClientHttp2Stream {
    const session = this.#free();
    const stream = session.http2.request(headers, { endStream: ended });
    session.calls += 1;
    session.watch?.wake();
    session.idle?.cancel();
    session.idle = undefined;
    stream.once('close', () => this.#ended(session));
    return stream;
  }

  /** Whether the server at its other end has shown that it speaks HTTP/2. */
  isGreeted(session: Http2Session): boolean {
    return this.#greeted.has(session);
  }

  /** Connections take no more calls, and end with their last. */
  retire(): void {
    const sessions = this.#sessions;
    this.#sessions = [];
    for (const { http2, idle } of sessions) {
      idle?.cancel();
      http2.close();
    }
  }

  close(): void {
    for (const { http2, idle } of this.#sessions) {
      idle?.cancel();
      http2.destroy();
    }
    this.#sessions = [];
  }

  #free(): Session {
    for (const session of this.#sessions) {
      const { http2, calls } = session;
      if (!http2.closed && !http2.destroyed && calls < this.#room) return session;
    }
    const last = this.#sessions.at(-1);
    return last !== undefined && this.#sessions.length >= MAX_SESSIONS ? last : this.#dial();
  }

  #dial(): Session {
    // On this machine: its certificate is not looked at, as in Dapr.
    const socket = this.#options.dial?.();
    const session: Session = {
      http2: http2.connect(this.#url, {
        rejectUnauthorized: false,
        ...(socket === undefined ? {} : { createConnection: () => socket }),
        settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      }),
      calls: 0,
      idle: undefined,
      watch: undefined,
    };
    if (socket !== undefined) session.watch = this.#watch(session, socket);
    const gone = () => {
      session.idle?.cancel();
      session.watch?.end();
      this.#leave(session);
    };
    // Told to each stream as well; without a listener it would end the process.
    session.http2.on('error', gone).on('close', gone).on('goaway', gone);
    session.http2.on('remoteSettings', ({ maxConcurrentStreams = CALLS_EACH }) => {
      this.#greeted.add(session.http2);
      this.#room = Math.max(1, Math.min(CALLS_EACH, maxConcurrentStreams));
    });
    session.http2.once('connect', () => {
      if (!session.http2.destroyed) session.http2.setLocalWindowSize(WINDOW_BYTES);
    });
    // An idle connection is no reason for the process to go on.
    session.http2.unref();
    this.#sessions.push(session);
    return session;
  }

  /** It takes no more calls. */
  #leave(session: Session): void {
    const before = this.#sessions.length;
    this.#sessions = this.#sessions.filter((one) => one !== session);
    if (before === 1 && this.#sessions.length === 0) this.#options.gone?.();
  }

  #watch(session: Session, socket: Socket): SilenceWatch {
    return new SilenceWatch(this.#clock, {
      bytesRead: () => socket.bytesRead,
      busy: () => session.calls > 0,
      // Settings are answered like a PING, of which gRPC's servers allow three in five minutes and then hang up.
      ask: () => {
        if (!session.http2.destroyed) session.http2.settings({ enablePush: false });
      },
      // Calls under way stay on it, for it may only stand still.
      doubted: () => {
        this.#leave(session);
        session.http2.close();
      },
      silent: () => session.http2.destroy(new SilentPeerError()),
    });
  }

  #ended(session: Session): void {
    session.calls -= 1;
    if (session.calls > 0 || !this.#sessions.includes(session) || this.#sessions.length === 1)
      return;
    session.idle = this.#clock.timer(IDLE_MS, () => {
      // A call may have come in the meantime; the last one stays.
      if (session.calls === 0 && this.#sessions.length > 1) session.http2.close();
    });
  }
}
