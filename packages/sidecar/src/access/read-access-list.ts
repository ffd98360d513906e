import { ConfigurationError } from '../resources/configuration-error.ts';
import type { Place } from '../resources/place.ts';
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
  place: Place,
  protocol: 'http' | 'grpc' = 'http',
): ReadAccessList {
  if (given === undefined || given === null) return { list: undefined, warnings: [] };
  if (!isRecord(given))
    throw new ConfigurationError(place, 'must be a map with defaultAction and policies.');
  const warnings: string[] = [];
  const items = listOf(given.policies, place.at('policies'), 'apps and what they may call');
  const emptied = given.defaultAction === '' && !Array.isArray(given.policies);
  // With the trust domain emptied too it is as if nothing were written.
  if (emptied && given.trustDomain === '') return { list: undefined, warnings };
  const defaultAction =
    emptied || (given.defaultAction === '' && items.length > 0)
      ? emptiedAction(place.at('defaultAction'), warnings)
      : actionOf(given.defaultAction, place.at('defaultAction'), warnings);
  if (defaultAction === undefined && items.length > 0) {
    warnings.push(
      `${place.at('defaultAction')} is missing, so apps without a policy are allowed everything; write "deny" where only those listed may call.`,
    );
  }
  const policies = new Map<string, AppPolicy>();
  for (const [at, item] of items.entries()) {
    const where = place.at('policies', at);
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
  place: Place,
  protocol: 'http' | 'grpc',
  warnings: string[],
): { readonly key: string; readonly policy: AppPolicy } {
  if (!isRecord(given)) throw new ConfigurationError(place, 'must be a map with appId.');
  const appId = needed(given.appId, place.at('appId'), 'the id of the app that calls');
  const trustDomain = needed(
    given.trustDomain,
    place.at('trustDomain'),
    'the trust domain of its certificate, say "public"',
  );
  const namespace = needed(
    given.namespace,
    place.at('namespace'),
    'the namespace of the app that calls, say "default"',
  );
  const defaultAction = actionOf(given.defaultAction, place.at('defaultAction'), warnings);
  const operations = new OperationTree<OperationRule>();
  const rules: { where: Place; written: string; rule: OperationRule }[] = [];
  const items = listOf(given.operations, place.at('operations'), 'operations');
  for (const [at, item] of items.entries()) {
    const where = place.at('operations', at);
    if (!isRecord(item)) throw new ConfigurationError(where, 'must be a map with name and action.');
    const name = needed(item.name, where.at('name'), 'an operation, say "/orders/*"');
    const rule = readRule(item, where, protocol, warnings);
    const written = protocol === 'http' ? name.toLowerCase() : name;
    operations.add(written, rule);
    rules.push({ where, written, rule });
  }
  for (const { where, written, rule } of rules) {
    // A name that the pattern is surely for.
    const found = operations.find(written.replace(/\*+/g, '~'));
    if (found === rule) continue;
    warnings.push(
      found === undefined
        ? `${where} has no effect: a segment that is a star counts at the end only; write "/**" for all that follows.`
        : `${where} has no effect: an operation above it or before it is for ${written} too.`,
    );
  }
  return { key: policyKey(appId, namespace), policy: { trustDomain, defaultAction, operations } };
}

function readRule(
  item: Readonly<Record<string, unknown>>,
  place: Place,
  protocol: 'http' | 'grpc',
  warnings: string[],
): OperationRule {
  const action = actionOf(item.action, place.at('action'), warnings) ?? 'deny';
  if (item.action === undefined || item.action === null || item.action === '') {
    warnings.push(`${place.at('action')} is missing, which denies; write "allow" or "deny".`);
  }
  const verbs = new Map<string, AccessAction>();
  const given = listOf(item.httpVerb, place.at('httpVerb'), 'verbs, say [GET, POST] or ["*"]');
  for (const verb of given) {
    const text = String(verb);
    if (text !== text.toUpperCase()) {
      warnings.push(`${place.at('httpVerb')}: "${text}" is no verb; write ${text.toUpperCase()}.`);
    }
    verbs.set(text, action);
  }
  if (protocol === 'http' && verbs.size === 0) {
    warnings.push(`${place} has no httpVerb, so it has no effect; write ["*"] for all verbs.`);
  }
  return { action, verbs };
}

function actionOf(given: unknown, place: Place, warnings: string[]): AccessAction | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const text = String(given).toLowerCase();
  if (text === 'allow' || text === 'deny') return text;
  warnings.push(`${place} is "${given}", which denies; write "allow" or "deny".`);
  return 'deny';
}

/** A default that is empty, as that of a variable which is not set, is not one that is missing: it denies, as in Dapr. */
function emptiedAction(place: Place, warnings: string[]): AccessAction {
  warnings.push(`${place} is empty, which denies; write "allow" or "deny".`);
  return 'deny';
}

function needed(given: unknown, place: Place, what: string): string {
  if (typeof given === 'string' && given !== '') return given;
  if (typeof given === 'number') return String(given);
  throw new ConfigurationError(place, `is missing; write ${what}.`);
}

function listOf(given: unknown, place: Place, what: string): readonly unknown[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given;
  throw new ConfigurationError(place, `must be a list of ${what}.`);
}
