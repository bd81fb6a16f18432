const TAG = /<(\/?)([a-z][\w-]*)((?: [\w:-]+="[^"<>]*")*)(\/?)>/gi;

/** Whether markup is well-formed as XML has it: every tag closed in its order, nothing loose between them. */
export const isWellFormed = (markup: string): boolean => {
  const open: string[] = [];
  const text = markup.replace(/^<!DOCTYPE html>\n/, '').replace(TAG, (_, close: string, name: string, given, alone: string) => {
    if (close === '/') {
      if (given !== '' || open.pop() !== name) open.push('a tag that does not fit');
    } else if (alone === '') open.push(name);
    return '';
  });
  const style = /[<>]|&(?!(?:amp|lt|gt|quot|#39);)/;
  return open.length === 0 && !style.test(text);
};
