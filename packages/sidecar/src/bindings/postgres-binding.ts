import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { goDuration } from '../go-json/go-duration.ts';
import { GoJsonError } from '../go-json/go-json-error.ts';
import { goAny, goSlice, readInto } from '../go-json/go-type.ts';
import { wholeJson } from '../go-json/read-json.ts';
import { writeJson } from '../go-json/write-json.ts';
import { goValue } from '../postgres/go-values.ts';
import { openPostgres, type WrittenRows } from '../postgres/postgres-pool.ts';
import type { OutputBinding } from './binding.ts';

const NOTHING = Buffer.alloc(0);

/**
 * `bindings.postgresql`: statements of the application's own, `sql` of the metadata with the `params` there.
 * `exec` answers with how many rows it touched, `query` with the rows as JSON, and after `close` there is no
 * more.
 *
 * @throws Error for metadata that cannot be, or a database that cannot be reached.
 */
export async function postgresBinding(
  settings: ComponentSettings,
  { clock, log }: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<OutputBinding> {
  const pool = await openPostgres(settings, { log });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await pool.close();
  };
  return {
    operations: ['exec', 'query', 'close'],
    close,
    async invoke({ metadata, operation }, signal) {
      if (operation === 'close') {
        await close();
        return undefined;
      }
      if (closed) throw new Error('component is closed');
      const { params = '', sql = '' } = metadata;
      if (sql === '') throw new Error('required metadata not set: sql');
      const values = valuesOf(params);
      const [wallMs, beganMs] = [clock.wallMs(), clock.now()];
      // Go's driver takes several statements at once where there are no parameters and nothing to read.
      const several = operation === 'exec' && values.length === 0;
      const answer = await pool.written(sql, several ? undefined : values, signal).catch(failed);
      const tookMs = Math.round((clock.now() - beganMs) * 1_000) / 1_000;
      const told = {
        operation,
        sql,
        'start-time': moment(wallMs),
        'end-time': moment(wallMs + tookMs),
        duration: goDuration(tookMs),
      };
      return operation === 'exec'
        ? { data: NOTHING, metadata: { ...told, 'rows-affected': String(answer.count) } }
        : { data: rowsOf(answer), metadata: told };
    },
  };
}

/** @throws Error where they are no list in JSON. */
function valuesOf(params: string): readonly unknown[] {
  if (params === '') return [];
  try {
    return readInto(goSlice(goAny), wholeJson(params));
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    const why = `failed to unserialize into an array: ${error.message}`;
    throw new Error(`invalid metadata property params: ${why}`, { cause: error });
  }
}

/** The server counts them; Go's driver does before it asks. */
const MISCOUNTED = /supplies (\d+) parameters, but prepared statement "" requires (\d+)/;

function failed(error: Error): never {
  const [, given, wanted] = MISCOUNTED.exec(error.message) ?? [];
  const why = given === undefined ? error.message : `expected ${wanted} arguments, got ${given}`;
  throw new Error(`error executing query: ${why}`, { cause: error });
}

/** A list for each row, without names: that is what Dapr's users read. */
function rowsOf({ rows, types }: WrittenRows): Buffer {
  try {
    const all = rows.map((row) => row.map((text, at) => goValue(types[at]!, text)));
    return Buffer.from(writeJson(all));
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`error serializing results: ${why}`, { cause: error });
  }
}

/** RFC 3339, as Go writes it: no zeros at the end of a fraction. */
const moment = (wallMs: number): string => new Date(wallMs).toISOString().replace(/\.?0*Z$/, 'Z');
