import type { CaOptions } from './ca.ts';
import type { CommandLine } from './command-line.ts';

/** The commands of an authority of one's own, for mTLS between sidecars. */
export function addCaCommands({ program, done, context }: CommandLine): void {
  const ca = program
    .command('ca')
    .description('make and renew certificates for sidecars that call each other by mTLS');
  const add = (
    action: 'init' | 'issue' | 'renew' | 'rotate' | 'prune',
    description: string,
    args: string | undefined,
    options: readonly (readonly [flags: string, meaning: string])[],
  ): void => {
    const command = ca.command(action).description(description);
    if (args !== undefined) command.argument(args, 'app ids');
    command.option('-d, --dir <folder>', 'where the authority is', 'certs');
    for (const [flags, meaning] of options) command.option(flags, meaning);
    command.action(async (...given: unknown[]) => {
      const apps = args === undefined ? [] : (given[0] as string[]);
      const { ca: run } = await import('./ca.ts');
      done(await run(action, apps, command.opts() as CaOptions, context));
    });
  };
  const lives = [
    ['--root-days <days>', 'how long the root is good (3650)'],
    ['--issuer-days <days>', 'how long the issuer is good (365)'],
  ] as const;
  const namespace = ['-n, --namespace <name>', "the apps' namespace (default)"] as const;

  add('init', 'make a root and an issuer', undefined, [
    ['--trust-domain <name>', 'the first part of every id (public)'],
    ...lives,
    ['--force', 'replace the authority that is there'],
  ]);
  add('issue', 'make a certificate for each app: spiffe://DOMAIN/ns/NAMESPACE/APP', '<apps...>', [
    namespace,
    ['--trust-domain <name>', "the first part of the id (the issuer's; Dapr's names none)"],
    ['--days <days>', 'how long it is good (30)'],
    ['--force', 'replace a certificate that is there'],
  ]);
  add('renew', 'renew certificates in the last third of their life', '[apps...]', [
    namespace,
    ['--days <days>', 'how long they are good (as long as before)'],
    ['--all', 'renew the others too'],
  ]);
  add('rotate', 'make a new root and issuer; old roots stay trusted', undefined, lives);
  add('prune', 'trust the newest root alone', undefined, [
    ['--force', 'although a certificate still needs an older one'],
  ]);
}
