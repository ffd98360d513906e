/** The type alone, without parameters, in lower case. */
export const mediaType = (contentType: string): string =>
  contentType.split(';', 1)[0]!.trim().toLowerCase();

export const isJson = (type: string): boolean =>
  type === 'application/json' || type.endsWith('+json');
