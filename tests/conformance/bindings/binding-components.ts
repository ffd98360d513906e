const component = (name: string, type: string, metadata: Readonly<Record<string, string>>) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: ${JSON.stringify(Object.entries(metadata).map(([name, value]) => ({ name, value })))}
`;

const APP = 'http://127.0.0.1:$APP';
const EVERY_SECOND = { schedule: '@every 1s' };

/** The bindings of the cases; nobody listens at `dead`. */
export const BINDINGS = (root: string, dead: number): string =>
  [
    component('files', 'bindings.localstorage', { rootPath: root }),
    component('told-to', 'bindings.localstorage', { rootPath: `${root}-told-to` }),
    component('web', 'bindings.http', { url: `${APP}/base` }),
    component('lax', 'bindings.http', { url: APP, errorIfNot2XX: 'false' }),
    component('short', 'bindings.http', { url: APP, maxResponseBodySize: '100' }),
    component('secret', 'bindings.http', {
      url: APP,
      securityToken: 'tok',
      securityTokenHeader: 'X-Token',
    }),
    component('nobody', 'bindings.http', { url: `http://127.0.0.1:${dead}` }),
    component('hasty', 'bindings.http', { url: APP, responseTimeout: '200ms' }),
    component('inward', 'bindings.http', { url: APP, direction: 'input' }),
    component('outward', 'bindings.http', { url: APP, direction: 'Output' }),
    component('tick', 'bindings.cron', EVERY_SECOND),
    component('told', 'bindings.cron', {
      ...EVERY_SECOND,
      direction: 'input',
      route: '/told/here',
    }),
    component('routed', 'bindings.cron', { ...EVERY_SECOND, route: 'routed-to' }),
    component('refused', 'bindings.cron', EVERY_SECOND),
    component('m405', 'bindings.cron', EVERY_SECOND),
    component('m500', 'bindings.cron', EVERY_SECOND),
    component('keeps', 'bindings.cron', EVERY_SECOND),
    component('outcron', 'bindings.cron', { ...EVERY_SECOND, direction: 'output' }),
    component('memory', 'state.in-memory', {}),
  ].join('---');
