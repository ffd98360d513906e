import { FlagError } from '../flags/flag.ts';
import type { CommandContext } from './output.ts';
import { bodyOf, type CallOptions, callSidecar, refused } from './sidecar-call.ts';

export interface PublishOptions extends CallOptions {
  /** The app whose sidecar publishes. */
  readonly publishAppId: string;
  readonly pubsub: string;
  readonly topic: string;
  /** A JSON object: `{"ttlInSeconds":"10"}`. */
  readonly metadata?: string;
}

/** What an event in its own envelope has; whatever lacks one of them is data. */
const ENVELOPE = ['id', 'source', 'specversion', 'type', 'data'];

/** `holdfast publish`: publishes one event through the sidecar of an app, as `dapr publish` does. */
export async function publish(options: PublishOptions, context: CommandContext): Promise<number> {
  const { publishAppId, pubsub, topic } = options;
  const query = queryOf(options.metadata);
  const body = await bodyOf(options, context);
  const kind = isEnvelope(body) ? 'application/cloudevents+json' : 'application/json';
  const path = `/v1.0/publish/${encodeURIComponent(pubsub)}/${encodeURIComponent(topic)}${query}`;
  const call = { method: 'POST', path, headers: { 'content-type': kind }, body };
  const answer = await callSidecar(publishAppId, call, options, context);
  if (answer.status >= 300) throw refused(`Publishing to "${topic}" of "${pubsub}"`, answer);
  context.output.out('Event published successfully');
  return 0;
}

function queryOf(metadata: string | undefined): string {
  if (metadata === undefined) return '';
  const values = parsed(metadata);
  if (values === undefined) {
    throw new FlagError(
      `--metadata ${metadata}: write an object of JSON, as in '{"ttlInSeconds":"10"}'.`,
    );
  }
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) query.set(`metadata.${key}`, String(value));
  return `?${query}`;
}

function isEnvelope(body: Buffer): boolean {
  const event = parsed(body.toString());
  return event !== undefined && ENVELOPE.every((field) => Object.hasOwn(event, field));
}

/** An object of JSON; undefined for any other text. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    // It is no JSON at all, which the caller treats as any other text.
    return undefined;
  }
}
