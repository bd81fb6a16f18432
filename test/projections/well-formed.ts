const TAG = /<(\/?)([a-z][\w-]*)((?: [\w:-]+="[^"<>]*")*)(\/?)>/gi;
/** What may not be left once the tags are out of it. */
const LOOSE = /<|&(?!(?:amp|lt|gt|quot|#39);)/;

/** Whether markup is well-formed as XML has it: every tag closed in its order, nothing loose between them. */
export const isWellFormed = (markup: string): boolean => {
  const text = markup.replace(/^<!DOCTYPE html>\n/, '');
  const open: string[] = [];
  for (const [, close = '', name = '', given = '', alone = ''] of text.matchAll(TAG)) {
    if (close === '') open.push(...(alone === '' ? [name] : []));
    else if (given !== '' || open.pop() !== name) return false;
  }
  return open.length === 0 && !LOOSE.test(text.replace(TAG, ''));
};
