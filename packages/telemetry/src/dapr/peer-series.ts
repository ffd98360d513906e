import { BoundedCache } from '../bounded-cache.ts';
import { type Family, OVERFLOW } from '../metrics/family.ts';
import { type Counter, type Histogram, onceCounted } from '../metrics/series.ts';
import type { CalleeMetrics, CallerMetrics, InvocationType } from './service-invocation-metrics.ts';

/** The families that peers have series in. */
export interface InvocationFamilies {
  readonly requestsSent: Family<Counter>;
  readonly requestsReceived: Family<Counter>;
  readonly responsesSent: Family<Counter>;
  readonly responsesReceived: Family<Counter>;
  readonly latency: Family<Histogram>;
}

/** Statuses told apart per peer; an app may answer with any number from 100 to 599. */
const MAX_STATUSES = 64;
const REST = -1;

const statusLabel = (status: number) => (status === REST ? OVERFLOW : String(status));

/** The series about one app that is called. */
export class Callee implements CalleeMetrics {
  readonly #unary: Counter;
  readonly #streaming: Counter;
  readonly #responses: BoundedCache<number, Responses>;

  constructor(families: InvocationFamilies, appId: string, peer: string) {
    this.#unary = onceCounted(() => families.requestsSent.labels(appId, peer, 'unary'));
    this.#streaming = onceCounted(() => families.requestsSent.labels(appId, peer, 'streaming'));
    this.#responses = new BoundedCache(MAX_STATUSES, REST, (status) => ({
      unary: onceCounted(() =>
        families.responsesReceived.labels(appId, peer, statusLabel(status), 'unary'),
      ),
      streaming: onceCounted(() =>
        families.responsesReceived.labels(appId, peer, statusLabel(status), 'streaming'),
      ),
      latency: families.latency.labels(appId, peer, statusLabel(status)),
    }));
  }

  requestSent(type: InvocationType): void {
    if (type === 'unary') this.#unary.inc();
    else this.#streaming.inc();
  }

  responseReceived(status: number, type: InvocationType, latencyMs: number): void {
    const responses = this.#responses.get(status);
    if (type === 'unary') responses.unary.inc();
    else responses.streaming.inc();
    responses.latency.observe(latencyMs);
  }
}

interface Responses {
  readonly unary: Counter;
  readonly streaming: Counter;
  readonly latency: Histogram;
}

/** The series about one app that calls. */
export class Caller implements CallerMetrics {
  readonly #requests: Counter;
  readonly #responses: BoundedCache<number, Counter>;

  constructor(families: InvocationFamilies, appId: string, peer: string) {
    this.#requests = onceCounted(() => families.requestsReceived.labels(appId, peer));
    this.#responses = new BoundedCache(MAX_STATUSES, REST, (status) =>
      families.responsesSent.labels(appId, peer, statusLabel(status)),
    );
  }

  requestReceived(): void {
    this.#requests.inc();
  }

  responseSent(status: number): void {
    this.#responses.get(status).inc();
  }
}
