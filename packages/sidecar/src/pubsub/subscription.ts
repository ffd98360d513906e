import { Environment } from '@marcbachmann/cel-js';
import { at, type Resource, texts } from '../resources/resource-files.ts';
import type { BulkLimits } from './bulk-gatherer.ts';
import type { Envelope } from './envelope.ts';

/** Which path of the application gets an event. */
export interface Rule {
  readonly match: string;
  readonly path: string;
  /** Whether it takes the event. Throws where the expression cannot be evaluated for it. */
  takes(event: Envelope): boolean;
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

/** What `GET /dapr/subscribe` of the application answered. @throws Error that says which entry is wrong, and how. */
export function programmatic(answer: unknown): readonly TopicSubscription[] {
  if (answer === null) return [];
  if (!Array.isArray(answer)) throw new Error('/dapr/subscribe must answer with a list');
  return answer.map((entry: unknown) => subscription('PROGRAMMATIC', entry));
}

/** A resource of kind Subscription, of either version. @throws Error that says what is wrong. */
export function declarative({ document }: Resource): TopicSubscription {
  return subscription('DECLARATIVE', document.spec);
}

function subscription(type: TopicSubscription['type'], given: unknown): TopicSubscription {
  const pubsub = at(given, 'pubsubname');
  const topic = at(given, 'topic');
  if (typeof pubsub !== 'string' || pubsub === '' || typeof topic !== 'string' || topic === '') {
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
    if (Number.isInteger(value) && Number(value) <= most) {
      return Number(value) > 0 ? Number(value) : byDefault;
    }
    throw new Error(
      `the subscription to ${topic} has bulkSubscribe.${name} ${JSON.stringify(value)}: it must be a whole number up to ${most}`,
    );
  };
  return {
    maxMessages: limit('maxMessagesCount', 100, MOST_IN_BULK),
    maxAwaitMs: limit('maxAwaitDurationMs', 1_000, LONGEST_AWAIT_MS),
  };
}

function rulesOf(given: unknown): readonly Rule[] {
  const route = at(given, 'route');
  const listed = at(given, 'routes', 'rules');
  const fallback = at(given, 'routes', 'default');
  const rules = (Array.isArray(listed) ? listed : []).map((one: unknown) =>
    rule(String(at(one, 'match') ?? ''), String(at(one, 'path') ?? '')),
  );
  if (typeof fallback === 'string' && fallback !== '') rules.push(rule('', fallback));
  if (rules.length === 0 && typeof route === 'string' && route !== '') rules.push(rule('', route));
  return rules;
}

/** @throws Error for an expression that is no CEL. */
function rule(match: string, path: string): Rule {
  if (match === '') return { match, path, takes: () => true };
  if (match.length > LONGEST_MATCH)
    throw new Error(`a match is longer than ${LONGEST_MATCH} characters`);
  const program = environment.parse(match);
  return { match, path, takes: (event) => program({ event }) === true };
}
