/** Whether a text is one of Dapr's truths: y, yes, true, t, on, 1, in any letter case. */
export const isTrue = (text: string | undefined): boolean =>
  /^(?:y|yes|true|t|on|1)$/i.test(text ?? '');
