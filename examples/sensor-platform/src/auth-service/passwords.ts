import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

// One of the settings OWASP recommends: 16 MiB of memory and about 150 ms of a core for each password.
const COST = { N: 2 ** 14, r: 8, p: 5, maxmem: 32 * 1_048_576 };
const KEY_BYTES = 32;

/** `scrypt$salt$key`, both in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, KEY_BYTES, COST);
  return `scrypt$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

/**
 * Whether `password` is the one behind `hash`. Without a hash (no such user) it
 * does the same work and says no, so that time does not tell who exists.
 */
export async function checkPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, salt = '', key = ''] = (hash ?? NOBODY).split('$');
  const expected = Buffer.from(key, 'base64url');
  const given = await derive(password, Buffer.from(salt, 'base64url'), KEY_BYTES, COST);
  return timingSafeEqual(given, expected) && hash !== undefined;
}

const NOBODY = `scrypt$${'A'.repeat(22)}$${Buffer.alloc(KEY_BYTES).toString('base64url')}`;
