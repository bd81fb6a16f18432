/** What stock takes at most, in bytes of UTF-8 (spec: admin-api, vm.notes.Set). */
export const MOST_NOTES = 256_000;

/** Bytes of a text in UTF-8. */
export const utf8Length = (text: string): number => {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
};

/** Controls, formats and blanks other than a space, a tab and a line end: nobody sees what they do. As stock, `_` instead. */
export const plainNotes = (text: string): string => text.replaceAll(/(?![\n\t])\p{C}|(?! )\p{Z}/gu, '_');
