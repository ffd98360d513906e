/** Whether a built program may be run in place of its source: no source file is newer than it. */
export function isFresh(built: URL): boolean;
