/** The type alone, without parameters, in lower case. */
export const mediaType = (contentType: string): string =>
  contentType.split(';', 1)[0]!.trim().toLowerCase();

/** Whether what is published as this goes as JSON; as in Dapr its relatives, `application/x+json`, go as texts. */
export const isJson = (type: string): boolean => type === 'application/json';
