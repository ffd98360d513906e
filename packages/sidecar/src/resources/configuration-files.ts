import { stat } from 'node:fs/promises';
import { parseYaml } from './parse-yaml.ts';
import { at, isRecord, type Resource, readDocument, readText } from './resource-files.ts';

/** A `--config` file that cannot be read: the sidecar does not start without it. */
export class ConfigurationFileError extends Error {
  readonly code = 'CONFIGURATION_FILE';
  readonly file: string;

  constructor(file: string, why: string) {
    super(`The configuration ${file} (--config) cannot be read: ${why}`);
    this.name = 'ConfigurationFileError';
    this.file = file;
  }
}

/**
 * The Configurations of `--config` files, in their order. Of a file the first document is one, whatever
 * its kind, and others count for nothing, as in daprd; `warn` is told of them.
 *
 * @throws ConfigurationFileError for what is none: without a word it would take away what it guards.
 */
export async function readConfigurations(
  files: readonly string[],
  warn: (message: string) => void,
): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const file of files) resources.push(await readConfiguration(file, warn));
  return resources;
}

async function readConfiguration(file: string, warn: (message: string) => void): Promise<Resource> {
  const refuse = (place: string, why: string): never => {
    throw new ConfigurationFileError(place, why);
  };
  const found = await stat(file).catch(() => undefined);
  // As daprd does: whoever names one means a file in it, and would get another, or none.
  if (found?.isDirectory()) refuse(file, 'is a folder; name the file in it');
  const [first, second] = parseYaml((await readText(file, refuse)) ?? '');
  const read =
    first &&
    readDocument(first, file, {
      unreadable: refuse,
      twice: (place) => refuse(place, 'a key is there twice'),
    });
  if (read === undefined || read.value === null) return refuse(file, 'is empty');
  const { line, locate, value } = read;
  if (!isRecord(value)) return refuse(`${file}:${line}`, 'must be a map with a spec');
  const spec = at(value, 'spec') ?? {};
  if (!isRecord(spec)) return refuse(`${file}:${line}`, 'spec must be a map');
  const kind = at(value, 'kind');
  if (kind !== 'Configuration') {
    warn(
      `${file}:${line}: kind should be Configuration, and is ${JSON.stringify(kind) ?? 'missing'}; it counts, as in Dapr.`,
    );
  }
  if (second !== undefined) {
    const place = second.position(second.document.contents?.range?.[0] ?? 0);
    warn(
      `${file}:${place.line}: a second document counts for nothing, as in Dapr; name a file of its own with --config.`,
    );
  }
  return { file, line, kind: 'Configuration', document: value, locate };
}
