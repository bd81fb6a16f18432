/** How somebody answered a difference between the log and the world. `object`: what `drift` calls it. */
export type DriftFact =
  /**
   * Left as it is, and not told again while it stays the same difference (`fingerprint`). `about`: the VM or `VM:VOLUME`
   * it concerns, where there is one.
   */
  | {
      readonly type: 'DriftIgnored';
      readonly object: string;
      readonly about: string | null;
      readonly problem: string;
      readonly fingerprint: string;
      readonly reason: string;
    }
  /**
   * The document may be written over once it has that digest, which is then kept aside; null: it is missing. The file follows
   * the log, so no step does it.
   */
  | {
      readonly type: 'DocumentOverruled';
      readonly object: string;
      readonly about: null;
      readonly digest: string | null;
    }
  /** Put right again by steps of ours. */
  | {
      readonly type: 'DriftRepaired';
      readonly object: string;
      readonly about: string | null;
      readonly problem: string;
    }
  /** Told again from now on. */
  | { readonly type: 'DriftNoticed'; readonly object: string; readonly about: string | null };
