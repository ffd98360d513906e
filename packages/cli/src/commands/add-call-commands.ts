import type { Command } from 'commander';
import type { CommandLine } from './command-line.ts';
import type { InvokeOptions } from './invoke.ts';
import { listOf } from './list-of.ts';
import type { PublishOptions } from './publish.ts';

/** The commands that call an app, or publish, through a sidecar that runs; with Dapr's options. */
export function addCallCommands({ program, done, context }: CommandLine): void {
  const body = (command: Command) =>
    command
      .option('-d, --data <text>', 'the body, as JSON')
      .option('-f, --data-file <file>', 'the file with the body (-: standard input)')
      .option(
        '-u, --unix-domain-socket <dir>',
        "the folder of the sidecar's sockets, if it has any",
      );

  body(
    program
      .command('invoke')
      .description('call a method of an app that runs, as `dapr invoke` does')
      .requiredOption('-a, --app-id <id>', 'the app that is called')
      .requiredOption('-m, --method <path>', 'its method, with a query if need be')
      .option('-v, --verb <verb>', 'the verb', 'POST')
      .option('-H, --header <name=value>', 'a header; may be repeated', listOf, []),
  ).action(async (options: InvokeOptions) => {
    const { invoke } = await import('./invoke.ts');
    done(await invoke(options, context));
  });

  body(
    program
      .command('publish')
      .description('publish an event through the sidecar of an app, as `dapr publish` does')
      .requiredOption('-i, --publish-app-id <id>', 'the app whose sidecar publishes')
      .requiredOption('-p, --pubsub <name>', 'the component')
      .requiredOption('-t, --topic <topic>', 'the topic')
      .option('-m, --metadata <json>', `'{"ttlInSeconds":"10"}'`),
  ).action(async (options: PublishOptions) => {
    const { publish } = await import('./publish.ts');
    done(await publish(options, context));
  });
}
