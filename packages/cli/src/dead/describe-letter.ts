import { type DeadGroup, type DeadLetter, type Message, sealedWith } from '@holdfast/messaging';
import { age } from '../age.ts';
import { textTable } from '../commands/text-table.ts';

const LONGEST_REASON = 80;

/** Groups for people, the largest first. */
export function groupTable(groups: readonly DeadGroup[]): readonly string[] {
  return textTable(
    ['COUNT', 'OLDEST', 'TOPIC', 'REASON', 'FOR EXAMPLE'],
    groups.map(({ count, oldestMs, topic, reason, ids }) => [
      String(count),
      age(oldestMs),
      topic,
      cut(reason),
      ids[0] ?? '',
    ]),
  );
}

/** Letters for people, in the order accepted. */
export function letterTable(letters: readonly DeadLetter[]): readonly string[] {
  return textTable(
    ['ID', 'DEAD FOR', 'DELIVERIES', 'REPLAYS', 'TOPIC', 'REASON'],
    letters.map(({ message, deadForMs, deliveries, replays, reason }) => [
      message.id,
      age(deadForMs),
      String(deliveries),
      String(replays),
      message.topic,
      cut(reason),
    ]),
  );
}

/** One letter whole; a body that is no text is only counted. */
export function describeLetter(letter: DeadLetter): readonly string[] {
  const { message, reason, deliveries, replays, deadForMs, history } = letter;
  const shown = sealedWith(message) === undefined ? message.headers : {};
  const headers = Object.entries(shown).map(([name, value]) => `  ${name}: ${value}`);
  return [
    `id          ${message.id}`,
    `topic       ${message.topic}`,
    ...(message.key === undefined ? [] : [`key         ${message.key}`]),
    `reason      ${reason}`,
    `dead for    ${age(deadForMs)}`,
    `deliveries  ${deliveries}`,
    `replays     ${replays}`,
    ...(headers.length === 0 ? [] : ['headers', ...headers]),
    'history',
    // The reason above has the stack; here a line each is enough.
    ...history.map(({ at, what, detail }) =>
      `  ${at}  ${what}  ${detail.split('\n', 1)[0]}`.trimEnd(),
    ),
    `body        ${message.body.byteLength} bytes`,
    bodyText(message),
  ];
}

function bodyText(message: Message): string {
  const { body } = message;
  const key = sealedWith(message);
  if (key !== undefined) {
    return `(encrypted with key "${key}", headers too: --key-file FILE, with a line \`${key} BASE64\`, shows them)`;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return '(not text: `holdfast dead export` has it as Base64)';
  }
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= LONGEST_REASON ? line : `${line.slice(0, LONGEST_REASON - 1)}…`;
}
