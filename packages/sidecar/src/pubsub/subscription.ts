import { Environment } from '@marcbachmann/cel-js';
import { at, type Resource, texts } from '../resources/resource-files.ts';
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
}

const LONGEST_MATCH = 4_096;
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
  return {
    type,
    pubsub,
    topic,
    rules,
    deadLetterTopic: String(at(given, 'deadLetterTopic') ?? ''),
    metadata: texts(at(given, 'metadata')),
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
