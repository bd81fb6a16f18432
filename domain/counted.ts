/** `1 disk`, `2 disks`: how many there are, for texts that people read. The plural is the noun with an s. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
