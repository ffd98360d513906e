/** Why Redis, which is well, does not take a message now; undefined where it is an outage. */
export function postponement(error: unknown): string | undefined {
  if (replyCode(error) === 'OOM') return 'Redis has no memory for it now (maxmemory)';
  if (replyCode(error) === 'WRONGTYPE') {
    return 'the key of its stream holds something else; delete it, or use another keyPrefix';
  }
  return undefined;
}

/** Larger than an argument of a command may be, which is the server's `proto-max-bulk-len`. */
export const isTooLongForRedis = (error: unknown): boolean =>
  replyCode(error) === 'ERR' && /invalid bulk length/.test((error as Error).message);

/** The first word of what Redis answered; undefined where it did not answer. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  // Before 7.0 the error of a command within a script was quoted in that of the script.
  const [, code] = /(?:^|-)([A-Z]+)\b/.exec(
    error.message.replace(/^ERR Error running script[^-]*(?=-)/, ''),
  ) ?? [undefined, undefined];
  return code;
}

/** Why something did not work, as one sentence without its full stop. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const own = message.replace(/\s*script: [0-9a-f]{40}, on @user_script:\d+\.?$/, '');
  const hint = HINTS[replyCode(error) ?? ''];
  return `${own.replace(/\.$/, '')}${hint === undefined ? '' : ` (${hint})`}`;
}

const HINTS: Readonly<Record<string, string>> = {
  READONLY: 'it is a replica: name the master, or its sentinels',
  LOADING: 'it reads its data from disk',
  NOGROUP: 'the group is gone, and is made again',
  NOPERM: 'its user needs scripts, and the commands of streams, on these keys',
};
