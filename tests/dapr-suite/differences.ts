/** Cases that fail with our sidecar, and why: on purpose (P), or not yet (N). */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'daprd/hotreload/selfhosted/ignoreerrors':
    'P: a changed component that cannot be used, and does not say ignoreErrors, leaves what there was in place, so that a slip of the pen in a file ends no calls; daprd ends',
  'daprd/hotreload/selfhosted/namespace/set':
    'P: two components of one name change nothing until that is corrected, and keep it from starting; daprd ends',
  'daprd/hotreload/selfhosted/namespace/unset': 'P: as namespace/set',
  'daprd/resiliency/apps/defaultcircuitbreaker':
    'P: `cb_state` says closed once the probe has succeeded; daprd’s says half-open until the next call',
  'daprd/serviceinvocation/http/contentlength':
    'P: an answer whose length is not what it says stays broken',
  'daprd/serviceinvocation/http/reservedchars/pathcorrectness':
    'P: `%25` reaches the application; daprd answers 500 since Go cannot parse what it made of it',
  'daprd/serviceinvocation/http/ssepanic':
    'P: the application’s 404 is passed on; daprd says 500 of an answer without a body',
  'daprd/state/http/encryption':
    'P: what is saved comes back as the JSON that it was, encrypted or not; daprd loses the quotes of a text',
  'daprd/subscriptions/declarative/selfhosted/v1alpha1/basic/grpc':
    'P: data of a type that Dapr does not know reach the application as they are; daprd’s are empty',
  'daprd/subscriptions/declarative/selfhosted/v2alpha1/basic/grpc': 'P: as v1alpha1',
  'daprd/subscriptions/programmatic/grpc/basic': 'P: as declarative',
};
