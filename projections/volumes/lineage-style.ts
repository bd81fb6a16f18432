/**
 * Colours and letters of the picture, for light and for dark. Nothing is said by colour alone: every mark has its shape and
 * its words.
 */
export const LINEAGE_STYLE = `
.lineage{--ink:#1d2125;--soft:#5d6873;--line:#b9c2ca;--paper:#fff;--live:#1f66c1;--back:#a45200;--bad:#b3261e;--pin:#6541a5;
color-scheme:light dark;background:var(--paper);font:14px/1.4 system-ui,sans-serif;font-variant-numeric:tabular-nums}
@media(prefers-color-scheme:dark){.lineage{--ink:#e4e8eb;--soft:#98a4af;--line:#46515b;--paper:#15181b;--live:#7db2ff;--back:#f2a750;--bad:#ff8a80;--pin:#bda6f5}}
.lineage text{fill:var(--ink)}.lineage tspan{unicode-bidi:isolate}
.lineage .small{font-size:12px;fill:var(--soft)}.lineage .id{font:11px/1.4 ui-monospace,monospace;fill:var(--soft)}
.lineage .name{font-weight:600}.lineage .past,.lineage .past .name{fill:var(--soft)}.lineage .past .name{font-weight:400}
.lineage .back{fill:var(--back);font-weight:600}.lineage .bad{fill:var(--bad);font-weight:600}.lineage .pin{fill:var(--pin)}
.lineage .edge{fill:none;stroke:var(--line);stroke-width:2}.lineage .edge.turn{stroke:var(--back);stroke-dasharray:5 4}
.lineage .edge.more{stroke-dasharray:2 5}
.lineage .dot{fill:var(--paper);stroke:var(--soft);stroke-width:2}
.lineage .dot.now{stroke:var(--live);stroke-width:2.5}.lineage .dot.committed{fill:var(--live);stroke:var(--live)}
.lineage .dot.revision{fill:var(--soft)}.lineage .dot.trash{stroke-dasharray:3 2.4}.lineage .dot.gone{stroke:var(--line)}
.lineage .cross{fill:none;stroke:var(--bad);stroke-width:2.2}.lineage .ring{fill:none;stroke:var(--pin);stroke-width:1.6}
@media(max-width:620px){.lineage .wide{display:none}}
`;
