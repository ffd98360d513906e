import type { ASTNode } from '@marcbachmann/cel-js';

/** All nodes of the expression, outermost first. */
export function* walkCel(node: ASTNode): Generator<ASTNode> {
  yield node;
  const inside = (value: unknown): ASTNode[] => {
    if (Array.isArray(value)) return value.flatMap(inside);
    const isNode = typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
    return isNode ? [value as ASTNode] : [];
  };
  for (const child of inside(node.args)) yield* walkCel(child);
}
