/** An absolute path without `.`, `..` and doubled slashes, as Python's normpath gives it; null for a relative one. */
export const normalPath = (path: string): string | null => {
  if (!path.startsWith('/')) return null;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  // POSIX leaves the meaning of exactly two leading slashes open, and Python keeps them.
  const root = path.startsWith('//') && !path.startsWith('///') ? '//' : '/';
  return `${root}${parts.join('/')}`;
};
