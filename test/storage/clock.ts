const real = Date.now;

/** The wall clock of this process, in epoch milliseconds: stands where it is set until it is released. */
export const clock = {
  set: (now: number): void => {
    Date.now = () => now;
  },
  release: (): void => {
    Date.now = real;
  },
};
