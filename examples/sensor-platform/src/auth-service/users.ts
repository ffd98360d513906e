import type { Database } from '../service/database.ts';
import { hashPassword } from './passwords.ts';

/** Makes the table and its one user, admin with password admin123. */
export async function seedUsers(database: Database): Promise<void> {
  // Two services that start together may both find no table; the lock lets one go first.
  await database.query(`
    CREATE TABLE IF NOT EXISTS users (
      username text PRIMARY KEY,
      password_hash text NOT NULL
    )`);
  const known = await database.query('SELECT 1 FROM users WHERE username = $1', ['admin']);
  if (known.length > 0) return;
  await database.query(
    'INSERT INTO users (username, password_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    ['admin', await hashPassword('admin123')],
  );
}

/** The stored hash of a user's password; undefined when there is no such user. */
export async function passwordHash(
  database: Database,
  username: string,
): Promise<string | undefined> {
  const [user] = await database.query<{ password_hash: string }>(
    'SELECT password_hash FROM users WHERE username = $1',
    [username],
  );
  return user?.password_hash;
}
