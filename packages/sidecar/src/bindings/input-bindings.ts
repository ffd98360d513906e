import { type Clock, isPolicyError, type Pipeline } from '@holdfast/core';
import { formatTraceparent } from '@holdfast/core/trace';
import type { Logger } from '@holdfast/telemetry/log';
import type { AskApp } from '../app/ask-app.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { DeliveryError } from '../pubsub/deliver/delivery-error.ts';
import { recorded, type Tracing } from '../trace/tracing.ts';
import type { BindingEvent, InputBinding } from './binding.ts';
import { type BindingOrder, followOrder } from './binding-order.ts';

/** An input binding as its component says it. */
export interface OpenInput {
  readonly binding: InputBinding;
  /** Where the application takes its events. */
  readonly route: string;
  /** The component says `direction: input`: the application need not be asked whether it wants them. */
  readonly explicit: boolean;
}

export interface InputBindingsOptions {
  readonly inputs: ReadonlyMap<string, OpenInput>;
  readonly ask: AskApp;
  /** The application is told of bindings by name, not by route, and may answer with an order. */
  readonly overGrpc: boolean;
  /** Gives an output binding what the application's answer has for it. */
  readonly put: (binding: string, data: Buffer) => Promise<unknown>;
  readonly inbound: (name: string) => Pipeline | undefined;
  readonly count: (name: string, success: boolean, ms: number) => void;
  readonly tracing: Tracing;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where an application over gRPC is told. */
const CALLBACK = '/dapr.proto.runtime.v1.AppCallback/OnBindingEvent';

/** Brings what input bindings have to say to the application, where it wants it. */
export class InputBindings {
  readonly #options: InputBindingsOptions;
  /** Of those that the application has been asked about, by name. */
  readonly #known = new Map<string, InputBinding>();
  /** Those that were suspended, until what the application had of them has ended. */
  readonly #leaving = new Map<InputBinding, Promise<void>>();
  #started: Promise<void> | undefined;
  /** Aborts when the application is to have no more events of those that were begun. */
  #era = new AbortController();
  #resting = false;

  constructor(options: InputBindingsOptions) {
    this.#options = options;
  }

  /** To be called when the application is there; only the first time does something, and the first after `suspend`. */
  start(): Promise<void> {
    this.#started ??= this.#settle();
    return this.#started;
  }

