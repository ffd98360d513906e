import { spawnSync } from 'node:child_process';

/** What is said of a machine without a Go that can compile the suite. */
class GoMissingError extends Error {}

const REMEDY = (oldest: string) =>
  `Install Go ${oldest} or later from https://go.dev/dl/ and have \`go\` first on the path`;

/**
 * What is wrong with the Go that answers these, or nothing.
 *
 * `toolchain` is what `go env GOTOOLCHAIN` says: a Go from 1.21 on that may fetch a later one does so by itself.
 */
export function whyGoWillNotDo(
  version: string,
  toolchain: string,
  oldest: string,
): string | undefined {
  if (!older(version, oldest)) return undefined;
  const fetches = !older(version, '1.21') && toolchain !== 'local' && toolchain !== '';
  if (fetches) return undefined;
  const alone = older(version, '1.21') ? '' : ', or set GOTOOLCHAIN=auto so that it fetches one';
  return `The suite needs Go ${oldest} or later, not ${version}. ${REMEDY(oldest)}${alone}.`;
}

/** @throws GoMissingError that says what to install. */
export function checkGo(oldest: string): void {
  const asked = spawnSync('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { encoding: 'utf8' });
  if (asked.error !== undefined || asked.status !== 0) {
    const said = asked.stderr?.trim() || asked.error?.message || `it ended with ${asked.status}`;
    throw new GoMissingError(
      `The suite needs Go, and \`go env\` does not work: ${said}. ${REMEDY(oldest)}.`,
    );
  }
  const [version = '', toolchain = ''] = asked.stdout.split('\n');
  const why = whyGoWillNotDo(version.replace(/^go/, ''), toolchain, oldest);
  if (why !== undefined) throw new GoMissingError(why);
}

/** Whether one version (`1.26.4`, `1.27rc1`) comes before another; what is no number counts as late. */
function older(version: string, than: string): boolean {
  const [a, b] = [numbers(version), numbers(than)];
  for (let at = 0; at < 3; at += 1) {
    const [one, other] = [a[at] ?? 0, b[at] ?? 0];
    if (one !== other) return one < other;
  }
  return false;
}

function numbers(version: string): readonly number[] {
  const found = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version);
  // A Go built by hand calls itself `devel …`.
  if (found === null) return [Number.POSITIVE_INFINITY];
  return found.slice(1).map((one) => Number(one ?? 0));
}
