import type { OddCase } from './odd-apps.ts';

const OWN = [
  'X-One: client',
  'X-Two: client',
  'Content-Type: a/b',
  'Authorization: Bearer mine',
  'Cookie: c=1',
  'User-Agent: me',
];

/** What an address outside is told of who calls: by its file, by its URL, by the client. */
export const endpointHeaders: readonly OddCase[] = [
  {
    name: 'endpoint: its headers stand in place of the client’s, and of two the last counts',
    send: { method: 'POST', path: '/v1.0/invoke/named/method/x', headers: OWN, body: 'hi' },
    expect: {
      status: 200,
      app: {
        url: '/base/x',
        body: 'hi',
        headers: {
          'x-one': 'b',
          'x-two': 'client',
          'content-type': 'x/y',
          authorization: 'Bearer ours',
          cookie: 'd=2',
          'user-agent': 'us',
        },
      },
    },
  },
  {
    name: 'endpoint: headers that frame a message have no effect',
    send: { method: 'POST', path: '/v1.0/invoke/framed/method/x', body: 'hello' },
    expect: { status: 200, app: { body: 'hello', headers: { host: /^127\.0\.0\.1:\d+$/ } } },
  },
  {
    name: 'endpoint: where it names none, the client’s own pass',
    send: { path: '/v1.0/invoke/bare/method/x', headers: OWN },
    expect: {
      status: 200,
      app: { headers: { authorization: 'Bearer mine', 'x-one': 'client', cookie: 'c=1' } },
    },
  },
  {
    name: 'endpoint: a name and a password in its URL are shown',
    send: { path: '/v1.0/invoke/known/method/x' },
    expect: { status: 200, app: { url: '/base/x', headers: { authorization: basic('us:pw') } } },
  },
  ...[
    ['us%40er:p%3Aw', 'us@er:p:w'],
    ['user', 'user:'],
    [':pw', ':pw'],
  ].map(
    ([written, shown]): OddCase => ({
      name: `URL: ${written} before its host is shown`,
      ...byUrl(written!, []),
      expect: { status: 200, app: { headers: { authorization: basic(shown!) } } },
    }),
  ),
  {
    name: 'URL: what the client says itself counts before what is in it',
    ...byUrl('user:pw', ['Authorization: Bearer mine']),
    expect: { status: 200, app: { headers: { authorization: 'Bearer mine' } } },
  },
];

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/** `$APP` is the application's port. */
function byUrl(user: string, headers: readonly string[]) {
  return { send: { path: `/v1.0/invoke/http://${user}@127.0.0.1:$APP/method/x`, headers } };
}
