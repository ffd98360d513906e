import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The Apache Kafka that tests and drills run against. */
const KAFKA_VERSION = '4.4.0';

const DEFAULT_CACHE = fileURLToPath(
  new URL('../../../../../node_modules/.cache/holdfast-kafka', import.meta.url),
);

/** `kafka-tools-api` is left out: Maven Central's POM names it, and the server does not need it. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>holdfast</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** What this machine lacks for running Kafka; undefined if nothing. */
export async function kafkaProblem(cacheDir = DEFAULT_CACHE): Promise<string | undefined> {
  if (!(await works('java', ['-version']))) return 'no Java on the path';
  if (existsSync(jarsIn(cacheDir))) return undefined;
  return (await works('mvn', ['-v']))
    ? undefined
    : 'no Maven (mvn) on the path to fetch Kafka with';
}

/**
 * The directory with Kafka's jars, fetched from Maven Central the first time. Safe to call from
 * several processes at once: each fetches into a directory of its own, the first to finish wins.
 */
export async function fetchKafka(cacheDir = DEFAULT_CACHE): Promise<string> {
  const jars = jarsIn(cacheDir);
  if (existsSync(jars)) return jars;
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'fetch-'));
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    const output = `-DoutputDirectory=${join(work, 'jars')}`;
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', output], { cwd: work });
    await rename(join(work, 'jars'), jars).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return jars;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function jarsIn(cacheDir: string): string {
  return join(cacheDir, `jars-${KAFKA_VERSION}`);
}

async function works(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args]).then(
    () => true,
    () => false,
  );
}
