const ONE = '*';
const REST = '**';

interface Node<T> {
  /** A segment of a name: a text, or one with `*` in it. */
  readonly segment: string;
  value: T | undefined;
  /** In the order of the file: the first that fits is taken. */
  readonly children: Node<T>[];
}

/**
 * Names of operations by their segments, matched as Dapr does:
 *
 * - `/a/b` is for itself and for all below it;
 * - `/a/*` is for what has one segment more, and for `/a`;
 * - `/a/**` is for all below `/a`, and for `/a`;
 * - a `*` inside a segment stands for any letters of it.
 *
 * Of siblings that fit, the first in the file is taken, and there is no way
 * back: who writes `/a/*` before `/a/b`, or `/a` beside it, has said all about `/a/b`.
 */
export class OperationTree<T> {
  readonly #root: Node<T> = { segment: '', value: undefined, children: [] };

  /** False where the name has a value already: the first one stays. */
  add(name: string, value: T): boolean {
    let node = this.#root;
    for (const segment of segmentsOf(name)) {
      let child = node.children.find((one) => one.segment === segment);
      if (child === undefined) {
        child = { segment, value: undefined, children: [] };
        node.children.push(child);
      }
      node = child;
    }
    if (node.value !== undefined) return false;
    node.value = value;
    return true;
  }

  find(operation: string): T | undefined {
    const segments = segmentsOf(operation);
    let node = this.#root;
    for (const [at, segment] of segments.entries()) {
      const last = at === segments.length - 1;
      const child = fitting(node, segment, last);
      if (child === undefined) return undefined;
      node = child;
      // A star is for one segment: what is longer looks further down.
      if (node.value !== undefined && (last || node.segment !== ONE)) return node.value;
    }
    return fitting(node, ONE, true)?.value;
  }
}

function segmentsOf(name: string): readonly string[] {
  return (name.startsWith('/') ? name.slice(1) : name).split('/');
}

function fitting<T>(node: Node<T>, segment: string, last: boolean): Node<T> | undefined {
  return node.children.find((child) => {
    if (child.segment === segment || child.segment === REST) return true;
    if (child.segment === ONE) return last;
    return child.segment.includes('*') && fitsGlob(segment, child.segment);
  });
}

/** `*` stands for any letters, also none. Linear: between the stars, the first place that fits is as good as any. */
function fitsGlob(text: string, pattern: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop() ?? '';
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - tail.length;
}
