import type { DriftFact } from './events.ts';

/**
 * What was said about a difference, and the event that said it. It counts for that one difference only.
 * - ignored: it may stay · overruled: the file with that digest may be written over
 */
export type Answer = {
  readonly is: 'ignored' | 'overruled';
  readonly fingerprint: string;
  readonly reason: string;
  readonly position: number;
};

/** The answers by what `drift` calls the object, after a fact. */
export const evolveAnswers = (answers: Map<string, Answer>, fact: DriftFact, position: number): void => {
  switch (fact.type) {
    case 'DriftIgnored':
      answers.set(fact.object, { is: 'ignored', fingerprint: fact.fingerprint, reason: fact.reason, position });
      break;
    case 'DocumentOverruled':
      answers.set(fact.object, { is: 'overruled', fingerprint: fact.digest ?? '', reason: '', position });
      break;
    case 'DriftRepaired':
    case 'DriftNoticed':
      answers.delete(fact.object);
  }
};
