/** What XML 1.0 cannot hold even escaped: NUL and most of C0, U+FFFE, U+FFFF, half a surrogate pair. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

/** The first character that no XML document can hold, as `U+0001`; null when all can be written. */
export const forbiddenIn = (text: string): string | null => {
  const found = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  return found === undefined ? null : `U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
};
