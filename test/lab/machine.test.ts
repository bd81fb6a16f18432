import { expect, test } from 'vitest';
import { labOf } from './machine.ts';

const setUp = () => null;
const notSetUp = () => 'QEMU is missing';

test('the tests in the lab machine run when it is set up', () => {
  expect(labOf({}, setUp)).toEqual({ is: 'there' });
  expect(labOf({ DOMTRAIL_LAB: 'required' }, setUp)).toEqual({ is: 'there' });
});

test('they are left out with a reason when it is not, or when nobody wants them', () => {
  expect(labOf({}, notSetUp)).toEqual({ is: 'left out', why: 'QEMU is missing' });
  expect(labOf({ DOMTRAIL_LAB: 'off' }, setUp)).toEqual({ is: 'left out', why: 'DOMTRAIL_LAB=off' });
});

test('a machine that is required and not set up is a failure', () => {
  expect(labOf({ DOMTRAIL_LAB: 'required' }, notSetUp)).toEqual({ is: 'required', why: 'QEMU is missing' });
});
