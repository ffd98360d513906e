import { join, resolve } from 'node:path';
import { OUTBOX_DEFAULTS } from '@holdfast/messaging';
import { type EncryptionKey, keysFromText } from '@holdfast/messaging/encrypted';
import type { ComponentSettings } from '../../components/component-settings.ts';
import { isTrue } from '../../components/is-true.ts';
import { wholeNumberWithin } from '../../components/whole-number.ts';

/** What a component's metadata says about its outbox. */
export interface OutboxSettings {
  readonly component: string;
  /** The SQLite file. */
  readonly path: string;
  /** Bytes of all events that wait. */
  readonly maxBytes: number;
  readonly maxMessages: number;
  /** The one that encrypts first; undefined: events are kept in clear. */
  readonly keys?: readonly EncryptionKey[];
}

const FALSE = /^(n|no|false|f|off|0)$/i;
const MAX_BYTES = 2 ** 40;
const MAX_MESSAGES = 100_000_000;

/**
 * Undefined where the component asks for none.
 *
 * @throws Error that names component, item, value and what may stand there.
 */
export function outboxSettings(
  settings: ComponentSettings,
  where: { readonly appId: string; readonly namespace: string; readonly stateDir: string },
): OutboxSettings | undefined {
  const { component } = settings;
  const asked = settings.text('outbox') ?? 'false';
  if (!isTrue(asked)) {
    if (FALSE.test(asked)) return undefined;
    throw new Error(
      `component ${component}: metadata outbox must be "true" or "false", not "${asked}"`,
    );
  }
  const { appId, namespace, stateDir } = where;
  const name = [namespace, appId, component].map(encodeURIComponent).join('.');
  const given = settings.text('outboxPath');
  const keys = keysOf(settings);
  return {
    component,
    path: given === undefined ? join(stateDir, `outbox.${name}.db`) : resolve(given),
    maxBytes: wholeNumberWithin(settings, 'outboxMaxBytes', {
      byDefault: OUTBOX_DEFAULTS.limits.maxBytes,
      least: 1,
      most: MAX_BYTES,
    }),
    maxMessages: wholeNumberWithin(settings, 'outboxMaxMessages', {
      byDefault: OUTBOX_DEFAULTS.limits.maxMessages,
      least: 1,
      most: MAX_MESSAGES,
    }),
    ...(keys !== undefined && { keys }),
  };
}

/** Lines and commas part several keys: a secret is easier to write on one line. */
function keysOf(settings: ComponentSettings): readonly EncryptionKey[] | undefined {
  const read = (name: string, text: string) => {
    const owner = `component ${settings.component}: metadata ${name}`;
    return keysFromText(owner, text.replaceAll(',', '\n'));
  };
  const [key, old] = ['outboxKey', 'outboxOldKeys'].map((name) => settings.text(name) || undefined);
  if (key === undefined) {
    if (old === undefined) return undefined;
    throw new Error(
      `component ${settings.component}: metadata outboxOldKeys needs outboxKey, the key to encrypt with`,
    );
  }
  const first = read('outboxKey', key);
  if (first.length > 1) {
    throw new Error(
      `component ${settings.component}: metadata outboxKey must be one key; those of before are outboxOldKeys`,
    );
  }
  return [...first, ...(old === undefined ? [] : read('outboxOldKeys', old))];
}
