import type { DriftFact } from './events.ts';

/** What was said about a difference, and the event that said it. It counts for that one difference only. */
export type Answer = { readonly fingerprint: string; readonly reason: string; readonly position: number };

/** The answers by what `drift` calls the object, after a fact. */
export const evolveAnswers = (answers: Map<string, Answer>, fact: DriftFact, position: number): void => {
  switch (fact.type) {
    case 'DriftIgnored':
      answers.set(fact.object, { fingerprint: fact.fingerprint, reason: fact.reason, position });
      break;
    case 'DriftRepaired':
    case 'DriftNoticed':
      answers.delete(fact.object);
  }
};
