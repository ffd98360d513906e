import type { Clock } from '@holdfast/core';
import { FrameLink, type FrameStream, SpeaksHttp2Error } from './frame-link.ts';
import type { Dialling } from './peer-security.ts';
import type { SentCall } from './sent-call.ts';

export interface DialedEvents {
  /** It carries no more calls: it has ended, whatever came of it, or the other side does not answer. */
  readonly gone: () => void;
  /** The other side is no sidecar of ours but of daprd; nothing of these calls was sent. */
  readonly otherKind: (waiting: readonly SentCall[]) => void;
}

/** What a sidecar of ours calls itself where TLS is agreed upon, and what daprd's do. */
export const OUR_PROTOCOL = 'holdfast';
export const THEIR_PROTOCOL = 'h2';

/** A link that we dialled, with what became of its connection. */
export class Dialed {
  readonly link: FrameLink;
  connected = false;
  failure: (Error & { code?: string }) | undefined;

  /** Calls that are sent as soon as it is known who is there. */
  #waiting: SentCall[] = [];
  #retired = false;

  constructor({ established, socket }: Dialling, clock: Clock, { gone, otherKind }: DialedEvents) {
    socket.once(established, () => {
      this.connected = true;
      const { alpnProtocol } = socket as { alpnProtocol?: string | false | null };
      if (alpnProtocol === THEIR_PROTOCOL) socket.destroy(new SpeaksHttp2Error());
    });
    this.link = new FrameLink(socket, clock, {
      // The other end begins no calls on a link that we dialled.
      opened: () => undefined,
      closed: (error) => {
        this.failure = error;
        gone();
        const waiting = this.#taken();
        if (error instanceof SpeaksHttp2Error) otherKind(waiting);
        else for (const call of waiting) call.unsent(this);
      },
      doubted: () => {
        gone();
        this.retire();
      },
      greeted: () => {
        socket.setTimeout(0);
        for (const call of this.#taken()) call.begin(this);
      },
    });
  }

  /** Calls in flight, and those that wait. */
  get open(): number {
    return this.link.open + this.#waiting.length;
  }

  send(call: SentCall): void {
    if (this.link.greeted) {
      call.begin(this);
      return;
    }
    call.wait();
    this.#waiting.push(call);
  }

  close(stream: FrameStream): void {
    this.link.close(stream);
    if (this.#retired && this.open === 0) this.link.destroy();
  }

  retire(): void {
    this.#retired = true;
    if (this.open === 0) this.link.destroy();
  }

  #taken(): SentCall[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
