/**
 * What each file of fixtures/bad is answered with, to the letter: what the file
 * says of itself first, then what shows when it is put together.
 */
export const BAD_INPUT: Readonly<Record<string, readonly string[]>> = {
  actors: [
    'actors.yaml:11:7 error actor-scope: actors.NoScope.circuitBreakerScope is missing, and a circuitBreaker needs it: type or id.',
    'actors.yaml:12:63 error unknown-value: actors.BadScope.circuitBreakerScope is "types", and can be type or id or both; did you mean `type`?',
    'actors.yaml:13:36 warning ignored-field: actors.Idle.circuitBreakerScope has no effect without a circuitBreaker.',
    'actors.yaml:14:7 warning no-timeout: actors.Fine has no timeout: a call that hangs is never given up.',
  ],
  aliases: ['aliases.yaml:109:25 error too-many-aliases: has over 100 aliases, the limit.'],
  'bad-duration': [
    'bad-duration.yaml:8:14 error bad-duration: timeouts.space is "5 s", which has the unit " s", which is not one; did you mean `5s`?',
    'bad-duration.yaml:9:12 error bad-duration: timeouts.day is "1d", which has the unit "d", which is not one; did you mean `24h`?',
    'bad-duration.yaml:10:14 error bad-duration: timeouts.words is "soon", which has a unit without a number; write 500ms, 5s or 1m30s.',
    'bad-duration.yaml:11:14 error bad-duration: timeouts.empty is "", which is empty; write 500ms, 5s or 1m30s.',
    'bad-duration.yaml:12:15 error bad-duration: timeouts.number is "1.5", which has a number without a unit; did you mean `1.5s`?',
    'bad-duration.yaml:13:13 error wrong-type: timeouts.list is a list, and must be a duration such as 5s.',
    'bad-duration.yaml:16:19 error bad-duration: retries.DefaultRetryPolicy.duration is "5sec", which has the unit "sec", which is not one; did you mean `5s`?',
    'bad-duration.yaml:19:18 error bad-duration: circuitBreakers.DefaultCircuitBreakerPolicy.timeout is "10000000000s", which is longer than 292 years; write 500ms, 5s or 1m30s.',
  ],
  'bad-trip': [
    'bad-trip.yaml:8:33 error bad-trip: circuitBreakers.syntax.trip is not valid CEL: Unexpected token: EOF.',
    'bad-trip.yaml:9:23 error bad-trip: circuitBreakers.types.trip is not valid CEL: no such overload: string > int.',
    "bad-trip.yaml:10:25 error bad-trip: circuitBreakers.function.trip is not valid CEL: found no matching overload for 'nofn(int)'.",
    'bad-trip.yaml:11:37 error bad-trip: circuitBreakers.loops.trip calls all(), too costly for every failure.',
    'bad-trip.yaml:12:23 error bad-trip: circuitBreakers.regex.trip calls matches(), too costly for every failure.',
  ],
  'built-in': [
    'built-in.yaml:8:7 warning built-in-raised: retries.DaprBuiltInServiceRetries is built in, and its maxRetries (1) becomes 3.',
    'built-in.yaml:9:7 warning built-in-raised: retries.DaprBuiltInActorRetries is built in, and its maxRetries (unlimited) becomes 3.',
    'built-in.yaml:11:7 warning built-in-protected: retries.DaprBuiltInActorNotFoundRetries is protected; what is written here has no effect.',
  ],
  'duplicate-key': [
    'duplicate-key.yaml:10:7 error duplicate-key: policies.timeouts has the key "DefaultTimeoutPolicy" in line 8 already; this one counts.',
  ],
  empty: ['empty.yaml:1:1 warning empty-file: is empty.'],
  'key-case': [
    'key-case.yaml:9:9 warning key-case: retries.DefaultRetryPolicy spells "maxretries" in other letter case; did you mean `maxRetries`?',
    'key-case.yaml:11:11 warning key-case: retries.DefaultRetryPolicy.matching spells "grpcStatusCodes" in other letter case; did you mean `gRPCStatusCodes`?',
  ],
  'lax-trip': [
    'lax-trip.yaml:8:44 error undeclared-variable: circuitBreakers.DefaultCircuitBreakerPolicy.trip names "consecutiveFailure", which is not one of requests, totalSuccesses, totalFailures, consecutiveSuccesses, consecutiveFailures; did you mean `consecutiveFailures`?',
    'lax-trip.yaml:9:47 error trip-not-boolean: circuitBreakers.DefaultAppCircuitBreakerPolicy.trip is of type int, not bool, so it never trips.',
    'lax-trip.yaml:10:49 error breaker-cannot-trip: circuitBreakers.DefaultActorCircuitBreakerPolicy.trip is false for all counts there can be, so this breaker never opens.',
    'lax-trip.yaml:11:53 warning integer-division: circuitBreakers.DefaultComponentCircuitBreakerPolicy.trip divides whole numbers, which drops the fraction: write double(a) / double(b).',
    'lax-trip.yaml:12:67 warning adjusted: circuitBreakers.DefaultComponentInboundCircuitBreakerPolicy.maxRequests is 4294967295, and counts as 10000.',
  ],
  'no-anchor': [
    'no-anchor.yaml:7:15 error yaml-syntax: alias *shared stands for no anchor before it.',
  ],
  'no-kind': [
    'no-kind.yaml:1:1 error wrong-kind: has policies and no kind, so it is ignored; did you mean `kind: Resiliency`?',
  ],
  'no-name': [
    'no-name.yaml:1:1 warning missing-name: has no metadata.name.',
    'no-name.yaml:2:13 warning api-version: apiVersion is "dapr.io/v1"; did you mean `dapr.io/v1alpha1`?',
    'no-name.yaml:3:9 error wrong-type: scopes must be a list of app ids.',
  ],
  'odd-duration': [
    'odd-duration.yaml:8:29 warning adjusted: timeouts.DefaultTimeoutPolicy is 1000h; the longest a timer waits is 24.8 days, so it waits that.',
    'odd-duration.yaml:9:32 warning adjusted: timeouts.DefaultAppTimeoutPolicy is 1500us; timers count whole milliseconds, so it is 2 ms.',
    'odd-duration.yaml:10:34 warning negative-duration: timeouts.DefaultActorTimeoutPolicy is -5s; it counts as 0.',
    'odd-duration.yaml:11:38 warning bare-duration: timeouts.DefaultComponentTimeoutPolicy is 250 without a unit, so it is 250 ms; write 250ms if that is meant.',
  ],
  'out-of-range': [
    'out-of-range.yaml:8:29 error out-of-range: circuitBreakers.cbApi.maxRequests is -1, and can be 0 to 4294967295.',
    'out-of-range.yaml:10:29 error out-of-range: bulkheads.few.maxConcurrent is 0, and can be 1 to 1000000.',
    'out-of-range.yaml:11:7 error out-of-range: bulkheads.none.maxConcurrent is missing, and must be 1 to 1000000.',
    'out-of-range.yaml:14:46 error out-of-range: apps.target-app.circuitBreakerCacheSize is -1, and can be 0 to 1000000.',
  ],
  'own-keys': [
    'own-keys.yaml:9:48 error out-of-range: retries.again.budget.ratio is 11, and can be 0 to 10.',
    'own-keys.yaml:11:7 error out-of-range: rateLimits.none.limit is missing, and must be 1 to 1000000.',
    'own-keys.yaml:12:35 error out-of-range: rateLimits.slow.interval is 172800000 ms, and can be 1 to 86400000 ms.',
    'own-keys.yaml:14:38 warning ignored-field: hedges.both.quantile has no effect beside delay.',
    'own-keys.yaml:15:26 error out-of-range: hedges.early.quantile is 0.2, and can be 0.5 to 0.999.',
    'own-keys.yaml:17:25 error out-of-range: caches.tiny.maxBytes is 10, and can be 1024 to 2147483647.',
    'own-keys.yaml:19:28 error bad-header: fallbacks.framed.headers.Content-Length is for the sidecar to say.',
    'own-keys.yaml:20:27 error bad-header: fallbacks.named.headers.bad name is no header name.',
    'own-keys.yaml:21:33 error bad-status-codes: fallbacks.codes.httpStatusCodes cannot be read: 700 is no HTTP status, which is 100 to 599.',
    'own-keys.yaml:28:11 error bad-method: apps.target-app.methods."GET POST /x" has more than a verb and a path; write GET /path or /path.',
    'own-keys.yaml:29:11 error bad-method: apps.target-app.methods."/orders/**/lines" has ** elsewhere than at its end; write GET /path or /path.',
    'own-keys.yaml:30:70 error unknown-policy: apps.target-app.methods."GET /orders/*".fallback names "emptyList", and policies.fallbacks has no such entry.',
  ],
  'retry-words': [
    'retry-words.yaml:8:25 error unknown-value: retries.linear.policy is "lineer", and can be constant or exponential.',
    'retry-words.yaml:9:29 error unknown-value: retries.exponental.policy is "exponental", and can be constant or exponential; did you mean `exponential`?',
    'retry-words.yaml:10:25 error unknown-value: retries.jitter.jitter is "1.5", and can be none, full, equal or 0 to 1.',
    'retry-words.yaml:11:60 warning ignored-field: retries.DefaultRetryPolicy.maxInterval has no effect on constant.',
    'retry-words.yaml:12:63 warning ignored-field: retries.DefaultAppRetryPolicy.duration has no effect on exponential.',
    'retry-words.yaml:13:7 warning no-wait: retries.DefaultActorRetryPolicy retries without waiting.',
  ],
  'second-behind-component': [
    'second-behind-component.yaml:6:1 error second-document: is a second document, and only the first of a file is read: give it its own file.',
  ],
  'second-document': [
    'second-document.yaml:10:1 error second-document: is a second document, and only the first of a file is read: give it its own file.',
  ],
  'status-codes': [
    'status-codes.yaml:8:45 error bad-status-codes: retries.space.matching.httpStatusCodes cannot be read: " 503" has a space, which Dapr does not skip; did you mean `500,503`?',
    'status-codes.yaml:9:46 error bad-status-codes: retries.dashes.matching.httpStatusCodes cannot be read: "500-502-503" has more than one dash.',
    'status-codes.yaml:10:49 error bad-status-codes: retries.backwards.matching.httpStatusCodes cannot be read: "599-500" ends before it begins.',
    'status-codes.yaml:11:45 error bad-status-codes: retries.range.matching.httpStatusCodes cannot be read: 99 is no HTTP status, which is 100 to 599.',
    'status-codes.yaml:12:44 error bad-status-codes: retries.grpc.matching.gRPCStatusCodes cannot be read: 17 is no gRPC status, which is 0 to 16.',
    'status-codes.yaml:13:44 error bad-status-codes: retries.word.matching.gRPCStatusCodes cannot be read: "UNAVAILABLE" is not a code or first-last.',
  ],
  syntax: [
    'syntax.yaml:8:5 error yaml-syntax: Flow map in block collection must be sufficiently indented and end with a }.',
  ],
  tab: ['tab.yaml:8:1 error tab-indent: has a tab where YAML wants spaces.'],
  'unknown-key': [
    'unknown-key.yaml:10:9 error unknown-key: retries.retryApi has no key "maxRetrys"; it has no effect; did you mean `maxRetries`?',
    'unknown-key.yaml:11:9 error unknown-key: retries.retryApi has no key "backoff"; it has no effect.',
    'unknown-key.yaml:12:3 error unknown-key: spec has no key "target"; it has no effect; did you mean `targets`?',
    'unknown-key.yaml:8:7 warning unused-policy: retries.retryApi is used by no target.',
  ],
  'unknown-policy': [
    'unknown-policy.yaml:27:20 error unknown-policy: components.statestore.outbound.timeout names "nothingLikeIt", and policies.timeouts has no such entry.',
    'unknown-policy.yaml:18:16 error unknown-policy: apps.target-app.retry names "retryAp", and policies.retries has no such entry; did you mean `retryApi`?',
    'unknown-policy.yaml:19:25 error unknown-policy: apps.target-app.circuitBreaker names "cbapi", and policies.circuitBreakers has no such entry; did you mean `cbApi`?',
  ],
  unwise: [
    'unwise.yaml:10:7 warning unused-policy: timeouts.unused is used by no target.',
    'unwise.yaml:14:7 warning unused-policy: retries.DefaultRetrysPolicy is used by no target; did you mean `DefaultRetryPolicy`?',
    'unwise.yaml:20:7 warning no-timeout: apps.endless-app has no timeout: a call that hangs is never given up.',
    'unwise.yaml:20:29 warning endless-retries: apps.endless-app retries without end: retries.endless has no maxRetries, and there is no circuit breaker.',
    'unwise.yaml:21:51 warning endless-retries: apps.exponential-app retries for 15 minutes: retries.endlessExponential has no maxRetries, and there is no circuit breaker.',
    'unwise.yaml:22:54 warning interval-too-short: apps.short-app forgets failures every 8000 ms (circuitBreakers.cbShort.interval) and an attempt may take 10000 ms.',
    'unwise.yaml:27:55 warning interval-too-short: components.store.outbound forgets failures every 8000 ms (circuitBreakers.cbShort.interval) and an attempt may take 10000 ms.',
    'unwise.yaml:23:7 warning defaults-off: apps.bare-app is listed without policies, which turns the default policies off for it.',
    'unwise.yaml:26:54 warning shared-circuit: components.store names cbOther inbound and cbShort outbound, and has one circuit for both.',
  ],
  'wrong-kind': [
    'wrong-kind.yaml:2:7 error wrong-kind: has policies and the kind "Resilience", so it is ignored; did you mean `Resiliency`?',
  ],
  'wrong-type': [
    'wrong-type.yaml:9:21 error wrong-type: retries.retryApi.maxRetries is the text "3", and must be a whole number.',
    'wrong-type.yaml:10:19 error wrong-type: retries.retryOther is the text "constant", and must be a mapping.',
    'wrong-type.yaml:11:22 error wrong-type: policies.circuitBreakers is a list, and must be a mapping.',
  ],
  'yaml-boolean': [
    'yaml-boolean.yaml:8:7 warning yaml-boolean: on without quotes is true to Dapr, and so to us; did you mean `"on"`?',
    'yaml-boolean.yaml:11:7 warning yaml-boolean: n without quotes is false to Dapr, and so to us; did you mean `"n"`?',
    'yaml-boolean.yaml:12:18 warning yaml-boolean: on without quotes is true to Dapr, and so to us; did you mean `"on"`?',
  ],
};
