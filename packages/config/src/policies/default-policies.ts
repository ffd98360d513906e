/** The types of component that Dapr's default policies tell apart. */
export const COMPONENT_TYPES = [
  'Binding',
  'Configuration',
  'Lock',
  'Pubsub',
  'Crypto',
  'Conversation',
  'Secretstore',
  'Statestore',
] as const;

export type ComponentType = (typeof COMPONENT_TYPES)[number];
export type Direction = 'inbound' | 'outbound';

/** The three kinds of policy that have defaults, as their names spell them. */
export type DefaultKind = 'Retry' | 'Timeout' | 'CircuitBreaker';

/** What is being called; tells which default policies apply, most specific first. */
export type TargetKind =
  | { readonly kind: 'app' }
  | { readonly kind: 'actor' }
  | { readonly kind: 'component'; readonly type: ComponentType; readonly direction: Direction };

/** The names under which a default may be defined for `target`, most specific first. */
export function defaultNames(target: TargetKind, kind: DefaultKind): string[] {
  return levels(target).map((level) => `Default${level}${kind}Policy`);
}

function levels(target: TargetKind): string[] {
  switch (target.kind) {
    case 'app':
      return ['App', ''];
    case 'actor':
      return ['Actor', ''];
    case 'component': {
      const direction = target.direction === 'inbound' ? 'Inbound' : 'Outbound';
      return [`${target.type}Component${direction}`, `Component${direction}`, 'Component', ''];
    }
  }
}

/** Every name that is a default of `kind`; a policy of that name is used without being named. */
export function allDefaultNames(kind: DefaultKind): Set<string> {
  const names = new Set<string>();
  const targets: TargetKind[] = [{ kind: 'app' }, { kind: 'actor' }];
  for (const type of COMPONENT_TYPES) {
    for (const direction of ['inbound', 'outbound'] as const) {
      targets.push({ kind: 'component', type, direction });
    }
  }
  for (const target of targets) for (const name of defaultNames(target, kind)) names.add(name);
  return names;
}
