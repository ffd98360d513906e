import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { verbWord } from '../flow/go-words.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import { countAttempt } from './count-attempt.ts';

/** What is counted of calls that leave the mesh: as invocations, and as requests of HTTP. */
export type CountOutside = Pick<SidecarMetrics, 'sent' | 'returned' | 'called'>;

export interface OutsideOptions {
  /** As metrics name it: an endpoint's name, or its URL. */
  readonly id: string;
  readonly origin: string;
  /** Before the method in the path of a call; the method alone is counted by. */
  readonly basePath: string;
  readonly clock: Clock;
  readonly metrics: CountOutside;
}

/** An address outside; failures are worded with verb and URL, as Go's http client does, and every attempt is counted. */
export class Outside implements Upstream {
  readonly #http: Upstream;
  readonly #options: OutsideOptions;

  constructor(http: Upstream, options: OutsideOptions) {
    this.#http = http;
    this.#options = options;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const { clock, id, metrics, origin } = this.#options;
    const begunMs = clock.now();
    // Whether its body streams or not, as in Dapr.
    const returned = countAttempt({ clock, metrics }, id, 'unary');
    // No answer counts as one.
    let answered = 500;
    let bytes = 0;
    const count = (): void => {
      const sent = Buffer.isBuffer(call.body) ? call.body.length : 0;
      const tookMs = clock.now() - begunMs;
      metrics.called(call.method, this.#methodOf(call.path), answered, tookMs, sent, bytes);
    };
    return this.#http.send(call, {
      head(status, headers, flow) {
        answered = status;
        returned(status);
        sink.head(status, headers, flow);
      },
      data(chunk) {
        bytes += chunk.length;
        sink.data(chunk);
      },
      end(last) {
        bytes += last?.length ?? 0;
        count();
        sink.end(last);
      },
      fail(error) {
        count();
        if (!(error instanceof UpstreamError)) return sink.fail(error);
        const message = `${verbWord(call.method)} "${origin}${call.path}": ${error.message}`;
        sink.fail(new UpstreamError(error.code, message, error));
      },
    });
  }

  #methodOf(path: string): string {
    const mark = path.indexOf('?');
    return path.slice(this.#options.basePath.length, mark === -1 ? undefined : mark);
  }
}
