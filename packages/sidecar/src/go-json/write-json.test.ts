import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactJson, writeJson, writeMap, writeStruct } from './write-json.ts';

test('names come in order, also those that look like numbers, and nothing is left for HTML to find', () => {
  const value = { b: [1, null, { z: true, a: '\u2028' }], '10': '<&>', '9': 'é', gone: undefined };
  assert.equal(
    writeJson(value),
    '{"10":"\\u003c\\u0026\\u003e","9":"é","b":[1,null,{"a":"\\u2028","z":true}]}',
  );
});

test('half a character is the one that stands for what cannot be read', () => {
  assert.equal(writeJson('\ud800'), '"\ufffd"');
});

test('short or long, plain or not, a text is what JSON has for it', () => {
  for (let code = 0; code < 0x300; code += 1) {
    const char = String.fromCharCode(code);
    const html = '<>&'.includes(char) ? `"\\u00${code.toString(16)}"` : JSON.stringify(char);
    assert.equal(writeJson(char), html);
    assert.equal(writeJson('x'.repeat(300) + char), `"${'x'.repeat(300)}${html.slice(1)}`);
  }
});

test('of a struct the names stay in their order, of a map whose values are structs only the map’s', () => {
  const map = { b: { z: '<', a: 1, gone: undefined }, a: { z: '', a: 2 } };
  assert.equal(writeStruct(map), '{"b":{"z":"\\u003c","a":1},"a":{"z":"","a":2}}');
  assert.equal(writeMap(map, writeStruct), '{"a":{"z":"","a":2},"b":{"z":"\\u003c","a":1}}');
});

test('JSON of others is made tight, and its texts stay as they are but for HTML', () => {
  const given = '{ "a b" :\t[ 1.50 , "x \\" y\\\\" ],\r\n"<": "&" }';
  assert.equal(compactJson(given), '{"a b":[1.50,"x \\" y\\\\"],"\\u003c":"\\u0026"}');
  assert.equal(compactJson('1e3'), '1e3');
});
