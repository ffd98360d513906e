import { bulkhead, isPolicyError, pipeline } from '@holdfast/core';
import type { FastifyInstance } from 'fastify';
import { createLocalJWKSet, SignJWT } from 'jose';
import type { Database } from '../service/database.ts';
import { acceptForms, service } from '../service/serve.ts';
import { AUDIENCE, ISSUER, verifyToken } from '../service/tokens.ts';
import { checkPassword } from './passwords.ts';
import type { SigningKey } from './signing-key.ts';
import { passwordHash } from './users.ts';

const TOKEN_SECONDS = 3_600;

/** Logs users in, and says whose a token is. Its database may fail: then it answers 503 and lives. */
export function authApp(database: Database, key: SigningKey): FastifyInstance {
  const app = service({
    name: 'auth-service',
    needs: { database: () => database.ping() },
    bodyBytes: 16_384,
  });
  acceptForms(app);
  const keys = createLocalJWKSet({ keys: [key.publicJwk] });

  // A password costs 150 ms of a core on purpose. Unlimited, a flood of logins would stop everything else.
  const logins = pipeline('logins', [
    bulkhead({ limit: 2, queueLimit: 100, queueTimeoutMs: 5_000 }),
  ]);

  app.post<{ Body: { username?: unknown; password?: unknown } | undefined }>(
    '/auth/token',
    async (request, reply) => {
      const { username, password } = request.body ?? {};
      if (typeof username !== 'string' || typeof password !== 'string') {
        return reply.code(400).send({ error: 'username and password are required' });
      }
      const hash = await passwordHash(database, username);
      const right = await logins.execute(() => checkPassword(password, hash)).catch(busy);
      if (right === 'busy') return reply.code(503).send({ error: 'Too many logins at once' });
      if (!right) return reply.code(401).send({ error: 'Wrong username or password' });

      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA', kid: key.id })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(username)
        .setIssuedAt()
        .setExpirationTime(`${TOKEN_SECONDS}s`)
        .sign(key.privateKey);
      return { access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS };
    },
  );

  // The answer is 200 for a bad token too: "it is nobody's" is a good answer of a healthy service.
  app.post<{ Body: { token?: unknown } | undefined }>('/verify', async (request, reply) => {
    const token = request.body?.token;
    if (typeof token !== 'string') return reply.code(400).send({ error: 'token is required' });
    return verifyToken(token, keys);
  });

  app.get('/.well-known/jwks.json', () => ({ keys: [key.publicJwk] }));
  return app;
}

function busy(error: unknown): 'busy' {
  if (isPolicyError(error)) return 'busy';
  throw error;
}
