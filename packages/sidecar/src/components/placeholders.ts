import { randomUUID } from 'node:crypto';

type Values = readonly (readonly [name: string, value: string])[];

/** What an instance of an application is called. */
export interface InstanceNames {
  readonly appId: string;
  readonly namespace: string;
  /** `POD_NAME` is the pod's. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const NAMESPACE = '{namespace}';

/**
 * Dapr's placeholders, in every value of a component: a group of one where
 * `{uuid}` is in its name, and so on. `{namespace}` is the namespace and the app.
 *
 * @throws Error for a pod's name that there is none of.
 */
export function fillPlaceholders(values: Values, names: InstanceNames): Values {
  const { appId, namespace, variables } = names;
  return values.map(([name, value]) => {
    if (!value.includes('{')) return [name, value];
    const pod = variables.POD_NAME ?? '';
    if (value.includes('{podName}') && pod === '') {
      throw new Error(`metadata ${name}: it has {podName} in it, and POD_NAME is not set`);
    }
    const filled = value
      .replaceAll('{uuid}', () => randomUUID())
      .replaceAll('{podName}', pod)
      .replaceAll(NAMESPACE, `${namespace}.${appId}`)
      .replaceAll('{appID}', appId);
    return [name, filled];
  });
}

/** Whether any value is one of a namespace: then, in Dapr, all topics of a broker are. */
export const namesNamespace = (values: Values): boolean =>
  values.some(([, value]) => value.includes(NAMESPACE));
