import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** What deriving a key from a password costs; kept with each hash, so that it can be raised later. */
interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

// One of the settings OWASP recommends: 16 MiB of memory and about 150 ms of a core for each password.
const COST: Cost = { N: 2 ** 14, r: 8, p: 5 };
const KEY_BYTES = 32;
const MAX_MEMORY_BYTES = 64 * 1_048_576;

/** `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return format(COST, salt, await keyOf(password, salt, COST));
}

/**
 * Whether `password` is the one behind `hash`. Without a hash (no such user) it
 * does the same work and says no, so that time does not tell who exists.
 */
export async function checkPassword(password: string, hash: string | undefined): Promise<boolean> {
  const { cost, salt, key } = parse(hash ?? NOBODY);
  return timingSafeEqual(await keyOf(password, salt, cost), key) && hash !== undefined;
}

function keyOf(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  return derive(password, salt, KEY_BYTES, { ...cost, maxmem: MAX_MEMORY_BYTES });
}

function format({ N, r, p }: Cost, salt: Buffer, key: Buffer): string {
  return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

function parse(hash: string): { cost: Cost; salt: Buffer; key: Buffer } {
  const [, N, r, p, salt = '', key = ''] = hash.split('$');
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  };
}

const NOBODY = format(COST, Buffer.alloc(16), Buffer.alloc(KEY_BYTES));
