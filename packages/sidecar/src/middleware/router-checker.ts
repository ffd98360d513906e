import type { ComponentSettings } from '../components/component-settings.ts';
import { type Middleware, PASS, plainAnswer, readPath } from './middleware.ts';

/** `middleware.http.routerchecker`: lets pass what `rule`, a regular expression, finds itself in. */
export function routerChecker(settings: ComponentSettings): Middleware {
  const rule = goExpression(settings.required('rule'));
  const refused = plainAnswer(400, 'invalid router');
  return {
    judge(head) {
      const { path, query } = readPath(head.path);
      return rule.test(path + query) ? PASS : refused;
    },
  };
}

/** A regular expression as Go writes it; what the two spell differently is put into our letters. */
function goExpression(rule: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(rule) ?? [];
  const ours = rest.replaceAll('(?P<', '(?<').replaceAll('\\A', '^').replaceAll('\\z', '$');
  try {
    return new RegExp(ours, flags);
  } catch (error) {
    throw new Error(
      `metadata rule must be a regular expression, not "${rule}": ${(error as Error).message}`,
    );
  }
}
