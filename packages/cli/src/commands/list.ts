import { systemClock } from '@holdfast/core';
import { stringify } from 'yaml';
import { FlagError } from '../flags/flag.ts';
import { appsThere } from '../run-state/apps-there.ts';
import type { RunningApp } from '../run-state/running-apps.ts';
import type { CommandContext } from './output.ts';
import { textTable } from './text-table.ts';

const FORMS = ['table', 'json', 'yaml'];

/** Longer commands are cut off in the table, and whole in JSON and YAML. */
const LONGEST_COMMAND = 40;

/** `holdfast list`: the apps of all runs, and sidecars that were started without one, as `dapr list` has them. */
export async function list(
  { output = 'table' }: { readonly output?: string },
  context: CommandContext,
): Promise<number> {
  if (!FORMS.includes(output)) {
    throw new FlagError(`--output can be ${FORMS.join(', ')}, not "${output}".`);
  }
  const { apps, runs } = appsThere(context, systemClock.wallMs());
  const { err, out } = context.output;
  if (output === 'json') out(JSON.stringify(apps, null, 2));
  else if (output === 'yaml') out(stringify(apps).trimEnd());
  else if (apps.length === 0) out('No app is running; `holdfast run` starts one.');
  else for (const line of appTable(apps)) out(line);
  for (const { live, record } of runs) {
    if (live) continue;
    err(
      `The supervisor of run "${record.name}" was killed; \`holdfast stop --run ${record.name}\` ends what it left.`,
    );
  }
  return 0;
}

function appTable(apps: readonly RunningApp[]): readonly string[] {
  return textTable(
    [
      ...['APP ID', 'HTTP PORT', 'GRPC PORT', 'APP PORT', 'COMMAND', 'AGE', 'CREATED'],
      ...['DAPRD PID', 'CLI PID', 'APP PID', 'RUN'],
    ],
    apps.map((app) => [
      app.appId,
      ...[app.httpPort, app.grpcPort, app.appPort].map(orDash),
      shortened(app.command),
      app.age,
      app.created,
      ...[app.daprdPid, app.cliPid, app.appPid].map(orDash),
      app.runTemplateName === '' ? '-' : app.runTemplateName,
    ]),
  );
}

const orDash = (number: number): string => (number === 0 ? '-' : String(number));

const shortened = (text: string): string =>
  text.length <= LONGEST_COMMAND ? text : `${text.slice(0, LONGEST_COMMAND - 1)}…`;
