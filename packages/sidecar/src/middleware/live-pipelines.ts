import type { Middleware } from './middleware.ts';
import { type HandlerSpec, type OpenMiddleware, openPipeline } from './open-pipeline.ts';

/** What a Configuration says of pipelines. */
export interface PipelineSpecs {
  readonly httpPipeline: readonly HandlerSpec[];
  readonly appHttpPipeline: readonly HandlerSpec[];
}

/** They change what passes and keep nothing out: they go with their component, as in Dapr. */
const REWRITING = new Set(['middleware.http.uppercase', 'middleware.http.routeralias']);

/**
 * The middleware in force before the API and before the application. A call
 * keeps to what was in force when it came; middleware whose component stays
 * keeps what it knows, such as how many calls it has let in.
 */
export class LivePipelines {
  api: readonly Middleware[] = [];
  app: readonly Middleware[] = [];
  readonly #components: () => ReadonlyMap<string, OpenMiddleware>;
  readonly #warn: (message: string) => void;
  #inForce: ReadonlyMap<string, OpenMiddleware> = new Map();
  #said: ReadonlySet<string> = new Set();

  /** `components`: those that are up now. */
  constructor(
    components: () => ReadonlyMap<string, OpenMiddleware>,
    specs: PipelineSpecs,
    warn: (message: string) => void,
  ) {
    this.#components = components;
    this.#warn = warn;
    this.follow(specs);
  }

  /** The Configuration or the components may say something else. What is not as it should be is told once. */
  follow({ httpPipeline, appHttpPipeline }: PipelineSpecs): void {
    const there = this.#components();
    const inForce = new Map<string, OpenMiddleware>();
    const said = new Set<string>();
    const warn = (message: string): void => {
      if (!this.#said.has(message) && !said.has(message)) this.#warn(message);
      said.add(message);
    };
    const open = (handlers: readonly HandlerSpec[]) => {
      for (const { name, place } of handlers) {
        const before = this.#inForce.get(name);
        const guards = before !== undefined && !REWRITING.has(before.type);
        const now = there.get(name) ?? (guards ? before : undefined);
        if (now !== undefined) inForce.set(name, now);
        // A guard does not leave its post because its file was cut short or moved.
        if (now !== undefined && !there.has(name)) {
          warn(
            `${place}: the component "${name}" is gone, so the handler stays in force as it was; take it off the list if it shall not.`,
          );
        }
      }
      return openPipeline(handlers, inForce, warn);
    };
    this.api = open(httpPipeline);
    this.app = open(appHttpPipeline);
    this.#inForce = inForce;
    this.#said = said;
  }
}
