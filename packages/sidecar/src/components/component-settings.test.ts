import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ComponentSettings } from './component-settings.ts';

describe('ComponentSettings', () => {
  const settings = () =>
    new ComponentSettings('c', [
      ['Host', 'h'],
      ['poolSize', '3'],
      ['empty', ''],
      ['TLS', ' on '],
    ]);

  test('finds names in any letter case', () => {
    const given = settings();
    assert.deepEqual(
      [given.text('host'), given.flag('tls'), given.text('other')],
      ['h', true, undefined],
    );
    assert.throws(() => given.required('empty'), /component c: metadata empty is missing/);
  });

  test('refuses a name that is there in two ways, where somebody asks for it', () => {
    const twice = new ComponentSettings('c', [
      ['host', 'a'],
      ['Host', 'b'],
      ['port', '1'],
      ['port', '2'],
    ]);
    assert.equal(twice.text('port'), '2');
    assert.throws(() => twice.text('HOST'), {
      message:
        'component c: key host is duplicate in the metadata, as host and as Host; leave one out',
    });
  });

  test('has several that count only together, or none of them', () => {
    const given = settings();
    assert.deepEqual(given.together('poolSize', 'empty'), undefined);
    assert.deepEqual(given.together('HOST', 'tls'), ['h', ' on ']);
    assert.deepEqual(given.unasked(), ['poolSize']);
  });

  test('knows what nobody has asked for, as it was written', () => {
    const given = settings();
    given.text('HOST');
    given.flag('tls');
    assert.deepEqual(given.unasked(), ['poolSize']);
    given.entries();
    assert.deepEqual(given.unasked(), []);
  });
});
