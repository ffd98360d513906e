import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { ExchangeSink } from '../flow/exchange-sink.ts';
import type { CountExchange, SidecarMetrics } from '../metrics/sidecar-metrics.ts';
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
    const { basePath, clock, id, metrics, origin } = this.#options;
    // Whether its body streams or not, as in Dapr.
    const returned = countAttempt({ clock, metrics }, id, 'unary');
    const called: CountExchange = (method, path, ...rest) =>
      metrics.called(method, path.slice(basePath.length), ...rest);
    const told: AnswerSink = {
      head(status, headers, flow) {
        returned(status);
        sink.head(status, headers, flow);
      },
      data: (chunk) => sink.data(chunk),
      end: (last) => sink.end(last),
      fail: (error) => sink.fail(error),
    };
    return this.#http.send(call, new ExchangeSink(told, origin, call, clock, called));
  }
}
