import type { ComponentSettings } from '../components/component-settings.ts';
import { goRegExp } from '../resources/go-regexp.ts';
import { type Middleware, PASS, plainAnswer } from './middleware.ts';

/** `middleware.http.routerchecker`: lets pass what `rule`, a regular expression, finds itself in. */
export function routerChecker(settings: ComponentSettings): Middleware {
  const rule = expressionOf(settings.required('rule'));
  const refused = plainAnswer(400, 'invalid router');
  return {
    judge(head) {
      const [path = '', ...query] = head.path.split('?');
      return rule.test([writtenPath(path), ...query].join('?')) ? PASS : refused;
    },
  };
}

/** What a path may hold as it is. */
const WRITTEN = /^(?:[\w.~!$&'()*+,;=:@/[\]-]|%[\da-f]{2})*$/i;

/** As it came, with its escapes; one that holds what should have been escaped as Go would have written it. */
function writtenPath(path: string): string {
  if (WRITTEN.test(path)) return path;
  return path
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll(/[^\w.~$&+,/:;=@-]/g, escaped);
}

/** Heads come with a letter for each byte. */
function escaped(letter: string): string {
  const bytes = Buffer.from(letter, letter <= '\xff' ? 'latin1' : 'utf8');
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

function expressionOf(rule: string): RegExp {
  try {
    return goRegExp(rule);
  } catch (error) {
    throw new Error(
      `metadata rule must be a regular expression, not "${rule}": ${(error as Error).message}`,
    );
  }
}
