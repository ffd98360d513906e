import type { ListedCase } from './list-cases.ts';

/** What only a control plane can answer; `workflow` and `actors` are the suite's own names for several of these. */
const CONTROL_PLANE =
  /^(?:actors|helm|injector|kubernetes|operator|placement|scheduler|sentry|workflow)$/;

/** Cases that start none of it, and are about what is not here all the same. */
const ELSEWHERE: readonly (readonly [name: RegExp, why: string])[] = [
  [/^(?:helm|injector|operator|placement|scheduler|sentry)\//, 'about the control plane'],
  [/^actors\/metadata\/hostNoPlacement$/, 'about actors'],
  [/^daprd\/conversation\//, 'about conversations'],
  [/mcpserver/, 'about MCP'],
  [/^daprd\/hotreload\/selfhosted\/crypto$/, 'about cryptography'],
];

/** Why a case is not ours to pass: it needs a control plane, or is about what is not here (issue 5); nothing when it is ours. */
export function whyElsewhere({ name, starts }: ListedCase): string | undefined {
  const needed = starts.flatMap((one) => one.split('/')).filter((one) => CONTROL_PLANE.test(one));
  if (needed.length > 0) return `needs ${[...new Set(needed)].join(', ')}`;
  return ELSEWHERE.find(([pattern]) => pattern.test(name))?.[1];
}

/** Cases are run and counted by these: `daprd/state`. */
export function groupOf(name: string): string {
  return name.split('/').slice(0, 2).join('/');
}
