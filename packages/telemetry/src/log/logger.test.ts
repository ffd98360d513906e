import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger, type Logger, type LoggerOptions } from './logger.ts';

const fields = { app_id: 'a', instance: 'host', scope: 'holdfast.runtime', ver: '0.1.0' };
const at = { clock: { wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) } };

describe('logger', () => {
  test('JSON lines have the keys and words of daprd, and the fields given', () => {
    const [line] = written({ json: true, fields }, (log) =>
      log.child({ trace_id: 't' }).warn('slow', { span_id: 's', ms: 12 }),
    );

    assert.equal(
      line,
      '{"app_id":"a","instance":"host","level":"warning","ms":12,"msg":"slow","scope":"holdfast.runtime","span_id":"s","time":"2026-01-02T03:04:05.678Z","trace_id":"t","type":"log","ver":"0.1.0"}\n',
    );
  });

  test('text is one line per message, whatever the message', () => {
    const [line] = written({ fields: { app_id: 'a' } }, (log) =>
      log.info('two\nlines "quoted"', { url: 'http://x/y?z=1', list: [1] }),
    );

    assert.equal(
      line,
      'time="2026-01-02T03:04:05.678Z" level=info msg="two\\nlines \\"quoted\\"" app_id=a list="[1]" type=log url="http://x/y?z=1"\n',
    );
  });

  test('lines below the level are not made', () => {
    const lines = written({ level: 'warn', json: true }, (log) => {
      log.debug('1');
      log.info('2');
      log.warn('3');
      log.error('4');
    });

    assert.deepEqual(
      lines.map((line) => JSON.parse(line).msg),
      ['3', '4'],
    );
  });

  test('a child may have a level of its own', () => {
    const lines = written({ level: 'error', json: true }, (log) => {
      log.info('quiet');
      log.child({}, 'info').info('wanted');
      log.child({}).info('quiet too');
    });
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).msg),
      ['wanted'],
    );
  });

  test('a field cannot pass for the level or the message', () => {
    const [line] = written({ json: true }, (log) =>
      log.info('true', { msg: 'forged', level: 'error', time: 0 }),
    );

    const { msg, level, time } = JSON.parse(line!);
    assert.deepEqual(
      { msg, level, time },
      { msg: 'true', level: 'info', time: '2026-01-02T03:04:05.678Z' },
    );
  });

  test('nothing that is logged and nothing that writes makes it throw', () => {
    const log = createLogger({
      ...at,
      write: () => {
        throw new Error('disk full');
      },
    });
    log.info('fine');
    const [line] = written({ json: true }, (working) =>
      working.info(undefined as unknown as string, null as unknown as Record<string, unknown>),
    );

    assert.equal(JSON.parse(line!).msg, 'undefined');
  });

  test('an unknown level is refused by name', () => {
    assert.throws(() => createLogger({ write: () => {}, level: 'loud' as 'info' }), {
      name: 'RangeError',
      message: 'log.level must be one of debug, info, warn, error, not "loud".',
    });
  });
});

function written(options: Partial<LoggerOptions>, work: (log: Logger) => void): string[] {
  const lines: string[] = [];
  work(createLogger({ ...at, write: (line) => lines.push(line), ...options }));
  return lines;
}