  /**
   * The application is not well: what its bindings have to tell stays where it comes from. It is
   * asked again what it wants when it is started again, as in Dapr.
   */
  suspend(): void {
    if (this.#resting) return;
    this.#endEra();
    this.#started = undefined;
    for (const [name, binding] of this.#known) {
      const left = binding.suspend().catch((error: Error) => {
        this.#options.log.warn(`Binding ${name} was suspended badly: ${error.message}`);
      });
      this.#leaving.set(binding, left);
      void left.finally(() => {
        if (this.#leaving.get(binding) === left) this.#leaving.delete(binding);
      });
    }
    this.#known.clear();
  }

  /** Components have come, changed or gone: those that are new begin, if the application is there. */
  async follow(): Promise<void> {
    if (this.#started === undefined) return;
    await this.#started;
    await this.#settle();
  }

  /** Takes no more events, for good. */
  rest(): void {
    this.#resting = true;
    this.#endEra();
    // What an input cannot stop is left out all the same.
    for (const { binding } of this.#options.inputs.values()) void binding.stop().catch(() => {});
  }

  #endEra(): void {
    this.#era.abort();
    this.#era = new AbortController();
  }

  async #settle(): Promise<void> {
    const { inputs, log, overGrpc } = this.#options;
    const { signal: over } = this.#era;
    for (const name of this.#known.keys()) if (!inputs.has(name)) this.#known.delete(name);
    const settle = async (name: string, { binding, explicit, route }: OpenInput) => {
      if (this.#resting || over.aborted || this.#known.get(name) === binding) return;
      this.#known.set(name, binding);
      const to = overGrpc ? name : route;
      const path = to.startsWith('/') ? to : `/${to}`;
      const wanted = explicit || (await this.#wants(name, path));
      if (over.aborted) return;
      if (!wanted) log.info(`The application has not subscribed to binding ${name}.`);
      else void this.#begin(name, binding, path, over);
    };
    // At once: an application that is slow to say whether it wants one has the others meanwhile.
    await Promise.all([...inputs].map(([name, input]) => settle(name, input)));
  }

  /** Not before the application has done with what it had of it: two may be more than it can bear. */
  async #begin(name: string, binding: InputBinding, path: string, over: AbortSignal) {
    await this.#leaving.get(binding);
    if (over.aborted || this.#known.get(name) !== binding) return;
    binding.start(async (event) => {
      // The words are daprd's. No answer would say that the event was taken care of.
      if (over.aborted) throw new Error('input binding is closed');
      return await this.#tell(name, path, event);
    });
  }

  /** Dapr's question: OPTIONS, to which 2xx and 405 are a yes. */
  async #wants(name: string, path: string): Promise<boolean> {
    const { ask, log } = this.#options;
    const headers = ['content-type', 'application/json'];
    try {
      const { status } = await ask({ method: 'OPTIONS', path, headers, body: null });
      return (status >= 200 && status <= 299) || status === 405;
    } catch (error) {
      const why = (error as Error).message;
      log.error(`Whether the application wants binding ${name} cannot be told: ${why}`);
      return false;
    }
  }

  async #tell(name: string, path: string, event: BindingEvent): Promise<Buffer | undefined> {
    const { clock, count, inbound, log, overGrpc, tracing } = this.#options;
    const begunMs = clock.now();
    const { traceparent, tracestate } = event.metadata;
    const span = tracing.begin(`bindings/${name}`, 'client', traceparent, tracestate);
    const live = recorded(span);
    live?.set('db.system', 'bindings');
    live?.set('db.name', name);
    live?.set('db.connection_string', overGrpc ? CALLBACK : `POST /${name}`);
    live?.set('rpc.service', 'Dapr');
    const trace = span === undefined ? undefined : formatTraceparent(span);
    const once = (signal?: AbortSignal) => this.#post(path, event, trace, signal);
    const pipeline = inbound(name);
    let failure: Error | undefined;
    let answer: Buffer | undefined;
    try {
      answer = await (pipeline === undefined
        ? once()
        : pipeline.execute(({ signal }) => once(signal)));
    } catch (error) {
      // A refusal in daprd's words: the component may pass them on.
      failure = isPolicyError(error)
        ? new Error(`error invoking app: ${failureWords(error)}`, { cause: error })
        : (error as Error);
      log.warn(`An event of binding ${name} failed: ${failure.message}`);
    }
    live?.end(failure?.message);
    count(name, failure === undefined, clock.now() - begunMs);
    if (failure !== undefined) throw failure;
    return answer;
  }

  async #post(
    path: string,
    { data, metadata }: BindingEvent,
    trace: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    const headers = ['content-type', 'application/json', 'content-length', `${data?.length ?? 0}`];
    const { log, overGrpc, put } = this.#options;
    for (const [given, value] of Object.entries(metadata)) {
      const name = overGrpc ? given : given.toLowerCase();
      // A request has one: ours, which goes on with the event's.
      if (trace === undefined || name.toLowerCase() !== 'traceparent') headers.push(name, value);
    }
    if (trace !== undefined) headers.push('traceparent', trace);
    const answer = await this.#options.ask({ method: 'POST', path, headers, body: data }, signal);
    const { body, status } = answer;
    if (status >= 200 && status <= 299) {
      if (!overGrpc) return body;
      const order = JSON.parse(String(body)) as BindingOrder;
      await followOrder(order, put, log);
      return Buffer.from(order.answer, 'base64');
    }
    const text = body.toString('utf8').slice(0, 200);
    throw new DeliveryError(
      `fails to send binding event to http app channel, status code: ${status} body: ${text}`,
      status,
    );
  }
}
