/** A user and group of this machine, by number. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/**
 * PostgreSQL refuses to run as root, rightly. Root runs it as `postgres` where
 * the machine has such a user, else as `nobody`; no user is ever created.
 *
 * @param passwd the text of /etc/passwd
 */
export function unprivilegedAccount(passwd: string): Account {
  const users = new Map(
    passwd.split('\n').map((line) => {
      const [name = '', , uid, gid] = line.split(':');
      return [name, { uid: Number(uid), gid: Number(gid) }];
    }),
  );
  return users.get('postgres') ?? users.get('nobody') ?? NOBODY;
}
