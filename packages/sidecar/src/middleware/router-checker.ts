import type { ComponentSettings } from '../components/component-settings.ts';
import { writtenPath } from '../flow/written-path.ts';
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

function expressionOf(rule: string): RegExp {
  try {
    return goRegExp(rule);
  } catch (error) {
    throw new Error(
      `metadata rule must be a regular expression, not "${rule}": ${(error as Error).message}`,
    );
  }
}
