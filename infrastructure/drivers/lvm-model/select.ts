import type { Lv } from './state.ts';

/** One condition of `-S`: a field, how it is compared, and with what. */
export type Selection = { readonly field: string; readonly pattern: boolean; readonly value: string };

/** The conditions the model understands: `lv_uuid=U`, `lv_name=N`, `lv_name=~REGEX`, `lv_tags=TAG`, `lv_tags={TAG}`. */
export const selectionOf = (text: string | undefined): Selection | null => {
  if (text === undefined) return null;
  const [, field, operator, value] = /^(lv_uuid|lv_name|lv_tags)(=~|=)(.*)$/s.exec(text) ?? [];
  if (field === undefined || value === undefined) throw new Error(`the model cannot select by ${text}`);
  return { field, pattern: operator === '=~', value: value.replace(/^\{(.*)\}$/, '$1') };
};

const fieldOf = ({ uuid, name }: Lv, field: string): string => (field === 'lv_uuid' ? uuid : name);

export const matches = (lv: Lv, selection: Selection | null): boolean => {
  if (selection === null) return true;
  const { field, pattern, value } = selection;
  if (field === 'lv_tags') return lv.tags.includes(value);
  return pattern ? new RegExp(value).test(fieldOf(lv, field)) : fieldOf(lv, field) === value;
};
