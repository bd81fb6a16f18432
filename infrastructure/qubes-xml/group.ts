import { readFileSync } from 'node:fs';

/** The number of a group in /etc/group (group(5)), null when there is none or the file cannot be read. */
export const groupId = (name: string, file = '/etc/group'): number | null => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  for (const line of text.split('\n')) {
    const [group, , id] = line.split(':');
    if (group === name && id !== undefined && /^[0-9]{1,10}$/.test(id)) return Number(id);
  }
  return null;
};
