import net from 'node:net';
import tls, { type ConnectionOptions } from 'node:tls';
import { type AnswerHeaders, answerHeaders, lowerName } from './headers/answer-headers.ts';
import { CONNECT_MS, explainFailure } from './http-upstream.ts';
import {
  type AnswerEvents,
  AnswerParser,
  BODY,
  type HeadVerdict,
  NO_BODY,
  REFUSE,
} from './llhttp.ts';
import type { PlainFlow } from './plain-flow.ts';

/** Who keeps connections. */
export interface PlainKeeper {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as errors name it. */
  readonly address: string;
  /** Where it is to be spoken to by TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Its answer has ended, and another call may follow. */
  free(connection: PlainConnection): void;
  /** It has ended. */
  gone(connection: PlainConnection): void;
}

const SWITCHING = 101;

/**
 * All connections are read into this one piece of memory: what came is parsed,
 * and copied as far as it is kept, before anything else is read. A buffer for
 * each read costs more than all else that is done with a small answer.
 */
const arrivals = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection to an HTTP/1.1 server; carries one call at a time. */
export class PlainConnection implements AnswerEvents {
  /** When its last call ended. */
  idleSinceMs = 0;
  /** What the other side said of how long it keeps it, in the last answer. */
  keepAlive: string | undefined;
  #flow: PlainFlow | undefined;
  /** Another call may follow. */
  #kept = true;
  #answering = false;
  #paused = false;
  #received = 0;
  #length = -1;
  /** The end of a body whose length is known: nothing follows, so it goes along with the end. */
  #last: Buffer | null = null;
  #failure: Error | undefined;
  readonly #keeper: PlainKeeper;
  readonly #socket: net.Socket;
  readonly #parser = new AnswerParser(this);

  constructor(keeper: PlainKeeper) {
    this.#keeper = keeper;
    const { host, port } = keeper;
    const onread = {
      buffer: arrivals,
      callback: (length: number) => this.#take(length),
    };
    this.#socket =
      keeper.tls === undefined
        ? net.connect({ host, port, noDelay: true, keepAlive: true, onread })
        : tls.connect({ ...keeper.tls, host, port, onread } as ConnectionOptions);
    if (keeper.tls !== undefined) this.#socket.setNoDelay(true).setKeepAlive(true);
    this.#socket
      .setTimeout(CONNECT_MS, () => this.#socket.destroy(new ConnectTimeoutError()))
      .on(keeper.tls === undefined ? 'connect' : 'secureConnect', () => this.#socket.setTimeout(0))
      .on('error', (error) => {
        this.#failure ??= error;
      })
      .on('end', () => this.#ended())
      .on('close', () => this.#closed());
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends a call; the one before it has ended. */
  send(flow: PlainFlow): void {
    this.#flow = flow;
    flow.connection = this;
    const { text, body } = flow.request;
    if (body === null) {
      this.#socket.write(text, 'latin1');
      return;
    }
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** @internal */
  begin(): boolean {
    // Bytes that nobody asked for would be taken for the answer of the next call.
    return this.#flow !== undefined;
  }

  /** @internal */
  head(status: number, raw: string[], keepAlive: boolean, upgrade: boolean): HeadVerdict {
    const flow = this.#flow;
    if (flow === undefined || flow.done) return REFUSE;
    if (upgrade && status !== SWITCHING) {
      this.#failure = new ClosedError();
      return REFUSE;
    }
    // The last answer of its connection as of HTTP, as Go's client and so daprd has it.
    const switching = status === SWITCHING;
    if (status < 200 && !switching) return NO_BODY;
    const answer = answerHeaders(raw);
    const { headOnly } = flow.request;
    const bodiless = headOnly || switching || status === 204 || status === 304;
    // A body where there is none would be read as the next answer. That of a HEAD is always announced.
    this.#kept = keepAlive && !switching && !(bodiless && announcesBody(answer, raw));
    this.keepAlive = answer.keepAlive;
    this.#length = bodiless ? -1 : answer.length;
    this.#received = 0;
    this.#answering = true;
    flow.sink.head(status, answer.headers, flow);
    if (flow.done) return REFUSE;
    return switching || headOnly ? NO_BODY : BODY;
  }

  /** @internal */
  data(bytes: Buffer): void {
    const flow = this.#flow;
    if (flow === undefined || flow.done) return;
    this.#received += bytes.length;
    const kept = Buffer.from(bytes);
    if (this.#received === this.#length) this.#last = kept;
    else flow.sink.data(kept);
  }

  /** @internal */
  end(): void {
    const flow = this.#flow;
    // Of an interim answer.
    if (!this.#answering || flow === undefined) return;
    const last = this.#last;
    this.#answering = false;
    this.#last = null;
    this.#flow = undefined;
    if (flow.done) return;
    flow.done = true;
    flow.sink.end(last);
  }

  #take(length: number): boolean {
    const busy = this.#flow !== undefined;
    try {
      this.#parser.parse(arrivals.subarray(0, length));
    } catch (error) {
      this.#failure ??= error as Error;
      this.#socket.destroy();
      return false;
    }
    if (busy && this.#flow === undefined) this.#done();
    return true;
  }

  /** The answer has ended; nothing but it was in what came. */
  #done(): void {
    if (!this.#kept || this.#socket.destroyed) {
      this.#socket.destroy();
      return;
    }
    if (this.#paused) this.resume();
    this.#keeper.free(this);
  }

  #ended(): void {
    if (this.#flow !== undefined) {
      try {
        this.#parser.finish();
      } catch {
        // It ended too early: the call fails when the connection is closed.
      }
    }
    this.#socket.destroy();
  }

  #closed(): void {
    this.#parser.free();
    const flow = this.#flow;
    this.#flow = undefined;
    const failure = this.#failure ?? new ClosedError();
    if (flow !== undefined) flow.fail(explainFailure(failure, this.#keeper.address));
    this.#keeper.gone(this);
  }
}

/** Content of an answer that has none would be read as the next answer. */
function announcesBody({ length }: AnswerHeaders, raw: readonly string[]): boolean {
  return length > 0 || raw.some((text, at) => at % 2 === 0 && isTransferEncoding(text));
}

const isTransferEncoding = (name: string): boolean => lowerName(name) === 'transfer-encoding';

// The codes are undici's, so that both ways to a server have their failures worded in one place.
class ConnectTimeoutError extends Error {
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';
}

class ClosedError extends Error {
  readonly code = 'UND_ERR_SOCKET';
}
