/** Whether lines and bars beyond ASCII can be shown, by the locale. */
export const utf8Terminal = (): boolean =>
  /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');
