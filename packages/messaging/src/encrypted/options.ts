import { type Clock, systemClock } from '@holdfast/core';
import type { Message } from '../message.ts';
import { eachReasonOnce } from './each-reason-once.ts';
import { type EncryptionKey, type KeyRing, keyRing } from './keys.ts';

export interface EncryptedStoreOptions {
  /**
   * The first encrypts, all of them decrypt. A key is good for 2^32 messages (NIST SP 800-38D, section
   * 8.3: random nonces of 96 bits), which is 49 days at 1,000 a second: put a new one first before that.
   */
  readonly keys: readonly EncryptionKey[];
  /**
   * What is done with messages that are not encrypted. `read`: they are delivered, which is how
   * encryption is switched on for a store in use; whoever can write to the database can put some
   * there. `refuse`: they become dead letters. @default 'read'
   */
  readonly plain?: 'read' | 'refuse';
  /**
   * Hears of what cannot be decrypted, each message once. @default a warning of the process, once for
   * each reason
   */
  readonly onUnreadable?: (unreadable: Unreadable) => void;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface Unreadable {
  readonly message: Pick<Message, 'id' | 'topic' | 'key'>;
  readonly reason: string;
  /** Whether it is a dead letter now; else it waits in the queue until there is a process with the key. */
  readonly dead: boolean;
}

export interface ResolvedEncryption {
  readonly ring: KeyRing;
  readonly plain: 'read' | 'refuse';
  readonly onUnreadable: (unreadable: Unreadable) => void;
  readonly clock: Clock;
}

export function resolveEncryptedStoreOptions(given: EncryptedStoreOptions): ResolvedEncryption {
  const { keys, plain = 'read', onUnreadable = eachReasonOnce(warn), clock = systemClock } = given;
  if (plain !== 'read' && plain !== 'refuse') {
    throw new TypeError(
      `encryptedStore.plain must be "read" or "refuse", not ${JSON.stringify(plain)}.`,
    );
  }
  return { ring: keyRing('encryptedStore.keys', keys), plain, onUnreadable, clock };
}

function warn({ message: { id, topic }, reason, dead }: Unreadable): void {
  process.emitWarning(
    `Message "${id}" for "${topic}" ${reason} ${dead ? 'It is a dead letter now.' : 'It waits in the queue.'}`,
    { type: 'HoldfastWarning', code: 'HOLDFAST_UNREADABLE' },
  );
}
