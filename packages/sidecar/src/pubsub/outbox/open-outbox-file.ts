import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '@holdfast/core';
import { type Outbox, openOutbox } from '@holdfast/messaging';
import { encryptedStore } from '@holdfast/messaging/encrypted';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import type { Logger } from '@holdfast/telemetry/log';
import type { OutboxSettings } from './outbox-settings.ts';
import { unreadableLines } from './unreadable-lines.ts';

/** The outbox in the file of the settings, sealed where they have keys. @throws Error that names the file or its folder. */
export async function openOutboxFile(
  { component, maxBytes, maxMessages, path, keys }: OutboxSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<Outbox> {
  makeFolder(dirname(path));
  const file = sqliteStore({ path, clock });
  const onUnreadable = unreadableLines({ component, path }, log);
  const encrypted = keys && encryptedStore(file, { keys, clock, onUnreadable });
  return openOutbox({
    store: encrypted ?? file,
    clock,
    limits: { maxBytes, maxMessages, maxBodyBytes: maxBytes },
  });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(
      `the folder ${folder} of its outbox cannot be made: ${(error as Error).message}; name another (--state-dir, or metadata outboxPath)`,
      { cause: error },
    );
  }
}
