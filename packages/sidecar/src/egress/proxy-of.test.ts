import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proxyOf } from './proxy-of.ts';

describe('the proxy to an address outside', () => {
  test('is that of its scheme, in capitals before small letters, with http:// where no scheme is said', () => {
    const of = proxyOf({
      HTTP_PROXY: 'proxy:3128',
      http_proxy: 'other:1',
      https_proxy: 'https://me:pass@secure:3129',
    });
    assert.deepEqual(
      ['http://a.example/x', 'https://a.example/x'].map((url) => of(new URL(url))?.href),
      ['http://proxy:3128/', 'https://me:pass@secure:3129/'],
    );
  });

  test('is none where the variables name none, and for this machine', () => {
    const named = { HTTP_PROXY: 'http://proxy:1', HTTPS_PROXY: 'http://proxy:1' };
    const ways = [
      proxyOf({})(new URL('http://a.example')),
      proxyOf({ HTTP_PROXY: 'http://proxy:1' })(new URL('https://a.example')),
      ...['localhost', '127.0.0.1', '127.1.2.3', '[::1]'].map((host) =>
        proxyOf(named)(new URL(`http://${host}:8080/x`)),
      ),
    ];
    assert.deepEqual(
      ways,
      ways.map(() => undefined),
    );
  });

  test('is passed over for what NO_PROXY names', () => {
    const NO_PROXY =
      ' corp.example, .below.example,*.star.example,10.0.0.0/8,192.168.1.7,only.example:8443,[fd00::1]:80,fd01::/16';
    const of = proxyOf({ HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://p:1', NO_PROXY });
    const direct = (url: string) => of(new URL(url)) === undefined;
    const urls: readonly (readonly [string, boolean])[] = [
      ['http://corp.example', true],
      ['http://a.corp.example:81', true],
      ['http://notcorp.example', false],
      ['http://a.below.example', true],
      ['http://below.example', false],
      ['http://a.star.example', true],
      ['http://star.example', false],
      ['http://10.1.2.3', true],
      ['http://11.1.2.3', false],
      ['http://192.168.1.7:90', true],
      ['https://only.example:8443', true],
      ['https://only.example', false],
      ['http://[fd00::1]', true],
      ['http://[fd00::1]:81', false],
      ['http://[fd01::5]', true],
    ];
    for (const [url, wanted] of urls) assert.equal(direct(url), wanted, url);
    assert.equal(proxyOf({ HTTP_PROXY: 'p:1', no_proxy: '*' })(new URL('http://a')), undefined);
  });

  test('that is none is refused by its variable, without what it says', () => {
    for (const HTTPS_PROXY of ['socks5://me:pass@p:1', 'http://me:pass@', 'http://p:port']) {
      assert.throws(() => proxyOf({ HTTPS_PROXY })(new URL('https://a.example')), {
        message:
          'invalid proxy address in HTTPS_PROXY: it must be http://HOST:PORT or https://HOST:PORT',
      });
    }
  });
});
