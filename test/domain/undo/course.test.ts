import { describe, expect, test } from 'vitest';
import { type Done, isOperation, lastUndo, standsAt } from '../../../domain/undo/course.ts';

let position = 1;
const done = (id: string, name = 'SetProperty', restored: Done['restored'] = null): Done => {
  position += 10;
  return { id, name, first: position, last: position + 1, restored };
};
const way = (id: string, kind: 'undo' | 'redo' | 'restore', operation: string): Done =>
  done(id, 'RestoreOperation', { kind, operation, position: 0, head: 0, only: null });

const at = (...oldestFirst: readonly Done[]) => standsAt([...oldestFirst].reverse())?.id ?? null;
const redoable = (...oldestFirst: readonly Done[]) => lastUndo([...oldestFirst].reverse())?.id ?? null;

const [a, b, c] = [done('a'), done('b'), done('c')];
const undoC = way('undo-c', 'undo', 'c');
const undoB = way('undo-b', 'undo', 'b');
const redoB = way('redo-b', 'redo', 'b');

describe('where undo stands', () => {
  test('at the newest operation, and with nothing done at nothing', () => {
    expect(at(a, b)).toBe('b');
    expect(at()).toBeNull();
  });

  test('a repeated undo goes further back, past the undos before it', () => {
    expect(at(a, b, c, undoC)).toBe('b');
    expect(at(a, b, c, undoC, undoB)).toBe('a');
    expect(at(a, b, c, undoC, undoB, way('undo-a', 'undo', 'a'))).toBeNull();
  });

  test('a redo stands at what it brought back, so the next undo takes that back again', () => {
    expect(at(a, b, c, undoC, undoB, redoB)).toBe('b');
    expect(at(a, b, c, undoC, undoB, redoB, way('again', 'undo', 'b'))).toBe('a');
  });

  test('op restore is an operation like any other: an undo takes it back', () => {
    expect(at(a, b, way('restored', 'restore', 'a'))).toBe('restored');
  });

  test('what was done after an undo comes before what was undone', () => {
    expect(at(a, b, undoB, c)).toBe('c');
    expect(at(a, b, undoB, c, undoC)).toBe('a');
  });
});

describe('what redo takes back', () => {
  test('the newest undo, then the one before', () => {
    expect(redoable(a, b, c, undoC, undoB)).toBe('undo-b');
    expect(redoable(a, b, c, undoC, undoB, redoB)).toBe('undo-c');
    expect(redoable(a, b, c, undoC, undoB, redoB, way('redo-c', 'redo', 'c'))).toBeNull();
  });

  test('nothing once something else was done', () => {
    expect(redoable(a, b, undoB, c)).toBeNull();
    expect(redoable(a, b)).toBeNull();
  });
});

test('a command that changed nothing, or whose work nobody could want back, is passed over', () => {
  expect(isOperation(a)).toBe(true);
  expect(isOperation({ ...a, last: a.first })).toBe(false);
  expect(isOperation(done('g', 'CollectGarbage'))).toBe(false);
  expect(isOperation({ ...undoB, last: undoB.first })).toBe(true);
});
