import { cleanMethodPath } from '../invoke/method-path.ts';

/** What a call is for, as access control looks at it. */
export type CalledOperation =
  | {
      readonly kind: 'named';
      /** For messages: `orders/7`, escapes undone. */
      readonly name: string;
      /**
       * Every way in which an application may read the path. An escaped slash
       * stays escaped on its way, and only the application knows whether it
       * separates: both readings must be allowed.
       */
      readonly readings: readonly string[];
    }
  /** Nothing of ours sends such a path: its sender wants it to be read in two ways. */
  | { readonly kind: 'unclear'; readonly path: string };

const ESCAPED_SLASH = /%2f/gi;

/** `path` as it is sent to the application, with its query. */
export function calledOperation(path: string): CalledOperation {
  const mark = path.indexOf('?');
  const raw = path.slice(1, mark === -1 ? undefined : mark);
  const clean = cleanMethodPath(raw);
  if ('refused' in clean || clean.path !== raw) return { kind: 'unclear', path: raw };
  if (!raw.includes('%')) return { kind: 'named', name: raw, readings: [raw] };
  const name = unescaped(raw);
  const kept = unescaped(raw.replace(ESCAPED_SLASH, '%252F'));
  return { kind: 'named', name, readings: kept === name ? [name] : [name, kept] };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No UTF-8: byte for byte, so that what is plain in it still counts.
    return Buffer.from(
      text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('latin1');
  }
}
