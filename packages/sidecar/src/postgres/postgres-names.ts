const NAME = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)?$/i;
const PREFIX = /^(?:[a-z_][\w$]*\.)?(?:[a-z_][\w$]*)?$/i;

/** A table's name, with its schema or without; it becomes part of statements. */
export function tableName(text: string): string {
  if (NAME.test(text)) return text;
  throw new Error(`"${text}" is no name for a table`);
}

/** What stands before the names of tables: `orders_`, or a schema as `shop.` or `shop.orders_`. */
export function tablePrefix(text: string): string {
  if (PREFIX.test(text)) return text;
  throw new Error(`"${text}" is no prefix for names of tables`);
}
