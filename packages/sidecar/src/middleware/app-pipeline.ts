import { pipeline, type Readable, Transform } from 'node:stream';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { type ChainVerdict, joinFilters, passThrough } from './chain.ts';
import type { BodyFilter, Middleware } from './middleware.ts';

/** Puts middleware (`spec.appHttpPipeline`), as it is when a call comes, in front of an upstream. */
export function appPipeline(now: () => readonly Middleware[], upstream: Upstream): Upstream {
  return {
    send(call, sink) {
      const chain = now();
      if (chain.length === 0) return upstream.send(call, sink);
      const { method, path, headers } = call;
      const said = passThrough(chain, { method, path, headers, from: undefined });
      if (!(said instanceof Promise)) return follow(said, call, sink, upstream);
      const flow = new LaterFlow();
      said.then(
        (known) => flow.begin(() => follow(known, call, sink, upstream)),
        (error: Error) => flow.begin(() => failed(error, sink)),
      );
      return flow;
    },
  };
}

function follow(
  said: ChainVerdict,
  call: OutgoingCall,
  sink: AnswerSink,
  upstream: Upstream,
): Flow {
  const { verdict, headers } = said;
  const answer = joinFilters(said.answer);
  const changed =
    answer === undefined && headers.length === 0 ? sink : new ChangedSink(sink, headers, answer);
  if (verdict.kind === 'answer') {
    const body = Buffer.from(verdict.body);
    const length = ['content-length', String(body.length)];
    queueMicrotask(() => {
      changed.head(verdict.status, [...verdict.headers, ...length], STILL);
      changed.end(body);
    });
    return STILL;
  }
  const request = joinFilters(said.request);
  const path = verdict.path ?? call.path;
  const body = request === undefined ? call.body : changedBody(call.body, request);
  return upstream.send({ ...call, path, body }, changed);
}

function failed(error: Error, sink: AnswerSink): Flow {
  sink.fail(error);
  return STILL;
}

/** Nothing to slow down or to give up. */
const STILL: Flow = { pause() {}, resume() {}, abort() {} };

function changedBody(body: OutgoingCall['body'], filter: BodyFilter): OutgoingCall['body'] {
  if (body === null) return null;
  if (Buffer.isBuffer(body)) return Buffer.concat([filter.push(body), filter.end()]);
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, filter.push(chunk));
    },
    flush(done) {
      done(null, filter.end());
    },
  });
  // Either end that fails takes the other with it; the failure is told through the call.
  return pipeline(body as Readable, through, () => {});
}

/** An answer with headers of the middleware, and its body through their filter. */
class ChangedSink implements AnswerSink {
  readonly #sink: AnswerSink;
  readonly #headers: readonly string[];
  readonly #filter: BodyFilter | undefined;

  constructor(sink: AnswerSink, headers: readonly string[], filter: BodyFilter | undefined) {
    this.#sink = sink;
    this.#headers = headers;
    this.#filter = filter;
  }

  head(status: number, headers: string[], flow: Flow): void {
    headers.push(...this.#headers);
    this.#sink.head(status, headers, flow);
  }

  data(chunk: Buffer): void {
    const changed = this.#filter === undefined ? chunk : this.#filter.push(chunk);
    if (changed.length > 0) this.#sink.data(changed);
  }

  end(last: Buffer | null): void {
    const filter = this.#filter;
    if (filter === undefined) {
      this.#sink.end(last);
      return;
    }
    const rest = Buffer.concat([last === null ? Buffer.alloc(0) : filter.push(last), filter.end()]);
    this.#sink.end(rest.length === 0 ? null : rest);
  }

  fail(error: Error): void {
    this.#sink.fail(error);
  }
}

/** The handle on a call that has not been sent yet; given up, it never will be. */
class LaterFlow implements Flow {
  #flow: Flow | undefined;
  #paused = false;
  #aborted = false;

  begin(send: () => Flow): void {
    if (this.#aborted) return;
    this.#flow = send();
    if (this.#paused) this.#flow.pause();
  }

  pause(): void {
    this.#paused = true;
    this.#flow?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow?.resume();
  }

  abort(reason: Error): void {
    this.#aborted = true;
    this.#flow?.abort(reason);
  }
}
