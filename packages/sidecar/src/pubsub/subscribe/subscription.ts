import { Environment } from '@marcbachmann/cel-js';
import {
  goBool,
  goInt,
  goMap,
  goSlice,
  goString,
  goStruct,
  readInto,
} from '../../go-json/go-type.ts';
import { at, type Resource, texts } from '../../resources/resource-files.ts';
import { scalarText } from '../../resources/resource-name.ts';
import type { BulkLimits } from '../deliver/bulk-gatherer.ts';
import type { SeenEvent } from '../envelope.ts';

/** Which path of the application gets an event. */
export interface Rule {
  readonly match: string;
  readonly path: string;
  /** Whether it takes the event. Throws where the expression cannot be evaluated for it. */
  takes(event: SeenEvent): boolean;
}

/** What an application wants from a topic. */
export interface TopicSubscription {
  readonly type: 'DECLARATIVE' | 'PROGRAMMATIC' | 'STREAMING';
  readonly pubsub: string;
  readonly topic: string;
  readonly rules: readonly Rule[];
  readonly deadLetterTopic: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Events are brought many at a time; undefined: one by one. */
  readonly bulk?: BulkLimits;
}

const LONGEST_MATCH = 4_096;
const MOST_IN_BULK = 10_000;
const LONGEST_AWAIT_MS = 3_600_000;
const environment = new Environment({ unlistedVariablesAreDyn: true });

/** An application's subscriptions, and what of its list cannot be one: that is left out, as in Dapr. */
export interface Programmatic {
  readonly subscriptions: readonly TopicSubscription[];
  /** Each says itself. */
  readonly leftOut: readonly string[];
}

/** What `GET /dapr/subscribe` of the application answered. @throws Error that says what is wrong. */
export function programmatic(answer: unknown): Programmatic {
  const wanted = new Map<string, TopicSubscription>();
  const leftOut: string[] = [];
  for (const one of readInto(WANTED, answer)) {
    const { pubsubname, topic } = one;
    // Of several to one topic the last counts.
    if (pubsubname !== '' && topic !== '' && rulesOf(one).length > 0) {
      wanted.set(`${pubsubname}\n${topic}`, subscription('PROGRAMMATIC', one));
    } else leftOut.push(JSON.stringify({ pubsubname, topic }));
  }
  return { subscriptions: [...wanted.values()], leftOut };
}

const RULE = goStruct('subscription.RuleJSON', { match: goString, path: goString });
const WANTED = goSlice(
  goStruct('subscription.SubscriptionJSON', {
    pubsubname: goString,
    topic: goString,
    deadLetterTopic: goString,
    metadata: goMap(goString),
    route: goString,
    routes: goStruct('subscription.RoutesJSON', { rules: goSlice(RULE), default: goString }),
    bulkSubscribe: goStruct('subscription.BulkSubscribeJSON', {
      enabled: goBool,
      maxMessagesCount: goInt,
      maxAwaitDurationMs: goInt,
    }),
  }),
);

/** A resource of kind Subscription, of either version. @throws Error that says what is wrong. */
export function declarative({ document }: Resource): TopicSubscription {
  return subscription('DECLARATIVE', at(document, 'spec'));
}

function subscription(type: TopicSubscription['type'], given: unknown): TopicSubscription {
  const pubsub = scalarText(at(given, 'pubsubname'));
  const topic = scalarText(at(given, 'topic'));
  if (!pubsub || !topic) {
    throw new Error('a subscription needs pubsubname and topic');
  }
  const rules = rulesOf(given);
  if (rules.length === 0) throw new Error(`the subscription to ${topic} has no route`);
  const bulk = bulkLimits(topic, at(given, 'bulkSubscribe'));
  return {
    type,
    pubsub,
    topic,
    rules,
    deadLetterTopic: String(at(given, 'deadLetterTopic') ?? ''),
    metadata: texts(at(given, 'metadata')),
    ...(bulk && { bulk }),
  };
}

function bulkLimits(topic: string, given: unknown): BulkLimits | undefined {
  if (at(given, 'enabled') !== true) return undefined;
  const limit = (name: string, byDefault: number, most: number): number => {
    const value = at(given, name) ?? 0;
    // As in Dapr, what is not there, or below one, is the default.
    if (Number.isInteger(value))
      return Number(value) > 0 ? Math.min(Number(value), most) : byDefault;
    throw new Error(
      `the subscription to ${topic} has bulkSubscribe.${name} ${JSON.stringify(value)}: it must be a whole number`,
    );
  };
  return {
    maxMessages: limit('maxMessagesCount', 100, MOST_IN_BULK),
    maxAwaitMs: limit('maxAwaitDurationMs', 1_000, LONGEST_AWAIT_MS),
  };
}

function rulesOf(given: unknown): readonly Rule[] {
  const listed = at(given, 'routes', 'rules');
  const fallback = at(given, 'routes', 'default') || at(given, 'route');
  const rules = (Array.isArray(listed) ? listed : []).map((one: unknown) =>
    rule(String(at(one, 'match') ?? ''), String(at(one, 'path') ?? '')),
  );
  if (typeof fallback === 'string' && fallback !== '') rules.push(rule('', fallback));
  return rules;
}

/** @throws Error for an expression that is no CEL, with it. */
function rule(given: string, path: string): Rule {
  const match = given.trim();
  if (match === '') return { match, path, takes: () => true };
  if (match.length > LONGEST_MATCH)
    throw new Error(`a match is longer than ${LONGEST_MATCH} characters`);
  const program = parsed(match);
  const takes = (event: SeenEvent): boolean => {
    const answer: unknown = program({ event });
    if (typeof answer === 'boolean') return answer;
    throw new Error(`the result of match expression ${match} was not a boolean`);
  };
  return { match, path, takes };
}

function parsed(match: string) {
  try {
    return environment.parse(match);
  } catch (error) {
    // Further lines draw the place.
    const [why] = (error as Error).message.split('\n');
    throw new Error(`the match ${JSON.stringify(match)} is no CEL: ${why}`, { cause: error });
  }
}
