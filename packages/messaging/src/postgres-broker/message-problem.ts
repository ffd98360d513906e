import type { OutgoingMessage } from '../message.ts';
import { tooLarge } from '../too-large.ts';

const LONGEST_NAME = 255;

/** Why it will never be taken; undefined where it can be. */
export function messageProblem(message: OutgoingMessage, maxBodyBytes: number): string | undefined {
  for (const field of ['id', 'topic', 'key'] as const) {
    const value = message[field];
    if (value === undefined) continue;
    if (value.length > LONGEST_NAME) {
      return `its ${field} has ${value.length} characters, of at most ${LONGEST_NAME}`;
    }
    if (value.includes('\0')) return `its ${field} holds U+0000, which PostgreSQL cannot keep`;
  }
  if (message.topic === '') return 'its topic is empty';
  const { byteLength } = message.body;
  if (byteLength <= maxBodyBytes) return undefined;
  return tooLarge(byteLength, maxBodyBytes, 'postgresBroker.maxBodyBytes');
}

/** Why nobody can subscribe to it; undefined where one can. */
export function topicProblem(topic: string): string | undefined {
  const nobody = { id: 'i', key: undefined, body: new Uint8Array(), headers: {} };
  return messageProblem({ ...nobody, topic }, 0)?.replace('its topic', 'it');
}
