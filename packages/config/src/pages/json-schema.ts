import { type Field, RESILIENCY } from '../parse/vocabulary.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Go's durations, and whole milliseconds. */
const DURATION =
  '^([+-]?[0-9]+|[+-]?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$';

/**
 * The JSON Schema of a policy file, for editors: Dapr's keys and ours. It knows
 * the shape and the words; names, CEL and status codes are `holdfast check`'s.
 */
export function resiliencySchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Resiliency of Dapr, with the keys that Holdfast adds',
    ...objectSchema(RESILIENCY),
    required: ['kind'],
  };
}

function objectSchema(fields: Readonly<Record<string, Field>>): Schema {
  const properties = Object.entries(fields).map(([name, field]) => [name, fieldSchema(field)]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}

function fieldSchema(field: Field): Schema {
  return { description: describeField(field), ...valueSchema(field) };
}

/** Nothing (`retries:` and no more) is as good as leaving the key out, so null is allowed everywhere. */
function valueSchema(field: Field): Schema {
  switch (field.kind) {
    case 'text':
      return field.values === undefined
        ? { type: ['string', 'number', 'boolean', 'null'] }
        : { type: 'string', pattern: patternOf(field.values, field.anyCase === true) };
    case 'name':
      return { type: ['string', 'number', 'boolean', 'null'] };
    case 'duration':
      return { type: ['string', 'integer', 'null'], pattern: DURATION };
    case 'integer':
    case 'number': {
      const min = field.min === undefined ? {} : { minimum: field.min };
      const max = field.max === undefined ? {} : { maximum: field.max };
      return { type: [field.kind, 'null'], ...min, ...max };
    }
    case 'jitter':
      return {
        anyOf: [
          { enum: ['none', 'full', 'equal', null] },
          { type: 'number', minimum: 0, maximum: 1 },
        ],
      };
    case 'object':
      return field.fields === undefined ? { type: 'object' } : nullable(objectSchema(field.fields));
    case 'map':
      return nullable({ type: 'object', additionalProperties: eachSchema(field) });
    case 'list':
      return { type: ['array', 'null'], items: eachSchema(field) };
  }
}

function eachSchema(field: Field): Schema {
  if (field.fields !== undefined) return nullable(objectSchema(field.fields));
  return field.each === undefined ? {} : fieldSchema(field.each);
}

const nullable = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] });

function patternOf(values: readonly string[], anyCase: boolean): string {
  const plain = (text: string) => text.replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&');
  const either = (text: string) =>
    text.replaceAll(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
  return `^(${values.map((value) => (anyCase ? either(value) : plain(value))).join('|')})$`;
}

function describeField(field: Field): string {
  const byDefault = field.byDefault === undefined ? '' : ` Default: ${field.byDefault}.`;
  const ours = field.ours ? ' (Holdfast; Dapr ignores it.)' : '';
  return `${field.about}${byDefault}${ours}`;
}
