import { readlinkSync } from 'node:fs';

const ZONES = '/zoneinfo/';

/** The host's time zone by name, as stock reads it: where /etc/localtime leads. UTC where it leads nowhere. */
export const timezoneOfHost = (localtime = '/etc/localtime'): string => {
  try {
    const target = readlinkSync(localtime);
    const at = target.lastIndexOf(ZONES);
    return at < 0 ? 'UTC' : target.slice(at + ZONES.length).slice(0, 64) || 'UTC';
  } catch {
    return 'UTC';
  }
};
