/** Cases that fail with our sidecar, and why: on purpose (P), or not yet (N). */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'daprd/binding/output/memory':
    'N: after 300 bodies of 3 MiB some 60 MB stay with the allocator, where the case allows 50',
  'daprd/hotreload/selfhosted/binding/closing':
    'P: an emptied file changes nothing, for editors leave one so for a moment',
  'daprd/hotreload/selfhosted/subscriptions/closing': 'P: as binding/closing',
  'daprd/hotreload/selfhosted/configuration':
    'N: a Configuration among the resources is not read, only those of --config',
  'daprd/hotreload/selfhosted/ignoreerrors':
    'P: a changed component that cannot be used leaves what there was; daprd ends',
  'daprd/hotreload/selfhosted/namespace/set': 'P: as ignoreerrors, of a component of one name',
  'daprd/hotreload/selfhosted/namespace/unset': 'P: as ignoreerrors, of a component of one name',
  'daprd/hotreload/selfhosted/middleware/http/app/uppercase':
    'P: middleware that goes while the pipeline names it stays: requests would pass that it is to look at',
  'daprd/hotreload/selfhosted/middleware/http/server/uppercase': 'P: as the app’s',
  'daprd/hotreload/sighup/reload':
    'N: of a changed Configuration spec.metrics waits for the next start; daprd begins anew at SIGHUP',
  'daprd/hotreload/sighup/tracing':
    'N: spec.tracing likewise; the case looks for the names of Go’s samplers in the log',
  'daprd/httpserver/httpServer': 'N: no HTTP/2 in clear text on the HTTP port',
  'daprd/pubsub/grpc/traceparent/basic':
    'P: who publishes without a trace begins one; daprd hands on one of zeros, which is none',
  'daprd/pubsub/grpc/traceparent/raw': 'P: as basic',
  'daprd/pubsub/http/traceparent/basic': 'P: as basic',
  'daprd/pubsub/http/errorcodes':
    'N: as hotreload/selfhosted/configuration, which it has for its outbox',
  'daprd/resiliency/apps/defaultcircuitbreaker':
    'P: `cb_state` says closed once the probe has succeeded; daprd’s says half-open until the next call',
  'daprd/serviceinvocation/grpc/reservedchars/pathcorrectness':
    'N: escapes in the name of a method do not reach an application over gRPC as they were',
  'daprd/serviceinvocation/http/contentlength':
    'P: an answer whose length is not what it says stays broken',
  'daprd/serviceinvocation/http/hopbyhop':
    'N: calls to an HTTPEndpoint carry `connection: keep-alive`',
  'daprd/serviceinvocation/http/reservedchars/pathcorrectness':
    'P: `%25` reaches the application; daprd answers 500 since Go cannot parse what it made of it',
  'daprd/serviceinvocation/http/ssepanic':
    'P: the application’s 404 is passed on; daprd says 500 of an answer without a body',
  'daprd/shutdown/block/app/binding/inflight':
    'N: what a pluggable component has in hand when the sidecar stops; not looked at yet',
  'daprd/shutdown/block/app/pubsub/inflight': 'N: as binding/inflight',
  'daprd/shutdown/block/app/pubsub/nonack': 'N: as binding/inflight',
  'daprd/shutdown/graceful/binding/declarative/grpc': 'N: as binding/inflight',
  'daprd/shutdown/graceful/binding/declarative/http': 'N: as binding/inflight',
  'daprd/shutdown/graceful/binding/programmatic/grpc': 'N: as binding/inflight',
  'daprd/shutdown/graceful/subscription/programmatic/nonPausable': 'N: as binding/inflight',
  'daprd/shutdown/graceful/subscription/programmatic/pausable': 'N: as binding/inflight',
  'daprd/shutdown/graceful/subscription/streaming': 'N: as binding/inflight',
  'daprd/state/http/encryption':
    'P: what is saved comes back as the JSON that it was, encrypted or not; daprd loses the quotes of a text',
  'daprd/state/http/memory/getbulk': 'N: as binding/output/memory',
  'daprd/state/http/memory/transaction': 'N: as binding/output/memory',
  'daprd/subscriptions/declarative/selfhosted/v1alpha1/basic/grpc':
    'P: data of a type that Dapr does not know reach the application as they are; daprd’s are empty',
  'daprd/subscriptions/declarative/selfhosted/v2alpha1/basic/grpc': 'P: as v1alpha1',
  'daprd/subscriptions/programmatic/grpc/basic': 'P: as declarative',
};
