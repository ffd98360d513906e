export type Severity = 'error' | 'warning';

/** One rule that a policy file is held to. */
export interface Rule {
  readonly severity: Severity;
  /** What becomes of the file: it `loads` as written, loads `without` the entry, or is `refused`. */
  readonly effect: 'loads' | 'without' | 'refused';
  /** What it finds, in one line; RULES.md is made from these. */
  readonly finds: string;
}

const error = (effect: Rule['effect'], finds: string): Rule => ({
  severity: 'error',
  effect,
  finds,
});
const warning = (finds: string): Rule => ({ severity: 'warning', effect: 'loads', finds });

/** Every rule there is. The order is that of RULES.md: the file, its shape, its values, its sense. */
export const RULES = {
  'not-found': error('refused', 'A path that does not exist.'),
  unreadable: error('refused', 'A path that cannot be read, or is neither a file nor a directory.'),
  'too-large': error('refused', 'A file over 256 KiB, or a directory with over 1,000 YAML files.'),
  'not-utf8': error('refused', 'Bytes that are not UTF-8.'),
  'empty-file': warning('A file without any content: it has no policies.'),
  'yaml-syntax': error('refused', 'Text that is not YAML.'),
  'tab-indent': error('refused', 'A tab where YAML wants spaces.'),
  'too-deep': error('refused', 'Collections nested more deeply than a policy file can be.'),
  'too-many-aliases': error('refused', 'Over 100 aliases (`*name`) in one file.'),
  'too-many-entries': error('refused', 'Over 1,000 policies of one kind in one file.'),
  'too-many-problems': error('refused', 'Over 100 problems in one file; the rest is not listed.'),
  'second-document': error(
    'loads',
    'A Resiliency after `---`: Dapr reads only the first document of a file, and so do we.',
  ),
  'wrong-kind': error(
    'loads',
    'A file with policies whose `kind` is not Resiliency: it is ignored.',
  ),
  'api-version': warning('An `apiVersion` other than dapr.io/v1alpha1; it is read all the same.'),
  'missing-name': warning('No `metadata.name`: metrics then have no name to carry.'),
  'wrong-type': error('without', 'A value of another type than the field has.'),
  'unknown-key': error('loads', 'A key that neither Dapr nor Holdfast knows; it has no effect.'),
  'key-case': warning('A key in other letter case: Dapr and we accept it, Kubernetes does not.'),
  'yaml-boolean': warning(
    'A word such as `on` or `no` without quotes, which Dapr reads as true or false.',
  ),
  'yaml-octal': warning('A number such as `010`, which Dapr reads as octal: 8.'),
  'duplicate-key': error('loads', 'The same key twice in one mapping; the later one counts.'),
  'bad-duration': error('without', 'A duration that is not one, such as `5 s`, `5sec` or `1d`.'),
  'bare-duration': warning('A duration without a unit, such as `5`; it counts as milliseconds.'),
  'negative-duration': warning('A duration below zero; it counts as zero.'),
  adjusted: warning('A number finer or larger than we can do (1 ms, 24.8 days, 10,000 probes).'),
  'out-of-range': error('without', 'A number outside the range of its field.'),
  'unknown-value': error('without', 'A word that is not among those the field allows.'),
  'bad-status-codes': error('without', 'A list of status codes that Dapr cannot read.'),
  'bad-header': error('without', 'A header of a fallback that no HTTP answer can carry.'),
  'bad-method': error('without', 'A method that is not a path, or not a verb and a path.'),
  'bad-trip': error('without', 'A `trip` that is not valid CEL, or costs too much per failure.'),
  'trip-not-boolean': error('loads', 'A `trip` that is not true or false; it never trips.'),
  'undeclared-variable': error('loads', 'A `trip` naming a variable that does not exist.'),
  'breaker-cannot-trip': error('loads', 'A `trip` that no counts can make true.'),
  'integer-division': warning('A `/` between counts in `trip`: 3 / 4 is 0; use `double(…)`.'),
  'actor-scope': error('without', 'An actor with a circuit breaker and no `circuitBreakerScope`.'),
  'built-in-raised': warning('A built-in retry with `maxRetries` below 3; Dapr raises it to 3.'),
  'built-in-protected': warning('DaprBuiltInActorNotFoundRetries, which cannot be overridden.'),
  'ignored-field': warning(
    'A field without effect beside the others, such as `duration` of exponential.',
  ),
  'unknown-policy': error('loads', 'A target naming a policy that no file defines; it gets none.'),
  redefined: warning('The same policy or target in two files; the one read later counts.'),
  'unused-policy': warning('A policy that no target names and that is no default.'),
  'defaults-off': warning('A target listed without policies: being listed turns the defaults off.'),
  'no-timeout': warning(
    'A target with policies, and among them neither a timeout nor a deadline: a call that hangs, hangs for good.',
  ),
  'endless-retries': warning(
    'Unlimited retries without a circuit breaker or a deadline that could end them.',
  ),
  'no-wait': warning('Retries that follow each other without any wait.'),
  'interval-too-short': warning(
    'A breaker whose `interval` is shorter than the timeout it watches: failures are forgotten before they add up.',
  ),
  'shared-circuit': warning(
    'A component with different breakers inbound and outbound: it has one circuit, set by whichever is used first.',
  ),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
