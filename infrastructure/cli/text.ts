/**
 * Control characters (also the C1 set), line breaks and everything that reorders text, as `\xNN` or `\u{NNNN}`: what
 * comes from a VM must not be able to move the cursor or to look like something else.
 */
export const escapeText = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });

/** Seconds in the local zone, for tables; JSON has RFC 3339 in UTC. */
export const localTime = (ms: number): string => {
  const date = new Date(ms);
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

export const utcTime = (ms: number): string => new Date(ms).toISOString();

/** Eight characters of an id are enough to type; the whole is in `--json`. */
export const shortId = (id: string): string => (/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id) ? id.slice(0, 8) : id);

/** Columns two blanks apart, as wide as their widest cell; the last one is cut so that a line fits `width`. */
export const table = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string => {
  const cells = [header, ...rows.map((row) => row.map(escapeText))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) => {
    const line = row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
    return line.length > width ? `${line.slice(0, width - 1)}…` : line.trimEnd();
  });
  return `${lines.join('\n')}\n`;
};
