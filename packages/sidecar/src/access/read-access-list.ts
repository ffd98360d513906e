import { ConfigurationError } from '../resources/configuration-error.ts';
import { isRecord } from '../resources/resource-files.ts';
import {
  type AccessAction,
  type AccessList,
  type AppPolicy,
  type OperationRule,
  policyKey,
} from './access-list.ts';
import { OperationTree } from './operation-tree.ts';

export interface ReadAccessList {
  readonly list: AccessList | undefined;
  /** What is in force and hardly meant so, each with its place and what to write. */
  readonly warnings: readonly string[];
}

/**
 * Reads `spec.accessControl`. What daprd refuses is refused, with its place;
 * what daprd reads in a way that hardly anybody means is read the same way,
 * with a warning. An action that is neither allow nor deny denies.
 *
 * @throws ConfigurationError
 */
export function readAccessList(
  given: unknown,
  file: string,
  protocol: 'http' | 'grpc' = 'http',
): ReadAccessList {
  const place = `${file}: spec.accessControl`;
  if (given === undefined || given === null) return { list: undefined, warnings: [] };
  if (!isRecord(given))
    throw new ConfigurationError(place, 'must be a map with defaultAction and policies.');
  const warnings: string[] = [];
  const items = listOf(given.policies, `${place}.policies`, 'apps and what they may call');
  const defaultAction = actionOf(given.defaultAction, `${place}.defaultAction`, warnings);
  if (defaultAction === undefined && items.length > 0) {
    warnings.push(
      `${place}.defaultAction is missing, so apps without a policy are allowed everything; write "deny" where only those listed may call.`,
    );
  }
  const policies = new Map<string, AppPolicy>();
  for (const [at, item] of items.entries()) {
    const where = `${place}.policies[${at}]`;
    const { key, policy } = readPolicy(item, where, protocol, warnings);
    if (policies.has(key)) {
      warnings.push(
        `${where} replaces an earlier policy of the same app and namespace; join them.`,
      );
    }
    policies.set(key, policy);
  }
  return { list: { protocol, defaultAction: defaultAction ?? 'allow', policies }, warnings };
}

function readPolicy(
  given: unknown,
  place: string,
  protocol: 'http' | 'grpc',
  warnings: string[],
): { readonly key: string; readonly policy: AppPolicy } {
  if (!isRecord(given)) throw new ConfigurationError(place, 'must be a map with appId.');
  const appId = needed(given.appId, `${place}.appId`, 'the id of the app that calls');
  const trustDomain = needed(
    given.trustDomain,
    `${place}.trustDomain`,
    'the trust domain of its certificate, say "public"',
  );
  const namespace = needed(
    given.namespace,
    `${place}.namespace`,
    'the namespace of the app that calls, say "default"',
  );
  const defaultAction = actionOf(given.defaultAction, `${place}.defaultAction`, warnings);
  const operations = new OperationTree<OperationRule>();
  const rules: { where: string; written: string; rule: OperationRule }[] = [];
  const items = listOf(given.operations, `${place}.operations`, 'operations');
  for (const [at, item] of items.entries()) {
    const where = `${place}.operations[${at}]`;
    if (!isRecord(item)) throw new ConfigurationError(where, 'must be a map with name and action.');
    const name = needed(item.name, `${where}.name`, 'an operation, say "/orders/*"');
    const rule = readRule(item, where, protocol, warnings);
    const written = protocol === 'http' ? name.toLowerCase() : name;
    operations.add(written, rule);
    rules.push({ where, written, rule });
  }
  for (const { where, written, rule } of rules) {
    // A name that the pattern is surely for.
    if (operations.find(written.replace(/\*+/g, '~')) === rule) continue;
    warnings.push(
      `${where} has no effect: an operation above it or before it is for ${written} too.`,
    );
  }
  return { key: policyKey(appId, namespace), policy: { trustDomain, defaultAction, operations } };
}

function readRule(
  item: Readonly<Record<string, unknown>>,
  place: string,
  protocol: 'http' | 'grpc',
  warnings: string[],
): OperationRule {
  const action = actionOf(item.action, `${place}.action`, warnings) ?? 'deny';
  if (item.action === undefined || item.action === null || item.action === '') {
    warnings.push(`${place}.action is missing, which denies; write "allow" or "deny".`);
  }
  const verbs = new Map<string, AccessAction>();
  const given = listOf(item.httpVerb, `${place}.httpVerb`, 'verbs, say [GET, POST] or ["*"]');
  for (const verb of given) {
    const text = String(verb);
    if (text !== text.toUpperCase()) {
      warnings.push(`${place}.httpVerb: "${text}" is no verb; write ${text.toUpperCase()}.`);
    }
    verbs.set(text, action);
  }
  if (protocol === 'http' && verbs.size === 0) {
    warnings.push(`${place} has no httpVerb, so it has no effect; write ["*"] for all verbs.`);
  }
  return { action, verbs };
}

function actionOf(given: unknown, place: string, warnings: string[]): AccessAction | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const text = String(given).toLowerCase();
  if (text === 'allow' || text === 'deny') return text;
  warnings.push(`${place} is "${given}", which denies; write "allow" or "deny".`);
  return 'deny';
}

function needed(given: unknown, place: string, what: string): string {
  if (typeof given === 'string' && given !== '') return given;
  if (typeof given === 'number') return String(given);
  throw new ConfigurationError(place, `is missing; write ${what}.`);
}

function listOf(given: unknown, place: string, what: string): readonly unknown[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given;
  throw new ConfigurationError(place, `must be a list of ${what}.`);
}
