import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit } from 'yaml';

/**
 * Puts in the place of each alias (`*name`) what it stands for, and in that of a merge (`<<`) the keys it brings,
 * as Go's YAML reads a file: what is written counts for more than what is merged, and of merges the first.
 * There must be no `endlessAlias`.
 */
export function spreadAliases(document: Document): void {
  const follow = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

  const merged = ({ value }: Pair): readonly Pair[] => {
    const given = follow(value);
    const sources = isSeq(given) ? given.items.map(follow) : [given];
    return sources.flatMap((source) => (isMap(source) ? pairsOf(source.items) : []));
  };
  const pairsOf = (items: readonly Pair[]): readonly Pair[] => {
    const merges = items.filter(isMerge);
    const written = items.filter((pair) => !isMerge(pair));
    return [...written, ...merges.flatMap(merged)];
  };

  visit(document, {
    Alias: (_, alias) => alias.resolve(document),
    Map: (_, map) => {
      if (map.items.some(isMerge)) map.items = firstOfEach(pairsOf(map.items));
    },
  });
}

const isMerge = ({ key }: Pair): boolean => isScalar(key) && key.value === '<<';

function firstOfEach(pairs: readonly Pair[]): Pair[] {
  const known = new Set<unknown>();
  return pairs.filter(({ key }) => {
    const name = isScalar(key) ? key.value : key;
    if (known.has(name)) return false;
    known.add(name);
    return true;
  });
}

/** An alias within what it stands for. An anchor comes before its aliases, so there is no other way to go on without end. */
export function endlessAlias(document: Document): Alias | undefined {
  let endless: Alias | undefined;
  visit(document, {
    Alias: (_, alias) => {
      const [begin = 0, end = 0] = alias.resolve(document)?.range ?? [];
      const at = alias.range?.[0] ?? end;
      if (at < begin || at >= end) return undefined;
      endless = alias;
      return visit.BREAK;
    },
  });
  return endless;
}
