import type { ComponentCalls } from '../components/component-calls.ts';
import { waitingClient } from '../components/waiting-client.ts';
import { failureWords } from '../invoke/invoke-error.ts';
import { ApiError } from '../server/api-error.ts';
import type { BindingAnswer, BindingRequest, OutputBinding } from './binding.ts';

/** Dapr's calls of output bindings, whatever the protocol: policies, errors as `ApiError`. */
export class BindingService {
  readonly #outputs: ReadonlyMap<string, OutputBinding>;
  readonly #calls: ComponentCalls;

  constructor(outputs: ReadonlyMap<string, OutputBinding>, calls: ComponentCalls) {
    this.#outputs = outputs;
    this.#calls = calls;
  }

  /** Undefined where the binding has nothing to answer. */
  async invoke(name: string, request: BindingRequest): Promise<BindingAnswer | undefined> {
    const { operation } = request;
    try {
      const binding = this.#find(name, operation);
      // A server that never answers would hold what it is asked with for ever, long after its client has gone.
      return await this.#calls.run('binding', name, operation, (call) =>
        binding.invoke(request, call?.signal ?? clientLeaves()),
      );
    } catch (error) {
      const message = `error invoking output binding ${name}: ${failureWords(error)}`;
      throw new ApiError(500, 'ERR_INVOKE_OUTPUT_BINDING', message, { cause: error });
    }
  }

  #find(name: string, operation: string): OutputBinding {
    if (operation === '') throw new Error('operation field is missing from request');
    const binding = this.#outputs.get(name);
    if (binding === undefined) throw new Error(`couldn't find output binding ${name}`);
    const { operations } = binding;
    if (operations.includes(operation)) return binding;
    const known = operations.join(' ');
    throw new Error(
      `binding ${name} does not support operation ${operation}. supported operations:${known}`,
    );
  }
}

/** A signal for any number of listeners; the client's own has one. Undefined where no client waits. */
function clientLeaves(): AbortSignal | undefined {
  const client = waitingClient();
  if (client === undefined) return undefined;
  const gone = new AbortController();
  const leave = () => gone.abort(client.reason);
  if (client.aborted) leave();
  else client.addEventListener('abort', leave);
  return gone.signal;
}
