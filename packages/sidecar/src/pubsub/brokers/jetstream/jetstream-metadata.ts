import type { JsMsg } from '@nats-io/jetstream';

/** Those of NATS itself, and of our broker. */
const NOT_FOR_OTHERS = /^(?:nats|holdfast)-/i;

/**
 * What of an event's metadata NATS can carry beside it. Dapr carries none of it; what is no header
 * is left out, since it is the publisher's and nobody else's.
 */
export function carried(
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata).filter(
      ([name, value]) =>
        /^[!-9;-~]+$/.test(name) && !NOT_FOR_OTHERS.test(name) && isHeaderValue(value),
    ),
  );
}

export const isHeaderValue = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  !/[\u0000\r\n]/.test(text) && text.trim() === text;

/** The message's headers, and its subject as Dapr names it. */
export function deliveredMetadata({
  headers,
  subject,
}: Pick<JsMsg, 'headers' | 'subject'>): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {};
  for (const [name, [value]] of headers ?? []) {
    if (!NOT_FOR_OTHERS.test(name)) metadata[name] = value ?? '';
  }
  return { ...metadata, Topic: subject };
}
