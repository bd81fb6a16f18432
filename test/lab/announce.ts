import { labOf } from './machine.ts';

/** vitest runs this once, before any test: whoever has no lab is told what is left out. */
export const setup = (): void => {
  const lab = labOf(process.env);
  if (lab.is === 'left out') {
    process.stderr.write(`real LVM: left out (${lab.why}); npm run lab:setup adds it\n`);
  }
};
