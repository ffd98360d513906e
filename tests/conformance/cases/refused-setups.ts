import type { AppSetup } from '../makes/app-mesh.ts';
import { handlers, middleware } from './middleware.ts';

/** A setup with which a sidecar does not start, and what it says. */
export interface RefusedSetup {
  readonly name: string;
  readonly setup: AppSetup;
  readonly message: RegExp;
  readonly daprd: {
    /** Undefined: it starts. */
    readonly message: RegExp | undefined;
    /** Where it does otherwise, and why we do not. */
    readonly why?: string;
  };
}

const acl = (policy: string): AppSetup => ({
  spec: `accessControl: { defaultAction: allow, policies: [${policy}] }`,
});
const guard = (kind: string, metadata?: Readonly<Record<string, string>>): AppSetup => ({
  spec: `httpPipeline: ${handlers(['guard', kind])}`,
  resources: { 'guard.yaml': middleware('guard', kind, metadata) },
});

export const refusedSetups: readonly RefusedSetup[] = [
  {
    name: 'with a Zipkin address that has no host',
    setup: { spec: 'tracing: { samplingRate: "1", zipkin: { endpointAddress: nope } }' },
    message:
      /failed to setup tracing: spec\.tracing\.zipkin\.endpointAddress of the Configuration has no scheme or host; write a URL such as/,
    daprd: { message: /failed to setup tracing: invalid collector URL/ },
  },
  {
    name: 'with a Zipkin address without a scheme',
    setup: { spec: 'tracing: { samplingRate: "1", zipkin: { endpointAddress: "zipkin:9411" } }' },
    message: /failed to setup tracing: spec\.tracing\.zipkin\.endpointAddress/,
    daprd: { message: /failed to setup tracing: invalid collector URL/ },
  },
  {
    name: 'with a scope of secrets that neither allows nor denies',
    setup: { spec: 'secrets: { scopes: [{ storeName: s, defaultAccess: dney }] }' },
    message: /spec\.secrets\.scopes\[0\]\.defaultAccess must be allow or deny, not "dney"/,
    daprd: { message: /defaultAccess dney can be either allow or deny/ },
  },
  {
    name: 'with two scopes of one store',
    setup: { spec: 'secrets: { scopes: [{ storeName: s }, { storeName: s }] }' },
    message: /spec\.secrets\.scopes\[1\]\.storeName "s" has a scope already/,
    daprd: { message: /s storeName is repeated in secrets configuration/ },
  },
  {
    name: 'with a denied component that is no type',
    setup: { spec: 'components: { deny: [5] }' },
    message: /spec\.components\.deny must be a list of types, such as "bindings\.smtp"/,
    daprd: { message: undefined, why: 'it denies the type "5", which nothing is' },
  },
  {
    name: 'with a policy without namespace and trust domain',
    setup: acl('{ appId: till, defaultAction: allow }'),
    message:
      /config\.yaml:\d+:\d+: spec\.accessControl\.policies\[0\]\.trustDomain is missing; write the trust domain/,
    daprd: {
      message:
        /invalid access control spec\. missing trustdomain for apps: \[till\], missing namespace for apps: \[till\]/,
    },
  },
  {
    name: 'with a policy for nobody',
    setup: acl('{ defaultAction: allow, namespace: default, trustDomain: public }'),
    message: /spec\.accessControl\.policies\[0\]\.appId is missing; write the id of the app/,
    daprd: { message: /missing app name on at least one of the app policies: true/ },
  },
  {
    name: 'with verbs that are no list',
    setup: acl(
      '{ appId: till, namespace: default, trustDomain: public, operations: [{ name: /x, httpVerb: GET, action: deny }] }',
    ),
    message: /operations\[0\]\.httpVerb must be a list of verbs/,
    daprd: { message: /cannot unmarshal/ },
  },
  {
    name: 'with middleware of a type that is not there',
    setup: guard('nonsense'),
    message:
      /guard\.yaml: component guard \(middleware\.http\.nonsense\) cannot be used: there is no middleware/,
    daprd: { message: /middleware\.http\.nonsense\/v1 has not been registered/ },
  },
  {
    name: 'with a rate of nothing',
    setup: guard('ratelimit', { maxRequestsPerSecond: '0' }),
    message:
      /metadata maxRequestsPerSecond must be a number above 0 and at most 1000000000, not "0"/,
    daprd: { message: /maxRequestsPerSecond must be a positive value/ },
  },
  {
    name: 'with a rate that is no number',
    setup: guard('ratelimit', { maxRequestsPerSecond: 'lots' }),
    message: /metadata maxRequestsPerSecond must be a number above 0 .* not "lots"/,
    daprd: { message: /cannot parse 'MaxRequestsPerSecond' as float/ },
  },
  {
    name: 'with a bearer for no audience',
    setup: guard('bearer', { issuer: 'http://127.0.0.1:1' }),
    message: /component guard: metadata audience is missing/,
    daprd: { message: /metadata property 'audience' is required/ },
  },
  {
    name: 'with a bearer whose issuer cannot be asked',
    setup: guard('bearer', { issuer: 'http://127.0.0.1:1', audience: 'a' }),
    message: /GET http:\/\/127\.0\.0\.1:1\/\.well-known\/openid-configuration: .*ECONNREFUSED/,
    daprd: { message: /failed to retrieve OpenID Configuration document/ },
  },
  {
    name: 'with a bearer whose keys cannot be had',
    setup: guard('bearer', {
      issuer: 'http://x.example',
      audience: 'a',
      jwksURL: 'http://127.0.0.1:1/keys',
    }),
    message: /GET http:\/\/127\.0\.0\.1:1\/keys: .*ECONNREFUSED/,
    daprd: { message: /failed to fetch JWKS/ },
  },
  {
    name: 'with an alias that leads to a query',
    setup: guard('routeralias', { routes: '{"/a":"/b?c=d"}' }),
    message: /metadata routes: "\/a" must lead to a path without a query, not to "\/b\?c=d"/,
    daprd: {
      message: undefined,
      why: 'it starts, and each such request fails with "method contains forbidden character"',
    },
  },
  {
    name: 'with routes that are no map',
    setup: guard('routeralias', { routes: '[1' }),
    message: /metadata routes must be a map of paths in JSON or YAML/,
    daprd: { message: /failed to decode 'routes' property as JSON or YAML/ },
  },
  {
    name: 'with a rule that is no expression',
    setup: guard('routerchecker', { rule: '([' }),
    message: /metadata rule must be a regular expression, not "\(\["/,
    daprd: { message: /middleware\.http\.routerchecker\/v1 has not been registered/ },
  },
];
