/** How the state after an event is, as a program sees it; `abort` ends the search. */
export type Verdict = 'good' | 'bad' | 'skip' | 'abort';

/** git's rules for `bisect run`: 0 good, 125 cannot be told, 1 to 127 bad, anything else is no answer. */
export const verdictOf = (exitCode: number | null): Verdict => {
  if (exitCode === 0) return 'good';
  if (exitCode === 125) return 'skip';
  return exitCode !== null && exitCode > 0 && exitCode < 128 ? 'bad' : 'abort';
};

/** Positions: `good` is where the check is known or taken to pass, `bad` where it must fail. */
export type Ends = { readonly good: number; readonly bad: number };

/**
 * - found: the first bad event
 * - among: every position between could not be told; the first bad one is one of them, up to `last`
 * - good: the end that must be bad is not · bad: the end that must be good is not · aborted: at that position
 */
export type Bisected =
  | { readonly is: 'found'; readonly position: number; readonly checks: number }
  | { readonly is: 'among'; readonly first: number; readonly last: number; readonly checks: number }
  | { readonly is: 'good' | 'bad' | 'aborted'; readonly position: number };

/** The position nearest to the middle that was not skipped; null when none is left. */
const nearest = (good: number, bad: number, skipped: ReadonlySet<number>): number | null => {
  const middle = Math.floor((good + bad) / 2);
  for (let away = 0; away < bad - good; away++) {
    for (const candidate of [middle - away, middle + away]) {
      if (candidate > good && candidate < bad && !skipped.has(candidate)) return candidate;
    }
  }
  return null;
};

export const stepsLeft = (good: number, bad: number): number => Math.ceil(Math.log2(Math.max(1, bad - good)));

type Check = (position: number) => Promise<Verdict>;

/** What is wrong with the ends; null when the search can begin. */
const wrongEnds = async ({ good, bad }: Ends, check: Check): Promise<Bisected | null> => {
  const atBad = await check(bad);
  if (atBad !== 'bad') return { is: atBad === 'abort' ? 'aborted' : 'good', position: bad };
  const atGood = await check(good);
  if (atGood === 'bad') return { is: 'bad', position: good };
  return atGood === 'abort' ? { is: 'aborted', position: good } : null;
};

/**
 * Binary search for the first event after which a check fails, given that it passes at `good`, fails at `bad` and turns
 * once in between. Both ends are checked first; a good end that cannot be told is taken for good.
 */
export const bisect = async (ends: Ends, check: Check): Promise<Bisected> => {
  const wrong = await wrongEnds(ends, check);
  if (wrong) return wrong;
  let { good, bad } = ends;
  let checks = 2;
  const skipped = new Set<number>();
  while (bad - good > 1) {
    const position = nearest(good, bad, skipped);
    if (position === null) return { is: 'among', first: good + 1, last: bad, checks };
    const verdict = await check(position);
    checks++;
    if (verdict === 'abort') return { is: 'aborted', position };
    if (verdict === 'skip') skipped.add(position);
    else if (verdict === 'good') good = position;
    else bad = position;
  }
  return { is: 'found', position: bad, checks };
};
