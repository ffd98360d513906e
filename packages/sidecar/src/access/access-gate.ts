import { rpcMethodOf } from '../app/rpc-answer.ts';
import type { SpiffeId } from '../peers/spiffe-id.ts';
import { type AccessDecision, type AccessList, accessDenied, decideAccess } from './access-list.ts';
import { calledOperation } from './called-operation.ts';

/** A call of another app, and who it says it is by its certificate. */
export interface ComingCall {
  readonly callerId: SpiffeId | undefined;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly string[];
}

/** Counts what was let in and what was not. */
export type CountAccess = (decision: AccessDecision, callerId: SpiffeId | undefined) => void;

/** The door of the called side. The list may be exchanged while it stands open. */
export class AccessGate {
  list: AccessList | undefined;
  readonly #count: CountAccess;

  constructor(list: AccessList | undefined, count: CountAccess) {
    this.list = list;
    this.#count = count;
  }

  /** Why a call is not let in; undefined lets it in. */
  refusal({ callerId, headers, method, path }: ComingCall): string | undefined {
    const { list } = this;
    if (list === undefined) {
      // As Dapr, whose Configuration without a list has one that allows everything.
      this.#count({ allowed: true, by: 'global' }, callerId);
      return undefined;
    }
    const called = calledOperation(path);
    // An application over gRPC is called without one, whatever its caller came with.
    const verb = list.protocol === 'grpc' || WITHOUT_VERB.has(method) ? undefined : method;
    if (called.kind === 'unclear') {
      this.#count({ allowed: false, by: 'global' }, callerId);
      return accessDenied({ callerId, operation: called.path, verb });
    }
    let decision: AccessDecision = { allowed: true, by: 'global' };
    // What an application over gRPC is told in place of the path must be allowed as well.
    const name = rpcMethodOf(headers);
    const readings = name === undefined ? called.readings : [name, ...called.readings];
    for (const operation of readings) {
      decision = decideAccess(list, { callerId, operation, verb });
      if (!decision.allowed) break;
    }
    this.#count(decision, callerId);
    if (decision.allowed) return undefined;
    return accessDenied({ callerId, operation: called.name, verb });
  }
}

/** Of calls over gRPC: one that passes through, and one that speaks no word of HTTP. */
const WITHOUT_VERB = new Set(['GRPC', 'NONE']);
