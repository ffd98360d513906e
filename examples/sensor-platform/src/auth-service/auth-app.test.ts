import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, until } from '@holdfast/test-servers';
import type { FastifyInstance } from 'fastify';
import { type Database, openDatabase } from '../service/database.ts';
import { type DatabaseServer, databaseServer } from '../testing/database-server.ts';
import { authApp } from './auth-app.ts';
import { loadSigningKey } from './signing-key.ts';
import { seedUsers } from './users.ts';

let server: DatabaseServer;
let database: Database;
let app: FastifyInstance;

before(async () => {
  server = await databaseServer();
  database = openDatabase(server);
  await eventually(
    () => seedUsers(database),
    () => true,
    'the users are there',
  );
  app = authApp(database, await loadSigningKey(join(server.folder, 'auth', 'key.json')));
});
after(async () => {
  await app.close();
  await database.close();
  await server.remove();
});

const login = (username: string, password: string) =>
  app.inject({
    method: 'POST',
    url: '/auth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ username, password }).toString(),
  });

test('the right password gets a token that the service itself knows again', async () => {
  const answer = await login('admin', 'admin123');
  const { access_token, ...rest } = answer.json();
  const verified = await app.inject({
    method: 'POST',
    url: '/verify',
    payload: { token: access_token },
  });

  assert.deepEqual(
    { status: answer.statusCode, rest, verified: verified.json() },
    {
      status: 200,
      rest: { token_type: 'bearer', expires_in: 3600 },
      verified: { active: true, subject: 'admin' },
    },
  );
});

test('JSON is as good as a form', async () => {
  const payload = { username: 'admin', password: 'admin123' };

  assert.equal((await app.inject({ method: 'POST', url: '/auth/token', payload })).statusCode, 200);
});

test('a wrong password and an unknown user get the same answer', async () => {
  const answers = await Promise.all([login('admin', 'admin124'), login('nobody', 'admin123')]);

  assert.deepEqual(
    answers.map(({ statusCode, body }) => `${statusCode} ${body}`),
    Array(2).fill('401 {"error":"Wrong username or password"}'),
  );
});

test('what is no login is told what a login needs', async () => {
  const payloads = [{}, { username: 'admin' }, { username: ['admin'], password: {} }];
  const answers = await Promise.all(
    payloads.map((payload) => app.inject({ method: 'POST', url: '/auth/token', payload })),
  );

  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [400, 400, 400],
  );
});

test('the keys it serves are public ones', async () => {
  const { keys } = (await app.inject('/.well-known/jwks.json')).json();

  assert.deepEqual(Object.keys(keys[0]).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

test('a key made once is found again, so tokens outlive the process', async () => {
  const file = join(server.folder, 'again', 'key.json');

  assert.equal((await loadSigningKey(file)).id, (await loadSigningKey(file)).id);
});

test('without its database it says so, opens its circuit after three failures, lives, and recovers', async () => {
  await server.kill();
  const down = await eventually(
    () => login('admin', 'admin123'),
    ({ statusCode }) => statusCode === 503,
    'the database is missed',
  );
  for (let more = 0; more < 2; more += 1) await login('admin', 'admin123');
  const circuit = database.circuit()?.state;
  await server.start();
  await until('it is back', async () => (await login('admin', 'admin123')).statusCode === 200);

  assert.deepEqual(
    { body: down.json(), circuit },
    { body: { error: 'Database unavailable' }, circuit: 'open' },
  );
});
