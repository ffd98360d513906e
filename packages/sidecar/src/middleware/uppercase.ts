import type { ComponentSettings } from '../components/component-settings.ts';
import type { BodyFilter, Middleware } from './middleware.ts';

/** `middleware.http.uppercase`: for trying out a pipeline. */
export function uppercase(settings: ComponentSettings): Middleware {
  switch ((settings.text('direction') ?? 'request').toLowerCase()) {
    case 'response':
      return { answer: upperFilter };
    case 'both':
      return { request: upperFilter, answer: upperFilter };
    case 'request':
      return { request: upperFilter };
    default:
      throw new Error(
        `metadata direction must be request, response or both, not "${settings.text('direction')}"`,
      );
  }
}

/**
 * UTF-8 in capitals, letter by letter. A letter whose capital has another
 * length in bytes (there are a few dozen: ı, ſ, ⱥ …) stays as it is, for the
 * length of the body was told before it came. What is no UTF-8 stays too.
 */
export function upperFilter(): BodyFilter {
  // Of a letter that is cut in two.
  let held: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      const whole = bytes.length - cutLetterBytes(bytes);
      held = bytes.subarray(whole);
      raise(bytes, whole);
      return bytes.subarray(0, whole);
    },
    end() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

function raise(bytes: Buffer, end: number): void {
  for (let at = 0; at < end; ) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      if (byte >= 0x61 && byte <= 0x7a) bytes[at] = byte - 0x20;
      at += 1;
      continue;
    }
    const length = letterBytes(byte);
    if (at + length <= end && goesOn(bytes, at, length)) {
      raiseLetter(bytes.subarray(at, at + length));
      at += length;
    } else at += 1; // no UTF-8: what follows is looked at by itself, as it is where a body is cut here
  }
}

function raiseLetter(letter: Buffer): void {
  const text = letter.toString('utf8');
  const capital = Buffer.from(text.toUpperCase(), 'utf8');
  // `ß` becomes two letters: not a capital of it, then.
  if (capital.length !== letter.length || [...text.toUpperCase()].length !== 1) return;
  capital.copy(letter);
}

/** Whether the bytes behind the first of a letter are a letter's. */
function goesOn(bytes: Buffer, first: number, length: number): boolean {
  for (let at = first + 1; at < first + length; at += 1) {
    if ((bytes[at]! & 0xc0) !== 0x80) return false;
  }
  return length > 1;
}

/** Bytes of the letter that begins with `byte`; 1 for what begins none. */
function letterBytes(byte: number): number {
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  return 1;
}

/** Bytes at the end that begin a letter and do not end it. */
function cutLetterBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return letterBytes(byte) > back ? back : 0;
  }
  return 0;
}
