const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'file exists',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
};

/** A failed system call as Go words it, and with it Dapr: `open /a/b: no such file or directory`. */
export function goFileError(call: string, path: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `${call} ${path}: ${WORDS[code] ?? message}`;
}
