import { basename } from 'node:path';

/** Programs that do their work through a child and pass few signals on to it. */
const WRAPPERS = new Set(
  'npm npx pnpm pnpx yarn yarnpkg bunx corepack uv poetry pipenv bundle make sh bash dash zsh ksh fish cmd su sudo runuser setpriv'.split(
    ' ',
  ),
);

/**
 * Whether a command is a launcher, so that the process that matters is a child
 * of the one we started. Signals then go to the whole group.
 */
export function isWrapper(file: string): boolean {
  return WRAPPERS.has(basename(file).replace(/\.(exe|cmd|bat|ps1)$/i, ''));
}
