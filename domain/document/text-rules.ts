/** Control characters in a name would break lines of JSON, streams of the log and paths; stock would take most of them. */
export const hasControls = (text: string): boolean => /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text);
