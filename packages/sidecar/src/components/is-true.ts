/** Whether a text is one of Dapr's truths: y, yes, true, t, on, 1, in any letter case, with spaces around it or without. */
export const isTrue = (text: string | undefined): boolean =>
  /^\s*(?:y|yes|true|t|on|1)\s*$/i.test(text ?? '');
