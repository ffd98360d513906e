import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyGoWillNotDo } from './go-toolchain.ts';

test('a Go that is late enough, or built by hand, will do', () => {
  for (const version of ['1.26.4', '1.26.8', '1.27rc1', '2.0', 'devel go1.28-abcdef']) {
    assert.equal(whyGoWillNotDo(version, 'local', '1.26.4'), undefined, version);
  }
});

test('an older Go will do only where it may fetch a later one', () => {
  assert.equal(whyGoWillNotDo('1.26.3', 'auto', '1.26.4'), undefined);
  assert.match(
    whyGoWillNotDo('1.26.3', 'local', '1.26.4')!,
    /needs Go 1\.26\.4 or later, not 1\.26\.3\. Install .*, or set GOTOOLCHAIN=auto/,
  );
});

test('a Go from before toolchains is to be replaced, whatever it says of them', () => {
  const why = whyGoWillNotDo('1.19.8', '', '1.26.4')!;
  assert.match(why, /not 1\.19\.8\. Install/);
  assert.doesNotMatch(why, /GOTOOLCHAIN/);
});
