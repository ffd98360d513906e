import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goRegExp } from './go-regexp.ts';

test('what Go writes otherwise than JavaScript means the same', () => {
  const seen = [
    ['/orders/7/x', '/orders/\\d+'],
    ['/orders/7', '\\A/(?P<what>[a-z]+)/[[:digit:]]+\\z'],
    ['/Orders/7', '(?i)/orders/[0-9]'],
    ['a-b', '[^[:alnum:]]'],
  ].map(([text, source]) => text!.replace(goRegExp(source!), '#'));
  assert.deepEqual(seen, ['#/x', '#', '#', 'a#b']);
});

test('what Go does not have is refused', () => {
  for (const source of ['(?=a)', '(?<!a)b', '(a)\\1', '(open']) {
    assert.throws(() => goRegExp(source), SyntaxError, source);
  }
});

test('no text makes an expression go back for ever', () => {
  const hostile = `/${'a'.repeat(4_000)}!`;
  assert.equal(hostile.replace(goRegExp('^/(a+)+$'), ''), hostile);
});
