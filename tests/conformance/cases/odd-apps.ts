import type { AppSetup } from '../makes/app-mesh.ts';
import type { Case } from '../makes/case.ts';

export type OddApp = 'caller' | 'callee' | 'secured';
export type OddCase = Case<OddApp>;

const endpoint = (name: string, baseUrl: string, headers = '') => `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: "${baseUrl}", headers: [${headers}] }
`;

const ENDPOINTS = [
  endpoint('bare', 'http://127.0.0.1:$APP/base'),
  endpoint(
    'named',
    'http://127.0.0.1:$APP/base',
    `{ name: X-One, value: a }, { name: x-one, value: b }, { name: Content-Type, value: x/y },
     { name: Authorization, value: Bearer ours }, { name: Cookie, value: d=2 }, { name: User-Agent, value: us }`,
  ),
  endpoint(
    'framed',
    'http://127.0.0.1:$APP',
    '{ name: Host, value: other.example }, { name: Content-Length, value: "2" }',
  ),
  endpoint('known', 'http://us:pw@127.0.0.1:$APP/base'),
];

const COMPONENTS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
`;

/** One that has addresses outside, one that is called and samples more than all, and one that asks for a token and has no traces. */
export const ODD_APPS: Readonly<Record<OddApp, AppSetup>> = {
  caller: { resources: { 'more.yaml': [...ENDPOINTS, COMPONENTS].join('---') } },
  callee: { spec: 'tracing: { samplingRate: "2" }' },
  secured: { secured: true, spec: 'tracing: { samplingRate: "0" }' },
};
