import { componentYaml } from '../makes/component-yaml.ts';

const APP = 'http://127.0.0.1:$APP';
const EVERY_SECOND = { schedule: '@every 1s' };

/** The bindings of the cases; nobody listens at `dead`. */
export const BINDINGS = (root: string, dead: number): string =>
  [
    componentYaml('files', 'bindings.localstorage', { rootPath: root }),
    componentYaml('told-to', 'bindings.localstorage', { rootPath: `${root}-told-to` }),
    componentYaml('web', 'bindings.http', { url: `${APP}/base` }),
    componentYaml('lax', 'bindings.http', { url: APP, errorIfNot2XX: 'false' }),
    componentYaml('short', 'bindings.http', { url: APP, maxResponseBodySize: '100' }),
    componentYaml('secret', 'bindings.http', {
      url: APP,
      securityToken: 'tok',
      securityTokenHeader: 'X-Token',
    }),
    componentYaml('nobody', 'bindings.http', { url: `http://127.0.0.1:${dead}` }),
    componentYaml('hasty', 'bindings.http', { url: APP, responseTimeout: '200ms' }),
    componentYaml('inward', 'bindings.http', { url: APP, direction: 'input' }),
    componentYaml('outward', 'bindings.http', { url: APP, direction: 'Output' }),
    componentYaml('tick', 'bindings.cron', EVERY_SECOND),
    componentYaml('told', 'bindings.cron', {
      ...EVERY_SECOND,
      direction: 'input',
      route: '/told/here',
    }),
    componentYaml('routed', 'bindings.cron', { ...EVERY_SECOND, route: 'routed-to' }),
    componentYaml('refused', 'bindings.cron', EVERY_SECOND),
    componentYaml('m405', 'bindings.cron', EVERY_SECOND),
    componentYaml('m500', 'bindings.cron', EVERY_SECOND),
    componentYaml('keeps', 'bindings.cron', EVERY_SECOND),
    componentYaml('outcron', 'bindings.cron', { ...EVERY_SECOND, direction: 'output' }),
    componentYaml('memory', 'state.in-memory', {}),
  ].join('---');
