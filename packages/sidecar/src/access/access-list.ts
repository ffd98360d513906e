import { formatSpiffeId, type SpiffeId } from '../peers/spiffe-id.ts';
import type { OperationTree } from './operation-tree.ts';

export type AccessAction = 'allow' | 'deny';

/** What one operation may be called with. */
export interface OperationRule {
  /** Where there are no verbs: for a gRPC application. */
  readonly action: AccessAction;
  /** By verb as written; `*` for all others. */
  readonly verbs: ReadonlyMap<string, AccessAction>;
}

/** What one app of one namespace may call. */
export interface AppPolicy {
  readonly trustDomain: string;
  /** Undefined: what the list's own default says. */
  readonly defaultAction: AccessAction | undefined;
  readonly operations: OperationTree<OperationRule>;
}

/** `spec.accessControl` of a Configuration: who may call what of our application. */
export interface AccessList {
  /** What the application speaks: operations of HTTP have verbs, and their names any letter case. */
  readonly protocol: 'http' | 'grpc';
  readonly defaultAction: AccessAction;
  /** By `policyKey`. */
  readonly policies: ReadonlyMap<string, AppPolicy>;
}

export interface AccessQuestion {
  /** Undefined without mTLS: then nobody knows, and the default speaks. */
  readonly callerId: SpiffeId | undefined;
  /** `orders/7`, escapes undone. */
  readonly operation: string;
  /** Undefined for calls that have none: those of gRPC. */
  readonly verb: string | undefined;
}

export interface AccessDecision {
  readonly allowed: boolean;
  /** Whose word it was: a policy's for the app, or the list's default. */
  readonly by: 'app' | 'global';
}

export function policyKey(appId: string, namespace: string): string {
  return `${namespace}/${appId}`;
}

/** Whether a caller may call an operation, as Dapr decides it. */
export function decideAccess(list: AccessList, question: AccessQuestion): AccessDecision {
  const { callerId, operation, verb } = question;
  const policy =
    callerId === undefined
      ? undefined
      : list.policies.get(policyKey(callerId.appId, callerId.namespace));
  if (policy === undefined || policy.trustDomain !== callerId?.trustDomain) {
    return { allowed: list.defaultAction === 'allow', by: 'global' };
  }
  const by = policy.defaultAction === undefined ? 'global' : 'app';
  const name = list.protocol === 'http' ? operation.toLowerCase() : operation;
  const rule = policy.operations.find(name);
  const action =
    (rule === undefined ? undefined : actionOf(rule, list.protocol, verb, policy)) ??
    policy.defaultAction ??
    list.defaultAction;
  return { allowed: action === 'allow', by };
}

/** Undefined: the rule says nothing of this verb. */
function actionOf(
  { action, verbs }: OperationRule,
  protocol: 'http' | 'grpc',
  verb: string | undefined,
  policy: AppPolicy,
): AccessAction | undefined {
  if (protocol === 'grpc') return action;
  // A call over gRPC that names no verb: only the app's own default can let it in.
  if (verb === undefined) return policy.defaultAction ?? 'deny';
  return verbs.get(verb) ?? verbs.get('*');
}

/** A refusal in daprd's words. */
export function accessDenied({ callerId, operation, verb }: AccessQuestion): string {
  const id = callerId === undefined ? '' : formatSpiffeId(callerId);
  return `access control policy has denied access to id: ${id} operation: ${operation} verb: ${verb ?? 'NONE'}`;
}
