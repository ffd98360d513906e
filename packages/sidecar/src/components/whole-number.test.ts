import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ComponentSettings } from './component-settings.ts';
import { milliseconds } from './milliseconds.ts';
import { readGoWhole, readWhole, wholeNumber, wholeNumberWithin } from './whole-number.ts';

describe('numbers in metadata', () => {
  const settings = (value: string) => new ComponentSettings('c', [['n', value]]);

  test('a whole number, or what stands for none', () => {
    const read = ['7', '-7', '+7', ''].map((text) => wholeNumber(settings(text), 'N', 3));
    assert.deepEqual(read, [7, -7, 7, 3]);
  });

  test('a whole number as Go writes one, in other bases too', () => {
    const texts = ['7', '-7', '+0', '0x1F', '-0b11', '0o17', '017', '1_000', '0x_f', ''];
    assert.deepEqual(
      texts.map((text) => readGoWhole('n', text)),
      [7, -7, 0, 31, -3, 15, 15, 1_000, 15, undefined],
    );
    for (const none of ['08', '0x', '1_', '_1', '1__0', '1e3', '1.5', ' 5', '0b2', '-', 'x']) {
      assert.throws(() => readGoWhole('n', none), {
        message: `n must be a whole number, not "${none}"`,
      });
    }
  });

  test('what is none, or out of range, is told with its component, rule and value', () => {
    const range = { byDefault: 1, least: 1, most: 9 };
    const said = [
      () => wholeNumber(settings('1.5'), 'n', 0),
      () => wholeNumberWithin(settings('10'), 'n', range),
      () => wholeNumberWithin(settings('0'), 'n', { byDefault: 1, least: 1 }),
      () => milliseconds(settings('soon'), 'n', 0),
      () => readWhole('connect_timeout of the connection string', 'soon'),
    ].map(messageOf);
    assert.deepEqual(said, [
      'component c: metadata n must be a whole number, not "1.5"',
      'component c: metadata n must be from 1 to 9, not 10',
      'component c: metadata n must be at least 1, not 0',
      'component c: metadata n "soon" has a unit without a number; write 500ms, 15s or a number of milliseconds',
      'connect_timeout of the connection string must be a whole number, not "soon"',
    ]);
  });
});

function messageOf(work: () => unknown): string {
  try {
    return `none: ${work()}`;
  } catch (error) {
    return (error as Error).message;
  }
}
