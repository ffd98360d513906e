/**
 * Policies by target. All of these targets are the one app `callee`: both
 * sidecars look policies up by the id as it was written, and their sqlite name
 * resolution does not tell namespaces apart.
 */
export const RESILIENCY = (appPort: number): string => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: conformance }
spec:
  policies:
    timeouts: { quick: 1s }
    retries:
      thrice: { policy: constant, duration: 20ms, maxRetries: 2 }
      some: { policy: constant, duration: 20ms, maxRetries: 2, matching: { httpStatusCodes: "500-599" } }
    circuitBreakers:
      three: { maxRequests: 1, timeout: 4s, trip: "consecutiveFailures >= 3" }
      ratio: { maxRequests: 1, timeout: 60s, trip: "requests >= 4 && totalFailures * 2 >= requests" }
  targets:
    apps:
      callee.timed: { timeout: quick }
      callee.retried: { retry: thrice }
      callee.matched: { retry: some }
      callee.broken: { circuitBreaker: three }
      callee.ratio: { circuitBreaker: ratio }
      callee.both: { retry: thrice, circuitBreaker: three }
      callee.all: { timeout: quick, retry: thrice, circuitBreaker: three }
      callee.empty: {}
      dead: {}
      down.retried: { retry: thrice }
      caller: { circuitBreaker: three }
      fragile: { circuitBreaker: three }
      "http://127.0.0.1:${appPort}/by-url": { retry: thrice, circuitBreaker: three }
`;

export const HTTP_ENDPOINT = (appPort: number): string => `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: outside }
spec:
  baseUrl: http://127.0.0.1:${appPort}/base
  headers: [{ name: X-Endpoint, value: yes-it-is }]
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: fragile }
spec: { baseUrl: "http://127.0.0.1:${appPort}/fragile" }
`;

export const configuration = (names: string, tracing = 'samplingRate: "1"'): string => `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: conformance }
spec:
  nameResolution: { component: sqlite, version: v1, configuration: { connectionString: "${names}" } }
  tracing: { ${tracing} }
`;
