import { formatProblem, loadResiliency } from '@holdfast/config';
import { pipeline } from '@holdfast/core';
import type { CommandContext } from './output.ts';

/** `holdfast explain`: what happens to a call of an app under a policy file, in words. */
export async function explain(
  paths: readonly string[],
  choice: { readonly app: string; readonly method?: string; readonly json?: boolean },
  { output }: CommandContext,
): Promise<number> {
  const { policies, problems } = await loadResiliency(paths, {});
  for (const problem of problems) output.err(formatProblem(problem));
  const target = policies.forApp(choice.app);
  const chain = pipeline(
    choice.app,
    target.policies(() => undefined, 'http'),
    { registry: undefined },
  );
  const explanation = chain.explain();
  if (choice.json === true) {
    output.out(JSON.stringify({ app: choice.app, listed: target.listed, explanation }, null, 2));
    return 0;
  }
  const what = choice.method === undefined ? '' : `, method "${choice.method}"`;
  const why = target.listed
    ? 'as its entry under targets says'
    : 'by the defaults, as it is not named under targets';
  output.out(`A call of "${choice.app}"${what}, ${why}:`);
  for (const sentence of explanation.words) output.out(`  ${sentence}`);
  if (!target.listed) {
    const { maxRetries } = policies.builtInServiceRetries();
    output.out(
      `  A sidecar that cannot be reached is tried ${maxRetries} times more, as Dapr does for apps without an entry.`,
    );
  }
  return 0;
}
