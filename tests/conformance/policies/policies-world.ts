import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { type Ask, componentApi } from './component-api.ts';
import { type ScriptedApp, scriptedApp } from './scripted-app.ts';
import { type ScriptedComponent, scriptedComponent } from './scripted-component.ts';

/** A component of the world, and what its target says; undefined: it is no target. */
export interface TargetComponent {
  readonly name: string;
  readonly type: string;
  /** Inside the braces of `targets.components.NAME`. */
  readonly policies?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A sidecar of either make, with components and an application that fail as they are told. */
export interface PoliciesWorld {
  readonly component: ScriptedComponent;
  readonly app: ScriptedApp;
  readonly sidecar: Flagged;
  readonly ask: Ask;
  /** What was counted of a component and its policies, a line for each series that is not 0. */
  counted(name: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function policiesWorld(
  executable: string | undefined,
  policies: string,
  components: readonly TargetComponent[],
  prepare: (world: Pick<PoliciesWorld, 'component' | 'app'>) => void = () => {},
): Promise<PoliciesWorld> {
  const component = await scriptedComponent();
  const app = await scriptedApp();
  prepare({ component, app });
  const close = async () => {
    await app.close();
    await component.close();
  };
  const sidecar = await startFlagged(executable, {
    flags: { 'app-port': app.port },
    env: { DAPR_COMPONENTS_SOCKETS_FOLDER: component.folder },
    resources: {
      'components.yaml': components.map(componentYaml).join('---\n'),
      'resiliency.yaml': resiliencyYaml(policies, components),
    },
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    component,
    app,
    sidecar,
    ask: componentApi(sidecar.ports),
    async counted(name) {
      const page = await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/`);
      return countedOf(await page.text(), name);
    },
    async stop() {
      await sidecar.stop();
      await close();
    },
  };
}

const componentYaml = ({ metadata = {}, name, type }: TargetComponent) =>
  `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  ignoreErrors: true
  metadata: [${Object.entries(metadata)
    .map(([key, value]) => `{ name: ${key}, value: "${value}" }`)
    .join(', ')}]
`;

const resiliencyYaml = (policies: string, components: readonly TargetComponent[]) =>
  `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: failing }
spec:
  policies:
${policies.trim().replaceAll(/^/gm, '    ')}
  targets:
    components:
${components
  .flatMap(({ name, policies: own }) => (own === undefined ? [] : [`      ${name}: { ${own} }`]))
  .join('\n')}
`;

const SERIES =
  /^dapr_(resiliency_count|resiliency_activations_total|component_\w+_count)\{(.*)\} ([1-9]\d*)$/gm;
const SHOWN = ['flow_direction', 'operation', 'policy', 'status', 'success'];

function countedOf(page: string, name: string): readonly string[] {
  const lines = [...page.matchAll(SERIES)].flatMap(([, family = '', labels = '', value]) => {
    const of = Object.fromEntries([...labels.matchAll(/(\w+)="(.*?)"/g)].map((m) => m.slice(1)));
    // Ours count the same once more under the course's names.
    if (family.startsWith('component_operation')) return [];
    if (of.component !== name && !of.target?.endsWith(`_${name}`)) return [];
    const shown = SHOWN.flatMap((label) => (of[label] ? [of[label]] : []));
    return [`${family.replace(/_count$|_total$/, '')}: ${[...shown, value].join(' ')}`];
  });
  return lines.filter((line) => !line.includes('latencies')).sort();
}
