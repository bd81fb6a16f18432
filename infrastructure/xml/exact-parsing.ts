/** Options under which fast-xml-parser keeps what a document says: the order, every blank, and texts as texts. */
export const EXACT_PARSING = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
} as const;
