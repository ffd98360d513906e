import {
  formatProblem,
  loadResiliency,
  methodMatches,
  nearest,
  type TargetPolicies,
} from '@holdfast/config';
import { pipeline } from '@holdfast/core';
import type { CommandContext } from './output.ts';

/** Of a method that is named without its verb. */
const DEFAULT_VERB = 'GET';

/**
 * `holdfast explain`: what happens to a call of an app under a policy file, in words. 1 when the
 * file has errors: what it says is what is left of it then.
 */
export async function explain(
  paths: readonly string[],
  choice: { readonly app: string; readonly method?: string; readonly json?: boolean },
  { output }: CommandContext,
): Promise<number> {
  const { policies, problems } = await loadResiliency(paths, {});
  for (const problem of problems) output.err(formatProblem(problem));
  const status = problems.some(({ severity }) => severity === 'error') ? 1 : 0;
  const app = policies.forApp(choice.app);
  const entry = choice.method === undefined ? undefined : entryFor(app, choice.method);
  const target = entry?.policies ?? app;
  const chain = pipeline(
    choice.app,
    target.policies(() => undefined, 'http'),
    { registry: undefined },
  );
  const explanation = chain.explain();
  if (choice.json === true) {
    const method = entry === undefined ? {} : { method: entry.name };
    const told = { app: choice.app, ...method, listed: app.listed, explanation };
    output.out(JSON.stringify(told, null, 2));
    return status;
  }
  const what = choice.method === undefined ? '' : `, method "${choice.method}"`;
  const why = app.listed
    ? `as its entry under targets says${entry === undefined ? '' : ` (methods: ${entry.name})`}`
    : `by the defaults, as it is not named under targets${meantApp(choice.app, policies.names.apps)}`;
  output.out(`A call of "${choice.app}"${what}, ${why}:`);
  for (const sentence of explanation.words) output.out(`  ${sentence}`);
  if (!app.listed) {
    const { maxRetries } = policies.builtInServiceRetries();
    output.out(
      `  A sidecar that cannot be reached is tried ${maxRetries} times more, as Dapr does for apps without an entry.`,
    );
  }
  return status;
}

/** Of an app that the files do not name: the one that is like it. */
function meantApp(app: string, named: readonly string[]): string {
  const meant = nearest(app, named);
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`;
}

/** The entry of `methods` that a call is of: `orders/1`, or with a verb `POST /orders`. */
function entryFor(app: TargetPolicies, method: string) {
  const [path = '', verb = DEFAULT_VERB] = method.trim().split(/\s+/).reverse();
  return app.methods.find(({ pattern }) => methodMatches(pattern, verb.toUpperCase(), path));
}
