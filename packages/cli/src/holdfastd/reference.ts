import { flagTable } from '../flags/flag-help.ts';
import { HOLDFASTD_FLAGS } from '../flags/holdfastd-flags.ts';

/** `docs/reference/holdfastd.md`, made from the table of flags. */
export function holdfastdReference(): string {
  return `<!-- Made from packages/cli/src/flags/holdfastd-flags.ts by packages/cli/src/holdfastd/write-reference-main.ts; do not edit. -->
# holdfastd

The sidecar of one app, with daprd's flags. One dash or two, \`--flag=value\` or \`--flag value\`; a boolean
without a value is true. Flags of daprd that have no effect here are accepted, and the log says why.

${flagTable(HOLDFASTD_FLAGS)}

Sizes are quantities (\`4Mi\`, \`500k\`, \`4194304\`; below 0 is no limit), durations Go's (\`1m30s\`, \`200ms\`).

| variable | meaning |
|---|---|
| \`DAPR_API_TOKEN\` | callers of the API must send it as \`dapr-api-token\` |
| \`APP_API_TOKEN\` | sent to the app as \`dapr-api-token\` |
| \`NAMESPACE\` | the namespace of the app; without it \`default\` to other sidecars and in certificates, and none in metrics, prefixes of keys and the choice of resources; with it resources of another \`metadata.namespace\` are left out |
| \`DAPR_HOST_IP\` | the address other sidecars find this one under; \`127.0.0.1\` without it |
| \`DAPR_HTTP_DISABLE_H2C\` | \`true\`: no HTTP/2 on the HTTP API's port, HTTP/1.1 alone |
| \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` | as for Go and curl: through which proxies (\`http://\`, \`https://\`, with \`NAME:PASSWORD@\` where it asks) addresses outside are asked, those of \`HTTPEndpoint\`, of invoked URLs, of \`bindings.http\`, \`middleware.http.bearer\` and \`schemaRegistryURL\`; never this machine, applications or other sidecars |
| \`OTEL_EXPORTER_OTLP_[TRACES_]…\` | \`ENDPOINT\` (with \`PROTOCOL\` and \`INSECURE\`), \`HEADERS\`, \`TIMEOUT\`: where a Configuration's \`spec.tracing.otel\` leaves them open |
| \`HOLDFAST_FRAME_DUMP\` | for debugging: a file to which each frame between sidecars is appended as a line, to follow with \`tail -f\`; it ends at 256 MiB |

A line of that file has time, peer, direction (\`>\` sent, \`<\` received), kind, call, length, and the head or the first 64 bytes of
the body. Values of headers and queries that are secrets by their name are masked; bodies are not: treat the file as what it holds.

\`\`\`
2026-08-01T09:00:00.120Z to 127.0.0.1:40213 > HEAD last stream=4096 length=214 POST /charge | content-type: application/json | authorization: *** | "{\\"sum\\":7}"
2026-08-01T09:00:00.124Z to 127.0.0.1:40213 < HEAD last stream=4096 length=58 201 | content-type: text/plain | "done"
\`\`\`

| signal | effect |
|---|---|
| SIGTERM, SIGINT | it serves on for \`--dapr-block-shutdown-duration\`, where that is given; then calls under way may end within \`--dapr-graceful-shutdown-seconds\`; a second signal ends it at once |
| SIGHUP | resources are read again; a broken file changes nothing |

| status | meaning |
|---|---|
| 0 | it was asked to end, and nothing was cut off |
| 1 | it could not run, or ended by force or at the end of its grace with calls still under way; the last lines say why |
| 2 | a flag was not understood |
`;
}
