import type { ComponentCalls } from '../components/component-calls.ts';
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
      return await this.#calls.run('binding', name, operation, (call) =>
        binding.invoke(request, call?.signal),
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
