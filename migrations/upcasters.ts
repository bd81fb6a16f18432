type Data = Readonly<Record<string, unknown>>;

/** `UPCASTERS[type][n]` lifts the data of version n + 1 to version n + 2; the last step reaches what the code of today reads. */
export const UPCASTERS: Readonly<Record<string, readonly ((data: Data) => Data)[]>> = {};

/** The version that events of a type are written in today. */
export const schemaVersionOf = (type: string, upcasters = UPCASTERS): number => (upcasters[type]?.length ?? 0) + 1;

/** Data of an old version as the code of today reads it. Throws on a version from the future: that ledger needs newer code. */
export const upcast = (type: string, version: number, data: Data, upcasters = UPCASTERS): Data => {
  const chain = upcasters[type] ?? [];
  if (version > chain.length + 1)
    throw new Error(`event type ${type} has version ${version}; this code knows ${chain.length + 1}`);
  return chain.slice(version - 1).reduce((older, lift) => lift(older), data);
};
