import { APP_CIRCUITS } from '../parse/read-targets.ts';
import type {
  ActorScope,
  AppTarget,
  PolicyNames,
  PolicySet,
  Reference,
  RetryRule,
  TargetSet,
} from '../parse/resiliency-document.ts';
import { BUILT_IN_RULES, type BuiltInRetry } from './built-in-retries.ts';
import {
  type ComponentType,
  type DefaultKind,
  type Direction,
  defaultNames,
  type TargetKind,
} from './default-policies.ts';
import { inherit } from './method-policies.ts';
import { type MethodPolicies, type TargetPolicies, targetPolicies } from './target-policies.ts';

/** The names of everything that is defined, in the order it was read; of retries not the built-in ones. */
export type DefinedNames = {
  readonly [Section in keyof PolicySet | keyof TargetSet]: readonly string[];
};

/** All policies of a process: what applies to whom. */
export interface ResiliencyPolicies {
  /** Of the Resiliency read last; a label of the metrics. Empty where there is none. */
  readonly name: string;
  readonly namespace: string;
  readonly names: DefinedNames;

  /** `appId` as the caller names it (`appB.ns2`, a URL): targets are looked up by that very text. */
  forApp(appId: string): TargetPolicies;
  forActor(type: string): TargetPolicies;
  forComponent(name: string, type: ComponentType, direction: Direction): TargetPolicies;

  /** What Dapr retries between sidecars: unless the app is listed, or the request streams. */
  builtInServiceRetries(): RetryRule;
  builtInRetries(name: BuiltInRetry): RetryRule;
}

/** Looks names up in what the files define; `policies.retries` holds the built-in ones as well. */
export function resiliencyPolicies(
  label: { readonly name: string; readonly namespace: string },
  policies: PolicySet,
  targets: TargetSet,
): ResiliencyPolicies {
  /** The policies a target names; a name that nothing defines gives none, as in Dapr. */
  const named = (names: PolicyNames) => ({
    timeout: find(policies.timeouts, names.timeout),
    retry: find(policies.retries, names.retry),
    circuitBreaker: find(policies.circuitBreakers, names.circuitBreaker),
    bulkhead: find(policies.bulkheads, names.bulkhead),
    deadline: find(policies.deadlines, names.deadline),
    rateLimit: find(policies.rateLimits, names.rateLimit),
    hedge: find(policies.hedges, names.hedge),
    cache: find(policies.caches, names.cache),
    fallback: find(policies.fallbacks, names.fallback),
  });

  /** The entries of `methods`: what each names, and the rest from its app. */
  const methodsOf = (app: AppTarget): MethodPolicies[] =>
    app.methods.map(({ name, pattern, names }) => ({
      name,
      pattern,
      policies: targetPolicies({
        listed: true,
        ...named(inherit(app, names)),
        circuitCacheSize: app.circuitCacheSize,
      }),
      sharesRate: names.rateLimit === undefined,
      sharesBulkhead: names.bulkhead === undefined,
    }));

  /** The defaults; each kind of policy finds its most specific one on its own. */
  const byDefault = (target: TargetKind) => {
    const first = <Rule>(kind: DefaultKind, rules: ReadonlyMap<string, Rule>): Rule | undefined => {
      const name = defaultNames(target, kind).find((candidate) => rules.has(candidate));
      return name === undefined ? undefined : rules.get(name);
    };
    return {
      timeout: first('Timeout', policies.timeouts),
      retry: first('Retry', policies.retries),
      circuitBreaker: first('CircuitBreaker', policies.circuitBreakers),
    };
  };

  const builtInRetries = (name: BuiltInRetry) => policies.retries.get(name) ?? BUILT_IN_RULES[name];

  return {
    name: label.name,
    namespace: label.namespace,
    names: definedNames(policies, targets),
    forApp(appId) {
      const target = targets.apps.get(appId);
      const size = target?.circuitCacheSize ?? APP_CIRCUITS;
      const found = target === undefined ? byDefault({ kind: 'app' }) : named(target);
      return targetPolicies({
        listed: target !== undefined,
        ...found,
        circuitCacheSize: size,
        methods: target === undefined ? [] : methodsOf(target),
      });
    },
    forActor(type) {
      const target = targets.actors.get(type);
      if (target !== undefined) {
        const { circuitCacheSize, circuitScope } = target;
        return targetPolicies({ listed: true, ...named(target), circuitCacheSize, circuitScope });
      }
      const found = byDefault({ kind: 'actor' });
      // Dapr keeps 100 here and 5,000 for a listed actor type, and shares the circuit by type.
      const circuitScope: ActorScope = 'type';
      return targetPolicies({
        listed: false,
        ...found,
        circuitCacheSize: APP_CIRCUITS,
        circuitScope,
      });
    },
    forComponent(name, type, direction) {
      const target = targets.components.get(name);
      const found =
        target === undefined
          ? byDefault({ kind: 'component', type, direction })
          : named(target[direction]);
      // A component has one circuit, whatever is asked of it.
      return targetPolicies({ listed: target !== undefined, ...found, circuitCacheSize: 1 });
    },
    builtInServiceRetries: () => builtInRetries('DaprBuiltInServiceRetries'),
    builtInRetries,
  };
}

function find<Rule>(rules: ReadonlyMap<string, Rule>, of: Reference | undefined): Rule | undefined {
  return of === undefined ? undefined : rules.get(of.name);
}

function definedNames(policies: PolicySet, targets: TargetSet): DefinedNames {
  const retries = [...policies.retries.values()].filter(({ at }) => at !== undefined);
  return {
    timeouts: [...policies.timeouts.keys()],
    retries: retries.map(({ name }) => name),
    circuitBreakers: [...policies.circuitBreakers.keys()],
    bulkheads: [...policies.bulkheads.keys()],
    deadlines: [...policies.deadlines.keys()],
    rateLimits: [...policies.rateLimits.keys()],
    hedges: [...policies.hedges.keys()],
    caches: [...policies.caches.keys()],
    fallbacks: [...policies.fallbacks.keys()],
    apps: [...targets.apps.keys()],
    actors: [...targets.actors.keys()],
    components: [...targets.components.keys()],
  };
}
