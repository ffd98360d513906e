import { FlagError } from './flag.ts';

/** Without dots: one would part an app's id from its namespace. */
export const isAppId = (text: string): boolean => /^[\w-]{1,128}$/.test(text);

/** @throws FlagError where `--app-id` is no id. */
export function checkAppId(appId: string): void {
  if (isAppId(appId)) return;
  throw new FlagError(
    `--app-id must be 1 to 128 letters, digits, \`_\` and \`-\`, not "${appId}".`,
  );
}
